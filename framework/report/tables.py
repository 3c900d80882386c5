"""Final results on the terminal: metrics by split, and the confusion matrix with the names of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from framework.report.words import number

Matrix = Sequence[Sequence[float]]

_NAME_LETTERS = 16
_MISTAKES = 20


def results(
    metrics: Mapping[str, Mapping[str, Any]], classes: Sequence[str] | None = None, *, width: int = 100
) -> Group:
    """Everything that a run came to, to be printed by rich.

    Args:
      metrics: split -> metric -> number, or matrix (a list of rows) for a confusion matrix.
      classes: the names of the classes in order.
      width: the columns of the terminal.
    """
    table = metrics_table(metrics)
    parts: list[Any] = [table] if table.row_count else []
    for split, name, matrix in matrices(metrics):
        parts += ["", confusion_table(matrix, classes, title=f"{split} {name}", width=width)]
    return Group(*parts)


def matrices(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, Matrix]]:
    """The metrics that are matrices: (split, metric, rows)."""
    for split, values in metrics.items():
        for name, value in values.items():
            if isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple):
                yield split, name, value


def class_names(matrix: Matrix, classes: Sequence[str] | None) -> list[str]:
    """The names of the classes of a confusion matrix; their numbers where there are not as many names."""
    names = classes if classes is not None and len(classes) == len(matrix) else range(len(matrix))
    return [str(name) for name in names]


def metrics_table(metrics: Mapping[str, Mapping[str, Any]]) -> Table:
    """Metrics as rows, splits as columns."""
    table = _bare_table(gap=3)
    table.add_column("metric")
    for split in metrics:
        table.add_column(split, justify="right")
    names = dict.fromkeys(
        name for values in metrics.values() for name, value in values.items() if isinstance(value, int | float)
    )
    for name in names:
        cells = [values.get(name) for values in metrics.values()]
        table.add_row(name, *(number(cell) if isinstance(cell, int | float) else "" for cell in cells))
    return table


def confusion_table(
    matrix: Matrix, classes: Sequence[str] | None = None, *, title: str = "confusion", width: int = 100
) -> Group:
    """Counts by true class (row) and predicted class (column), with the share of each class that was found.

    Right answers stand in brackets, so that the diagonal shows without colour as well; a dot stands for zero. Where
    the names do not fit above the columns, their numbers stand there; where these do not fit either, only the most
    frequent mistakes are listed.
    """
    names = class_names(matrix, classes)
    labels = _labels(names, width, cell=max(len(f"[{count}]") for row in matrix for count in row))
    if labels is None:
        return Group(f"{title}: the most frequent mistakes among {len(names)} classes", _mistakes(matrix, names))
    headers, rows = labels
    table = _bare_table(gap=1)
    table.add_column("", no_wrap=True)
    for header in headers:
        # A no-break space keeps the header above the digits, which a bracket or a blank follows.
        table.add_column(Text(header + "\N{NO-BREAK SPACE}"), justify="right", no_wrap=True)
    table.add_column("found", justify="right", no_wrap=True)
    for index, (row_label, row) in enumerate(zip(rows, matrix, strict=True)):
        total = sum(row)
        share = f"{row[index] / total:.1%}" if total else "-"
        table.add_row(
            Text(row_label, style="bold"), *(_cell(count, index == at) for at, count in enumerate(row)), share
        )
    return Group(f"{title}: true classes in rows, predicted ones in columns", table)


def _labels(names: Sequence[str], width: int, cell: int) -> tuple[list[str], list[str]] | None:
    """What stands above the columns and before the rows, in as many letters as there is room for."""
    numbers = [str(index) for index in range(len(names))]
    digits = len(numbers[-1])
    rows = [_short(name, _NAME_LETTERS) for name in names]
    numbered = [f"{index:>{digits}} {row}" for index, row in enumerate(rows)]
    for letters in range(_NAME_LETTERS, 3, -1):
        headers = [_short(name, letters) for name in names]
        if _fits(headers, rows, cell, width):
            return headers, rows
    return (numbers, numbered) if _fits(numbers, numbered, cell, width) else None


def _fits(headers: Sequence[str], rows: Sequence[str], cell: int, width: int) -> bool:
    columns = sum(max(cell, len(header) + 1) + 1 for header in headers)
    return max(map(len, rows)) + 1 + columns + len("100.0%") <= width


def _cell(count: float, right: bool) -> Text:
    if right:
        return Text(f"[{count}]", style="bold green")
    return Text(f"{count}\N{NO-BREAK SPACE}", style="red") if count else Text("·\N{NO-BREAK SPACE}", style="dim")


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"


def _mistakes(matrix: Matrix, names: Sequence[str]) -> Table:
    wrong = [
        (count, true, predicted)
        for true, row in enumerate(matrix)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    wrong.sort(key=lambda item: (-item[0], item[1], item[2]))
    table = _bare_table(gap=3)
    table.add_column("true")
    table.add_column("predicted")
    table.add_column("times", justify="right")
    for count, true, predicted in wrong[:_MISTAKES]:
        table.add_row(names[true], names[predicted], f"{count}")
    return table


def _bare_table(gap: int) -> Table:
    return Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
