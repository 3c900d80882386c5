"""From the files of a table to examples: what CSV and Parquet have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.labels import encode_labels
from framework.data.paths import Files, all_files, files_of, own_names
from framework.data.protocol import ArraySource, ArraySpec, Collection, Outline
from framework.data.tables.frame import Frame, stacked
from framework.data.tables.layout import Layout, choose_columns, observed, refuse_missing, require_columns

ReadFrame = Callable[[Path, tuple[str, ...] | None], Frame]
"""Reads some columns (None: all) of a file."""

ReadHeader = Callable[[Path], tuple[tuple[str, ...], int | None]]
"""Reads the names of a file's columns, and how many rows it has where the file tells."""


@dataclass(frozen=True)
class TableFields:
    """The fields of a section that say what a table's columns are for."""

    path: Files
    target: str | Sequence[str]
    features: Sequence[str] | None
    exclude: Sequence[str]
    categorical: Mapping[str, Sequence[str] | None]
    classes: int | None
    class_names: Sequence[str] | None
    missing: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of the answer.

        Raises:
          DataError: there are several, and they should be one class.
        """
        names = (self.target,) if isinstance(self.target, str) else tuple(self.target)
        if self.classes is not None and len(names) > 1:
            raise DataError(
                Problem(
                    key="data.target",
                    found=f"a class label cannot be in {len(names)} columns: {', '.join(names)}",
                    expected="one column, or real-valued targets",
                    fix=f"data.target={names[0]} or data.classes=null",
                )
            )
        return names


def describe_table(fields: TableFields, read_header: ReadHeader, read_frame: ReadFrame) -> Outline:
    """The outline; only categorical columns without declared categories are read."""
    groups = files_of(fields.path)
    files = all_files(groups)
    headers = [read_header(file) for file in files]
    features = _columns(fields, files, [header for header, _ in headers])
    unknown = tuple(name for name, categories in fields.categorical.items() if categories is None)
    frame = stacked([read_frame(file, unknown) for file in files]) if unknown else None
    layout = Layout(features, _categories(fields, frame))
    counts = [count for _, count in headers]
    known = [count for count in counts if count is not None]
    return Outline(
        {"features": ArraySpec((layout.width,), "float32")} | _answer_spec(fields),
        classes=fields.classes,
        class_names=None if fields.class_names is None else tuple(fields.class_names),
        examples=sum(known) if len(known) == len(counts) and fields.missing != "drop" else None,
        own=own_names(groups),
    )


def load_table(fields: TableFields, read_header: ReadHeader, read_frame: ReadFrame) -> Collection:
    """The examples: `features`, and `label` or `target`."""
    groups = files_of(fields.path)
    files = all_files(groups)
    features = _columns(fields, files, [read_header(file)[0] for file in files])
    used = (*features, *fields.targets)
    parts = {split: stacked([read_frame(file, used) for file in paths]) for split, paths in groups.items()}
    frame = stacked(list(parts.values()))
    group_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts.values()])
    if fields.missing == "drop":
        kept = ~np.any([frame.missing(name) for name in used], axis=0)
        frame, group_of = frame.select(kept), group_of[kept]
    if not len(frame):
        raise DataError(Problem("data.path", f"{files[0]} has no rows", "at least one example below the header"))
    layout = Layout(features, _categories(fields, frame))
    answer, names = _answer(fields, frame, layout)
    own = {split: np.flatnonzero(group_of == index) for index, split in enumerate(parts) if split is not None}
    learned: dict[str, object] = {"categorical": {name: list(items) for name, items in layout.categories.items()}}
    if names is not None:
        learned["class_names"] = list(names)
    return Collection(
        ArraySource(answer),
        own=own or None,
        labels=answer.get("label"),
        class_names=names,
        identities=lambda: frame.identities(used),
        facts={"columns": list(features), "learned": learned},
        fill={"features": fields.missing} if fields.missing in ("mean", "zero") else {},
        fixed={"features": layout.fixed},
    )


def _columns(fields: TableFields, files: list[Path], headers: list[tuple[str, ...]]) -> tuple[str, ...]:
    features = choose_columns(
        headers[0], fields.targets, fields.features, fields.exclude, tuple(fields.categorical), str(files[0])
    )
    for file, header in zip(files[1:], headers[1:], strict=True):
        require_columns(header, (*features, *fields.targets), str(file))
    return features


def _categories(fields: TableFields, frame: Frame | None) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, declared in fields.categorical.items():
        if declared is not None:
            found[name] = tuple(declared)
        elif frame is not None:
            found[name] = observed(frame, name)
    return found


def _answer_spec(fields: TableFields) -> dict[str, ArraySpec]:
    if fields.classes is not None:
        return {"label": ArraySpec((), "int32")}
    return {"target": ArraySpec((len(fields.targets),), "float32")}


def _answer(fields: TableFields, frame: Frame, layout: Layout) -> tuple[dict[str, np.ndarray], tuple[str, ...] | None]:
    """The finished arrays and the class names; mistakes in features and answers are told together."""
    problems: list[Problem] = []
    arrays: dict[str, np.ndarray] = {}
    names: tuple[str, ...] | None = None
    try:
        arrays["features"] = layout.encode(frame, gaps=fields.missing != "error")
    except DataError as error:
        problems.extend(error.problems)
    try:
        for target in fields.targets:
            refuse_missing(frame, target, "data.missing=drop")
        if fields.classes is None:
            columns = [frame.numbers(target, "data.classes=N, if it is a class") for target in fields.targets]
            arrays["target"] = np.stack(columns, axis=1).astype(np.float32)
        else:
            target = fields.targets[0]
            arrays["label"], names = encode_labels(
                frame.columns[target],
                fields.classes,
                fields.class_names,
                lambda row: f"{frame.place(row)}, column '{target}'",
            )
    except DataError as error:
        problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return arrays, names
