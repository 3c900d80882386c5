"""A small section, with its files, for every source: what the batteries run over."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pydantic import TypeAdapter

from framework.config.schema.data import DataSection, OwnData
from framework.data import ArraySpec
from framework.data.held import Held, section_of
from framework.data.in_memory import Wanted, hold
from framework.data.record_files import write_records

ADAPTER: TypeAdapter[Any] = TypeAdapter(DataSection)
FLOWERS = "length,colour,species\n" + "".join(
    f"{row / 7:.3f},{('red', 'blue')[row % 2]},{('rose', 'lily', 'iris')[row % 3]}\n" for row in range(60)
)


KEPT: list[Held] = []
"""Arrays in memory are found for as long as somebody has them."""


def section(source: str = "", /, **fields: Any) -> Any:
    """A validated section."""
    return ADAPTER.validate_python({"type": source} | fields)


def told(*parts: str) -> str:
    """A pattern for a message that holds these parts, in this order."""
    return r"(.|\n)*".join(map(re.escape, parts))


def write_npz(path: Path, rows: int = 40, seed: int = 0) -> Path:
    """Images as bytes, and three classes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, 4, 5), np.uint8)
    np.savez(path, x=pixels, y=np.arange(rows) % 3)
    return path


def write_npy(folder: Path, rows: int = 40) -> Path:
    """Images as bytes in two parts, and three classes."""
    (folder / "image").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 4, 5), np.uint8)
    for part, here in enumerate(np.split(pixels, [rows // 3])):
        np.save(folder / "image" / f"{part}.npy", here)
    np.save(folder / "label.npy", np.arange(rows) % 3)
    return folder


def write_images(root: Path, each: int = 8) -> Path:
    """Two class folders of 6 x 4 images (height x width)."""
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for index in range(each):
            pixels = generator.integers(0, 256, (6, 4, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


def write_parquet(path: Path) -> Path:
    """Sixty rows of two numbers and a real-valued target."""
    rows = np.arange(60, dtype=np.float64)
    pq.write_table(pa.table({"a": rows, "b": rows.astype(np.int32) % 5, "y": rows * 0.5}), path)
    return path


def write_groups(path: Path, rows: int = 60, size: int = 7) -> Path:
    """Rows of a number, a category, a list of three numbers and a class, in row groups of `size`."""
    row = np.arange(rows)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.repeat(row, 3) / 4 + np.tile([0, 1, 2], rows)), 3)
    table = pa.table(
        {"a": row * 0.5, "colour": np.array(["red", "blue"])[row % 2], "x": lists, "kind": (row % 3).astype(np.int64)}
    )
    pq.write_table(table, path, row_group_size=size)
    return path


def write_array_record(path: Path, rows: int = 40) -> Any:
    """Images as bytes and three classes in two files, as a section."""
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 4, 5, 1), np.uint8)
    labels = (np.arange(rows) % 3).astype(np.int64)
    parts = [path.with_suffix(f".{part}") for part in range(2)]
    for part, here in zip(parts, np.split(np.arange(rows), [rows // 3]), strict=True):
        arrays = write_records(part, {"image": pixels[here], "label": labels[here]})
    return section("array_record", path=[str(part) for part in parts], arrays=arrays, classes=3)


def write_text(path: Path, text: str = "to be or not to be, that is the question\n" * 20) -> Path:
    """A text of 820 characters."""
    path.write_text(text, encoding="utf-8")
    return path


def write_tokens(path: Path, tokens: Any = None) -> Path:
    """900 tokens of a vocabulary of 40, or others, as raw uint16."""
    made = np.random.default_rng(0).integers(0, 40, 900) if tokens is None else np.asarray(tokens)
    made.astype("<u2").tofile(path)
    return path


def _arrays() -> Any:
    """Images as bytes and words for classes, in memory, with a test split of their own."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 4, 5), np.uint8)
    words = np.array(["ant", "bee", "cow"])[np.arange(40) % 3]
    held = hold({"train": (pixels[:31], words[:31]), "test": (pixels[31:], words[31:])}, Wanted(("image",), ("label",)))
    KEPT.append(held)
    return section(**section_of(held), classes=3, class_names=["ant", "bee", "cow"])


class Rows:
    """A source of a user's own: row i holds i, three times, and the class i modulo 4."""

    spec = {"features": ArraySpec((3,), "float32"), "label": ArraySpec((), "int32")}  # noqa: RUF012 - as users write it

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def take(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """The rows of these numbers."""
        return read_rows(indices)


def read_rows(indices: np.ndarray) -> dict[str, np.ndarray]:
    """What `Rows` gives."""
    features = np.repeat(indices[:, None], 3, axis=1).astype(np.float32)
    return {"features": features, "label": (indices % 4).astype(np.int32)}


def _csv(folder: Path) -> Any:
    path = folder / "flowers.csv"
    path.write_text(FLOWERS)
    return section("csv", path=str(path), target="species", classes=3, categorical={"colour": None})


CASES: dict[str, Callable[[Path], Any]] = {
    "digits": lambda folder: section("digits"),
    "iris": lambda folder: section("iris"),
    "wine": lambda folder: section("wine", normalize="minmax"),
    "breast_cancer": lambda folder: section("breast_cancer"),
    "diabetes": lambda folder: section("diabetes", normalize_target="standard"),
    "npy": lambda folder: section("npy", path=str(write_npy(folder / "cells")), classes=3),
    "npz": lambda folder: section(
        "npz", path=str(write_npz(folder / "a.npz")), arrays={"image": "x", "label": "y"}, classes=3
    ),
    "csv": _csv,
    "parquet": lambda folder: section("parquet", path=str(write_parquet(folder / "a.parquet")), target="y"),
    "row_groups": lambda folder: section(
        "parquet",
        path=str(write_groups(folder / "groups.parquet")),
        target="kind",
        classes=3,
        categorical={"colour": ["red", "blue"]},
        stream=True,
        cache_mib=1,
    ),
    "array_record": lambda folder: write_array_record(folder / "a.array_record"),
    "arrays": lambda folder: _arrays(),
    "own": lambda folder: OwnData.read(
        {"_target_": "data_cases.Rows", "rows": 40, "classes": 4, "normalize": "none", "split": {"type": "fraction"}}
    ),
    "images": lambda folder: section("images", path=str(write_images(folder / "pets", each=12)), classes=2),
    "text": lambda folder: section("text", path=str(write_text(folder / "a.txt")), context=8),
    "tokens": lambda folder: section("tokens", path=str(write_tokens(folder / "a.bin")), vocabulary=40, context=8),
    "stdlib": lambda folder: section("stdlib", max_characters=20_000, context=32),
    "blobs": lambda folder: section("synthetic", examples=60, features=4, classes=3, noise=0.5),
    "regression": lambda folder: section("synthetic", kind="regression", examples=60, features=4, noise=0.1),
    "pictures": lambda folder: section(
        "synthetic", kind="images", examples=60, classes=3, size=5, channels=2, noise=0.1
    ),
    "copy": lambda folder: section("synthetic", kind="copy", examples=60, context=6, vocabulary=5),
}
"""Name -> makes its files in a folder and gives its section."""
