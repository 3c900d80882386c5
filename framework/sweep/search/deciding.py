"""Who decides about members on their way: the pruner of a sweep, or the exchange of its population."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from framework.config.schema.sweep import Sweep
from framework.sweep.ledger import Row
from framework.sweep.members import Director
from framework.sweep.search.curves import Curves
from framework.sweep.search.population import Exchange
from framework.sweep.search.pruning import Pruning
from framework.sweep.search.rules import rule_of
from framework.sweep.space import Space


def deciding(section: Sweep, space: Space, folder: Path, rows: Callable[[], Sequence[Row]]) -> list[Director]:
    """The directors that a sweep's settings ask for.

    Args:
      folder: of the sweep.
      rows: gives its trials.
    """
    sign = 1.0 if section.directions[0] == "minimize" else -1.0
    if section.sampler == "pbt":
        return [Exchange(space, section, Curves(folder, sign), rows)]
    rule = rule_of(section)
    return [] if rule is None else [Pruning(Curves(folder, sign), rule, section.objectives[0])]
