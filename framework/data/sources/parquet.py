"""Tables in Parquet files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.data.paths import Files
from framework.data.protocol import Collection, Outline
from framework.data.tables.load import TableFields, describe_table, load_table
from framework.data.tables.parquet_file import read_parquet, read_schema
from framework.data.tables.stream import describe_stream, load_stream


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
    stream: bool,
) -> Outline:
    """The outline, from the footers of the files."""
    fields = TableFields(path, target, features, exclude, categorical, classes, class_names, missing)
    if stream:
        return describe_stream(fields)
    return describe_table(fields, read_schema, read_parquet)


def parquet(
    *,
    path: Files,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    exclude: Sequence[str],
    categorical: Mapping[str, Sequence[str] | None],
    classes: int | None,
    class_names: Sequence[str] | None,
    missing: str,
    stream: bool,
    cache_mib: int,
) -> Collection:
    """The rows of the files: `features` float32, and `label` int32 or `target` float32 [columns]."""
    fields = TableFields(path, target, features, exclude, categorical, classes, class_names, missing)
    if stream:
        return load_stream(fields, cache_mib)
    return load_table(fields, read_schema, read_parquet)
