"""The table of trials as CSV."""

from __future__ import annotations

import csv
import io

from framework.config.validation.wording import as_override
from framework.sweep.report.gathered import Gathered


def trials_csv(sweep: Gathered) -> str:
    """One line a trial, by number: status, the swept keys, the objectives, all metrics, seconds, folder, error."""
    keys = [axis.key for axis in sweep.axes]
    names = list(dict.fromkeys((*sweep.objectives, *(name for row in sweep.rows for name in row.metrics))))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "status", *keys, *names, "seconds", "attempts", "run", "error"])
    for row, status, path in zip(sweep.rows, sweep.statuses, sweep.paths, strict=True):
        values = [as_override(row.parameters[key]) if row.parameters.get(key) is not None else "" for key in keys]
        found = [repr(row.metrics[name]) if name in row.metrics else "" for name in names]
        seconds = "" if row.seconds is None else f"{row.seconds:.3f}"
        where = str(path if path is not None else row.path)
        writer.writerow([row.number, status, *values, *found, seconds, row.attempts, where, row.error])
    return text.getvalue()
