"""Tables in CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from framework.data.paths import Files
from framework.data.protocol import Collection, Outline
from framework.data.tables.csv_file import read_csv, read_header
from framework.data.tables.load import ReadFrame, ReadHeader, TableFields, describe_table, load_table


def describe(
    *,
    path: Files,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    exclude: Sequence[str],
    categorical: Mapping[str, Sequence[str] | None],
    classes: int | None,
    class_names: Sequence[str] | None,
    missing: str,
    delimiter: str,
) -> Outline:
    """The outline, from the header lines."""
    fields = TableFields(path, target, features, exclude, categorical, classes, class_names, missing)
    return describe_table(fields, *_readers(delimiter))


def csv(
    *,
    path: Files,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    exclude: Sequence[str],
    categorical: Mapping[str, Sequence[str] | None],
    classes: int | None,
    class_names: Sequence[str] | None,
    missing: str,
    delimiter: str,
) -> Collection:
    """The rows of the files: `features` float32, and `label` int32 or `target` float32 [columns]."""
    fields = TableFields(path, target, features, exclude, categorical, classes, class_names, missing)
    return load_table(fields, *_readers(delimiter))


def _readers(delimiter: str) -> tuple[ReadHeader, ReadFrame]:
    def header(file: Path) -> tuple[tuple[str, ...], int | None]:
        return read_header(file, delimiter), None

    return header, lambda file, only: read_csv(file, delimiter, only)
