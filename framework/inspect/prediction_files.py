"""Predictions written to a file: NPZ as arrays, CSV as columns, JSON as a list of rows."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import ConfigError, Problem
from framework.core.files import write_atomically
from framework.core.words import closest, listed

FORMATS = (".npz", ".csv", ".json")


CLASS = "class"  # name of the added output


@dataclass(frozen=True)
class Prediction:
    """What a network says of some inputs.

    Attributes:
      outputs: name -> array with a leading axis of rows, targets in their own units; `class` holds the index of the
        most likely class, where the network gives logits of classes.
      class_names: of the data, where it has classes.
    """

    outputs: dict[str, np.ndarray]
    class_names: tuple[str, ...] | None


def check_output(path: Path) -> None:
    """Refuse a file that could not be written, before time is spent on what would go into it.

    Raises:
      ConfigError: its ending names no format, or its folder does not exist.
    """
    if path.suffix not in FORMATS:
        near = closest(path.suffix, FORMATS, cutoff=0.3) or ".csv"
        raise ConfigError(
            Problem("--output", f"unknown ending '{path.suffix}'", listed(FORMATS), fix=f"-o {path.with_suffix(near)}")
        )
    if not path.parent.is_dir():
        raise ConfigError(
            Problem("--output", f"the folder {path.parent} does not exist", "a folder", fix=f"mkdir -p {path.parent}")
        )


def write(prediction: Prediction, path: Path) -> int:
    """Write a prediction in the format that the file's ending names.

    Returns:
      The number of rows.

    Raises:
      RunError: the file cannot be written.
    """
    if path.suffix == ".npz":
        buffer = BytesIO()
        arrays: dict[str, Any] = dict(prediction.outputs)
        np.savez(buffer, **arrays)
        write_atomically(path, buffer.getvalue())
    elif path.suffix == ".csv":
        write_atomically(path, _csv(prediction))
    else:
        write_atomically(path, _json(prediction))
    return len(next(iter(prediction.outputs.values())))


def _csv(prediction: Prediction) -> str:
    """One column per number: `prediction`, or `logits.0`, `logits.1` ... ; classes by name."""
    columns: dict[str, list[Any]] = {}
    for name, array in prediction.outputs.items():
        flat = array.reshape(len(array), -1)
        if name == CLASS and prediction.class_names and flat.shape[1] == 1:
            columns[name] = [prediction.class_names[index] for index in flat[:, 0]]
        elif flat.shape[1] == 1:
            columns[name] = _plain(flat[:, 0])
        else:
            columns |= {f"{name}.{i}": _plain(flat[:, i]) for i in range(flat.shape[1])}
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def _json(prediction: Prediction) -> str:
    """A list with one object a line: each output by name; beside `class` its name."""
    outputs = {name: _plain(array) for name, array in prediction.outputs.items()}
    rows = [dict(zip(outputs, values, strict=True)) for values in zip(*outputs.values(), strict=True)]
    for row in rows:
        if prediction.class_names and isinstance(row.get(CLASS), int):
            row["class_name"] = prediction.class_names[row[CLASS]]
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _plain(array: np.ndarray) -> list[Any]:
    """Nested lists, in which a float32 has no more digits than tell it from its neighbours."""
    if array.dtype == np.float32:
        array = array.astype(str).astype(np.float64)
    return array.tolist()
