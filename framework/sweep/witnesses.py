"""All who are told what becomes of the trials of a sweep: the ledger first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from framework.sweep.directors import Directors, Failures, LedgerKeeper, TrialLogs
from framework.sweep.grouping import Group
from framework.sweep.ledger import Ledger
from framework.sweep.members import Audience, Director, Member
from framework.sweep.prepared import Prepared
from framework.sweep.search.deciding import deciding


class Witnesses:
    """The ledger, the trials' logs, who counts failures, who decides, and whoever else looks on.

    Args:
      prepared: what is swept.
      folder: of the sweep; it need not exist before the ledger is first used.
      tell: says a line to whoever watches.
      others: who are told too, and who may decide (pruning, displays).
    """

    def __init__(
        self, prepared: Prepared, folder: Path, tell: Callable[[str], None], others: Sequence[Director]
    ) -> None:
        self.prepared = prepared
        self.folder = folder
        self.tell = tell
        self.failures = Failures(tell)
        self._logs = TrialLogs()
        self._others = tuple(others)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, made on first use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Ledger(self.folder / "ledger.sqlite")

    @cached_property
    def director(self) -> Director:
        """All who are told: the ledger first."""
        keeper = LedgerKeeper(self.ledger, self.prepared.section.objectives)
        decide = deciding(self.prepared.section, self.prepared.space, self.folder, self.ledger.trials)
        return Directors([keeper, self._logs, self.failures, *decide, *self._others])

    @property
    def aside(self) -> Director:
        """Those who look on where other processes keep the ledger and the logs."""
        return Directors([self.failures, *self._others])

    def expect(self, members: Sequence[Member], groups: Sequence[Group], *, here: bool = True) -> None:
        """Say which members are about to run.

        Args:
          here: in this process, which then writes their logs.
        """
        if here:
            self._logs.expect(members)
        self.failures.expect(members)
        for other in self._others:
            if isinstance(other, Audience):
                other.expect(self.prepared.section, groups)
