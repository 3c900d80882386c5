"""Writes the report of a sweep: the page, the pictures and the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framework.core.files import unwritable, write_atomically
from framework.report.figures import missing
from framework.sweep.report.curves import read_curves
from framework.sweep.report.gathered import Gathered, gather
from framework.sweep.report.groupings import groupings
from framework.sweep.report.importance import importance
from framework.sweep.report.page import page
from framework.sweep.report.payload import payload
from framework.sweep.report.trials_csv import trials_csv

FOLDER, PAGE, TABLE = "report", "index.html", "trials.csv"


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
      page: the HTML file.
      table: the CSV.
      pictures: the PNGs.
      missing: what could not be drawn, and what to install; else empty.
      sweep: what it tells of.
    """

    page: Path
    table: Path
    pictures: tuple[Path, ...]
    missing: str
    sweep: Gathered


def write_report(folder: Path, file: Path | None = None) -> Report:
    """Write the report of a sweep, which may still run.

    Args:
      folder: of the sweep.
      file: where the page goes; by default `report/index.html` in the folder, where the rest goes in any case.

    Raises:
      RunError: the folder holds no sweep, or a file cannot be written.
    """
    sweep = gather(folder)
    home = folder / FOLDER
    target = file if file is not None else home / PAGE
    for parent in (home, target.parent):
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(parent, error) from error
    weights = importance(sweep)
    curves = read_curves(sweep.paths, sweep.objectives)
    grouped = groupings(sweep, list(weights.shares))
    write_atomically(target, page(payload(sweep, curves, grouped, weights, target)))
    write_atomically(home / TABLE, trials_csv(sweep))
    lacking = missing() or ""
    pictures: tuple[Path, ...] = ()
    if not lacking:
        from framework.sweep.report.pictures import draw

        pictures = draw(sweep, curves, grouped[0], weights, home)
    return Report(target, home / TABLE, pictures, lacking, sweep)
