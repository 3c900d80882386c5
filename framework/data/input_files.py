"""New inputs in files, for `fw predict`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import listed
from framework.data.alphabets import Alphabet
from framework.data.inputs import input_names, normalize_inputs, scalers_of
from framework.data.npz_file import read_arrays, read_headers
from framework.data.paths import existing
from framework.data.pictures import CHANNELS, SUFFIXES, read_picture
from framework.data.protocol import Arrays, Facts
from framework.data.sources.text import read_characters
from framework.data.statistics import apply_scalers
from framework.data.tables.csv_file import read_csv, read_header
from framework.data.tables.frame import Frame
from framework.data.tables.layout import Layout, require_columns
from framework.data.tables.parquet_file import read_parquet, read_schema

_KEY = "--input"
_TABLES = (".csv", ".tsv", ".parquet")


def read_inputs(path: str | Path, section: Any, facts: Facts) -> Arrays:
    """The inputs in a file, scaled as the training split was.

    NPZ and NPY: arrays by their names. CSV and Parquet: the feature columns by their names, others are ignored. Images:
    one example, resized to the trained size; a folder of images: one example each, in the order of `pictures_in`. Any
    other file, for a network of text: its characters, as windows of `context` side by side, the last one ending where
    the text ends; a shorter text is one shorter window.

    Args:
      section: the section `data` of the run.
      facts: `Dataset.facts()` of the run.

    Raises:
      DataError: the file is missing or damaged, or does not hold what the network reads.
    """
    place = Path(path).expanduser()
    several = place.is_dir() and "image" in input_names(facts)
    file = place if several else existing(path, key=_KEY)
    try:
        if several:
            pictures = np.concatenate([_from_picture(picture, facts) for picture in pictures_in(place)])
            return normalize_inputs({"image": pictures}, facts)
        return _read(file, section, facts)
    except DataError as error:
        # The readers speak of the recipe, which is not at fault here.
        raise DataError(replace(problem, key=_KEY, fix=None) for problem in error.problems) from None


def pictures_in(folder: Path) -> list[Path]:
    """The images in a folder and those below it, by their names.

    Raises:
      DataError: there is none.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise DataError(Problem(_KEY, f"the folder '{folder}' holds no image", listed(sorted(SUFFIXES))))
    return files


def _read(file: Path, section: Any, facts: Facts) -> Arrays:
    suffix = file.suffix.lower()
    known = input_names(facts)
    if suffix in (".npz", ".npy"):
        return normalize_inputs(_from_numpy(file, known), facts)
    if suffix in _TABLES and "features" in known and facts.get("columns"):
        return apply_scalers({"features": _from_table(file, section, facts)}, scalers_of(facts))
    if suffix in SUFFIXES and "image" in known:
        return normalize_inputs({"image": _from_picture(file, facts)}, facts)
    if "tokens" in known and "alphabet" in facts.get("learned", {}) and suffix not in (*SUFFIXES, *_TABLES):
        return {"tokens": _from_text(file, facts)}
    raise DataError(Problem(_KEY, f"'{file.name}' is no file for {', '.join(known)}", ", ".join(_fitting(facts))))


def _fitting(facts: Facts) -> list[str]:
    """The kinds of files that hold a run's inputs."""
    known = input_names(facts)
    kinds = [".npz"]
    kinds += [".csv", ".parquet"] if "features" in known and facts.get("columns") else []
    kinds += [".png", ".jpg"] if "image" in known else []
    kinds += [".txt"] if "tokens" in known and "alphabet" in facts.get("learned", {}) else []
    return kinds


def _from_numpy(file: Path, known: tuple[str, ...]) -> Arrays:
    if file.suffix.lower() == ".npy":
        try:
            return {known[0]: np.load(file, allow_pickle=False)}
        except (ValueError, EOFError, OSError) as error:
            raise DataError(Problem(_KEY, f"'{file}' cannot be read as NPY: {error}", "a file by np.save")) from None
    headers = read_headers(file)
    names = [name for name in known if name in headers]
    if names:
        return read_arrays(file, names)
    if len(known) == 1 and len(headers) == 1:
        # One array for one input: its name does not matter.
        return {known[0]: read_arrays(file, headers)[next(iter(headers))]}
    raise DataError(
        Problem(_KEY, f"'{file}' holds the arrays {listed(headers)}", f"at least one of {', '.join(known)}")
    )


def _from_table(file: Path, section: Any, facts: Facts) -> np.ndarray:
    columns = tuple(facts["columns"])
    frame = _frame(file, section, columns)
    categories = {name: tuple(items) for name, items in facts.get("learned", {}).get("categorical", {}).items()}
    gaps = facts["scalers"].get("features", {}).get("fill") is not None
    return Layout(columns, categories).encode(frame, gaps=gaps)


def _frame(file: Path, section: Any, columns: tuple[str, ...]) -> Frame:
    if file.suffix.lower() == ".parquet":
        require_columns(read_schema(file)[0], columns, str(file))
        return read_parquet(file, columns)
    delimiter = "\t" if file.suffix.lower() == ".tsv" else getattr(section, "delimiter", ",")
    require_columns(read_header(file, delimiter), columns, str(file))
    return read_csv(file, delimiter, columns)


def _from_picture(file: Path, facts: Facts) -> np.ndarray:
    height, width, channels = facts["arrays"]["image"]["shape"]
    mode = next((name for name, count in CHANNELS.items() if count == channels), None)
    if mode is None:
        raise DataError(
            Problem(_KEY, f"images of {channels} channels cannot be read from '{file.name}'", "an .npz file")
        )
    return read_picture(file, (height, width), mode, facts.get("fit", "stretch"))[None]


def _from_text(file: Path, facts: Facts) -> np.ndarray:
    alphabet = Alphabet.named(facts["learned"]["alphabet"])
    codes = alphabet.encode(read_characters(file, as_bytes=alphabet.is_bytes)).astype(np.int32)
    context = facts["arrays"]["tokens"]["shape"][0]
    if not len(codes):
        raise DataError(Problem(_KEY, f"'{file}' is empty", "at least one character"))
    if len(codes) <= context:
        return codes[None]
    starts = [*range(0, len(codes) - context, context), len(codes) - context]
    return np.stack([codes[start : start + context] for start in starts])
