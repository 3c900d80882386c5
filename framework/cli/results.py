"""Metrics on the terminal: a table of numbers, and a matrix where a metric is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WIDEST_MATRIX = 24  # classes; a larger matrix is left to result.json


def print_metrics(split: str, metrics: Mapping[str, Any], step: int | None, names: Sequence[str] | None) -> None:
    """Print the results on one split.

    Args:
      metrics: name -> number, or rows of a matrix.
      step: the checkpoint's step.
      names: of the classes, for matrices.
    """
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.report.words import number

    say(f"{split}{f', checkpoint of step {step:,}' if step is not None else ''}", style="bold")
    scalars = [(f"  {name}", number(value)) for name, value in metrics.items() if not isinstance(value, list)]
    table(("  metric", "value"), scalars, right=("value",))
    for name, value in metrics.items():
        if isinstance(value, list) and value and isinstance(value[0], list):
            _matrix(name, value, names)
    say()


def _matrix(name: str, rows: Sequence[Sequence[float]], names: Sequence[str] | None) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table

    say()
    if len(rows) > WIDEST_MATRIX:
        say(f"  {name}: {len(rows)} x {len(rows[0])}, in result.json")
        return
    titles = [str(title) for title in (names or range(len(rows)))]
    say(f"  {name}: row is the true class, column the predicted one", style="dim")
    cells = [
        (f"  {title}", *(f"{value:g}" if value else "." for value in row))
        for title, row in zip(titles, rows, strict=True)
    ]
    table(("", *titles), cells, right=titles, styles=["dim"])
