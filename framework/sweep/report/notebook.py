"""A sweep in a notebook: its best trials as a table, everything out of recipes escaped."""

from __future__ import annotations

from html import escape

from framework.config.validation.wording import as_override
from framework.report.words import number
from framework.sweep.report.gathered import Gathered

_MOST_ROWS = 20


def sweep_html(sweep: Gathered) -> str:
    """The trials, the best first, and the command of the best."""
    heads = ["trial", *(axis.label for axis in sweep.axes), *sweep.objectives, "status", "seconds"]
    rows = []
    for row in sweep.ranked[:_MOST_ROWS]:
        values = [row.parameters.get(axis.key) for axis in sweep.axes]
        cells = [str(row.number), *("" if value is None else as_override(value) for value in values)]
        cells += [number(value) for value in row.objective or ()] or [""] * len(sweep.objectives)
        cells += [row.status.replace("_", " "), "" if row.seconds is None else f"{row.seconds:.1f}"]
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    counts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sweep.counts.items())
    more = len(sweep.rows) - _MOST_ROWS
    best = f"<div><code>{escape(sweep.command(sweep.best))}</code></div>" if sweep.best is not None else ""
    return (
        f"<div><b>Sweep of {escape(sweep.recipe)}</b>: {counts} <code>{escape(str(sweep.folder))}</code></div>{best}"
        f"<table><tr>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>{''.join(rows)}</table>"
        + (f"<div>and {more} more</div>" if more > 0 else "")
    )
