"""Which trials come next: what the sampler proposes, and what it learns of those that are over."""

from __future__ import annotations

from collections.abc import Sequence

from framework.sweep.ledger import Row
from framework.sweep.prepared import Prepared
from framework.sweep.roster import Roster
from framework.sweep.space import Trial
from framework.sweep.witnesses import Witnesses


class Proposals:
    """The sampler of a sweep beside its ledger, which other processes write too."""

    def __init__(self, prepared: Prepared, roster: Roster, witnesses: Witnesses) -> None:
        self._prepared = prepared
        self._roster = roster
        self._witnesses = witnesses
        self._known: set[int] = set()
        self._told: set[tuple[int, str]] = set()

    def first(self) -> list[list[str]]:
        """The first trials of a sweep that is not there yet; nothing is written."""
        assert self._prepared.sampler is not None
        self._prepared.sampler.begin(())
        return self._prepared.sampler.ask(range(self.batch(0)))

    def more(self) -> list[int]:
        """The numbers of new trials, which stand in the ledger now; none where there are enough."""
        count = self.batch(len(self._witnesses.ledger.trials()))
        return [row.number for row in self._witnesses.ledger.propose(count, self.ask)] if count else []

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """What the sampler proposes, seen to be valid recipes. The ledger is locked meanwhile."""
        assert self._prepared.sampler is not None
        self.learn()
        # Another process may have proposed the last ones.
        numbers = numbers[: self.batch(numbers[0])]
        found = self._prepared.sampler.ask(numbers)
        self._roster.load(found, numbers[: len(found)])
        self._known.update(numbers[: len(found)])
        return found

    def learn(self) -> None:
        """Tell the sampler what the ledger knows: of this process and of others."""
        assert self._prepared.sampler is not None
        rows = self._witnesses.ledger.trials()
        new = [row for row in rows if row.number not in self._known]
        over = [row for row in rows if (row.number, row.status) not in self._told and row.ended]
        if new:
            self._prepared.sampler.begin([_trial(row) for row in new])
        if over:
            self._prepared.sampler.tell([_trial(row) for row in over])
        self._known.update(row.number for row in new)
        self._told.update((row.number, row.status) for row in over)

    def batch(self, there: int) -> int:
        """How many trials to propose next, where some are there."""
        section, space = self._prepared.section, self._prepared.space
        sampler = self._prepared.sampler
        total = section.trials if section.trials is not None else space.size
        assert total is not None
        assert sampler is not None
        return max(0, min(total - there, section.batch or sampler.at_once or total))


def _trial(row: Row) -> Trial:
    return Trial(row.number, row.overrides, row.status, row.objective)
