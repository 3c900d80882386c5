"""From the files of a Parquet table to examples that are read a row group at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.labels import encode_labels
from framework.data.paths import all_files, files_of, own_names
from framework.data.protocol import ArraySpec, Blocks, Collection, Outline
from framework.data.tables.frame import Frame, stacked
from framework.data.tables.layout import Layout, choose_columns, observed, refuse_missing, require_columns
from framework.data.tables.load import TableFields
from framework.data.tables.parquet_file import arrow, read_parquet, unreadable
from framework.data.tables.row_groups import Columns, RowGroup, RowGroups


def describe_stream(fields: TableFields) -> Outline:
    """The outline, by the footers; only categorical columns without declared categories are read."""
    groups = files_of(fields.path)
    files = all_files(groups)
    metadata, schemas = _footers(files)
    columns = _columns(fields, files, schemas)
    return Outline(
        columns.spec() | ({} if fields.classes is None else {"label": ArraySpec((), "int32")}),
        classes=fields.classes,
        class_names=None if fields.class_names is None else tuple(fields.class_names),
        examples=sum(int(footer.num_rows) for footer in metadata),
        own=own_names(groups),
    )


def load_stream(fields: TableFields, cache_mib: int) -> Collection:
    """The examples; only the column of a class is read now.

    Half of `cache_mib` is the window of row groups that a training epoch mixes with each other, the other half is for
    the window that follows.

    Raises:
      DataError: a file or a column is missing or of another type, or a label is outside its classes.
    """
    groups = files_of(fields.path)
    files = all_files(groups)
    metadata, schemas = _footers(files)
    columns = _columns(fields, files, schemas)
    parts = [part for number, footer in enumerate(metadata) for part in _row_groups(number, footer)]
    if not parts:
        raise DataError(Problem("data.path", f"{files[0]} has no rows", "at least one example"))
    labels, names = _labels(fields, files) if fields.classes is not None else (None, None)
    row_bytes = sum(spec.nbytes for spec in columns.spec().values())
    largest = max(part.rows for part in parts) * max(1, row_bytes)
    window = max(1, (cache_mib << 20) // 2 // largest)
    owner = np.concatenate([np.full(int(footer.num_rows), number) for number, footer in enumerate(metadata)])
    first = np.cumsum([0, *map(len, groups.values())])
    own = {
        split: np.flatnonzero((owner >= low) & (owner < high))
        for split, low, high in zip(groups, first, first[1:], strict=False)
        if split is not None
    }
    learned: dict[str, Any] = {"categorical": {name: list(all_) for name, all_ in columns.layout.categories.items()}}
    return Collection(
        RowGroups(files, metadata, parts, columns, labels, keep=2 * window),
        own=own or None,
        labels=labels,
        class_names=names,
        facts={
            "columns": list(columns.layout.features),
            "learned": learned | ({} if names is None else {"class_names": list(names)}),
        },
        fill={"features": fields.missing} if fields.missing in ("mean", "zero") else {},
        fixed={"features": columns.fixed},
        on_disk=True,
        blocks=Blocks(np.repeat(np.arange(len(parts)), [part.rows for part in parts]), window),
    )


def _footers(files: Sequence[Path]) -> tuple[list[Any], list[Any]]:
    """What the footer of each file says, and its columns with their types."""
    library, parquet = arrow()
    metadata, schemas, problems = [], [], []
    for path in files:
        try:
            with parquet.ParquetFile(path, memory_map=True) as file:
                metadata.append(file.metadata)
                schemas.append(file.schema_arrow)
        except (library.ArrowException, OSError) as error:
            problems += unreadable(path, error).problems
    if problems:
        raise DataError(problems)
    return metadata, schemas


def _row_groups(number: int, footer: Any) -> list[RowGroup]:
    counts = [int(footer.row_group(part).num_rows) for part in range(footer.num_row_groups)]
    firsts = np.cumsum([0, *counts]).tolist()
    return [RowGroup(number, part, firsts[part], count) for part, count in enumerate(counts) if count]


def _columns(fields: TableFields, files: Sequence[Path], schemas: Sequence[Any]) -> Columns:
    headers = [tuple(schema.names) for schema in schemas]
    targets = fields.targets
    features = choose_columns(
        headers[0], targets, fields.features, fields.exclude, tuple(fields.categorical), str(files[0])
    )
    for file, header in zip(files[1:], headers[1:], strict=True):
        require_columns(header, (*features, *targets), str(file))
    sizes = [_lists(file, schema, (*features, *targets)) for file, schema in zip(files, schemas, strict=True)]
    problems = [
        Problem("data.path", f"{file} holds lists of {told}", f"{sizes[0]}, as {files[0]} does")
        for file, told in zip(files[1:], sizes[1:], strict=True)
        if told != sizes[0]
    ]
    if fields.classes is not None and targets[0] in sizes[0]:
        problems.append(Problem("data.target", f"column '{targets[0]}' holds lists", "one class in each row"))
    if problems:
        raise DataError(problems)
    unknown = tuple(name for name, declared in fields.categorical.items() if declared is None)
    frame = stacked([read_parquet(file, unknown) for file in files]) if unknown else None
    categories = {
        name: tuple(declared) if declared is not None else observed(_there(frame), name)
        for name, declared in fields.categorical.items()
    }
    answers = () if fields.classes is not None else targets
    return Columns(Layout(features, categories), sizes[0], answers, gaps=fields.missing != "error")


def _there(frame: Frame | None) -> Frame:
    assert frame is not None
    return frame


def _lists(file: Path, schema: Any, names: Sequence[str]) -> dict[str, int]:
    """The columns of fixed-size lists, and their sizes.

    Raises:
      DataError: a column holds lists of any length, or lists of no numbers; all of them are told.
    """
    kinds = arrow()[0].types
    found, problems = {}, []
    for name in names:
        kind = schema.field(name).type
        if not (kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind)):
            continue
        inside = kind.value_type
        if kinds.is_fixed_size_list(kind) and (kinds.is_integer(inside) or kinds.is_floating(inside)):
            found[name] = int(kind.list_size)
            continue
        problems.append(
            Problem(
                "data.path",
                f"{file}, column '{name}' is of type {kind}",
                "fixed-size lists of numbers, as pyarrow.list_(pyarrow.float32(), 12) declares them",
                fix=f"write it so, or leave it out: data.exclude=['{name}']",
            )
        )
    if problems:
        raise DataError(problems)
    return found


def _labels(fields: TableFields, files: Sequence[Path]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    (target,) = fields.targets
    frame = stacked([read_parquet(file, (target,)) for file in files])
    refuse_missing(frame, target, "name the class, or leave the row out of the file")
    assert fields.classes is not None
    return encode_labels(
        frame.columns[target],
        fields.classes,
        fields.class_names,
        lambda row: f"{frame.place(row)}, column '{target}'",
    )
