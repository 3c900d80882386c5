"""Trials that no other one beats in every objective."""

from __future__ import annotations

import numpy as np

from framework.sweep.report.gathered import Gathered


def front(sweep: Gathered) -> list[int]:
    """The places of the trials that are done and of which no other is at least as good in all objectives and better in
    one."""
    done = [index for index, row in enumerate(sweep.rows) if row.status == "done" and row.objective is not None]
    signs = [1.0 if direction == "minimize" else -1.0 for direction in sweep.section.directions]
    costs = np.array([np.multiply(sweep.rows[index].objective or (), signs) for index in done])
    beaten = [bool(((costs <= own).all(axis=1) & (costs < own).any(axis=1)).any()) for own in costs]
    return [index for index, worse in zip(done, beaten, strict=True) if not worse]
