"""A sweep that runs: trials out of the ledger become members, members go to an engine in groups, endings come back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from framework.sweep.checking import check_elsewhere
from framework.sweep.directors import Failures
from framework.sweep.grouping import grouped
from framework.sweep.ledger import Ledger, Row
from framework.sweep.members import Director, Member
from framework.sweep.prepared import Prepared
from framework.sweep.proposals import Proposals
from framework.sweep.roster import Roster
from framework.sweep.running import Elsewhere, Running
from framework.sweep.search.suited import check_members
from framework.sweep.witnesses import Witnesses

Launch = Callable[[Sequence[Sequence[str]], int], Any]
"""Hydra's `Launcher.launch`: the jobs' overrides, and the number of the first."""

_HERE = ("vectorized", "basic")
"""Launchers that run trials in this process."""


class Session:
    """One process at work on a sweep.

    Args:
      prepared: what is swept.
      folder: the folder of the sweep; it need not exist before the ledger is first used.
      config: Hydra's configuration of the sweep.
      tell: says a line to whoever watches.
      directors: others who are told, and who may decide (pruning, displays).
    """

    def __init__(
        self,
        prepared: Prepared,
        folder: Path,
        config: DictConfig,
        *,
        tell: Callable[[str], None] = lambda line: None,
        directors: Sequence[Director] = (),
    ) -> None:
        self.prepared = prepared
        self.folder = folder
        self.config = config
        self.tell = tell
        self._roster = Roster(prepared, folder, config)
        self._witnesses = Witnesses(prepared, folder, tell, directors)
        self._proposals = Proposals(prepared, self._roster, self._witnesses)
        self._running = Running(prepared, self._roster, self._witnesses, divided=lambda: self._launcher != "basic")
        self._launched: Counter[int] = Counter()

    @property
    def ledger(self) -> Ledger:
        """The ledger, made on first use."""
        return self._witnesses.ledger

    @property
    def failures(self) -> Failures:
        """Which trials failed."""
        return self._witnesses.failures

    def members(self, swept: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[Member]:
        """The members of trials.

        Raises:
          ConfigError: a recipe is not valid, or two would share a run directory.
        """
        return self._roster.members(swept, numbers)

    def begin(self) -> list[list[str]]:
        """The first trials of a sweep that is not there yet; nothing is written.

        Raises:
          ConfigError: one of them is not a valid recipe.
        """
        found = self._proposals.first()
        members = self.members(found, range(len(found)))
        check_members(self.prepared.section, self.prepared.space, members, self._launcher)
        return found

    def check(self, swept: Sequence[Sequence[str]]) -> None:
        """Evaluate one trial of each group abstractly; what is found wrong with any is told at once.

        Args:
          swept: the first trials, as `begin` gives them.

        Raises:
          ConfigError: one does not fit together.
        """
        groups = grouped(self.members(swept, range(len(swept))))
        if self.prepared.section.workers == 1 and self._launcher in _HERE:
            self._running.check(groups)
        elif len(groups) > 1:  # a mistake in the only one is told by who runs it
            check_elsewhere(groups)

    def search(self, launch: Launch) -> None:
        """Propose trials and launch them until nothing is left; first those that a process which is gone left."""
        section, sampler = self.prepared.section, self.prepared.sampler
        assert sampler is not None
        if section.workers > 1:
            self._share(section.workers)
        sampler.open(self.folder)
        try:
            while not self._running.over:
                waiting = [row.number for row in self.ledger.trials() if row.open or self._again(row)]
                numbers = waiting or self._proposals.more()
                if not numbers:
                    return
                self._round(numbers, launch)
                self._proposals.learn()
        finally:
            sampler.close()

    def _share(self, workers: int) -> None:
        """Let several processes do what they can; what one that died left is then done here."""
        from framework.sweep.search.following import Following
        from framework.sweep.search.workers import run_workers

        batch = -(-self._proposals.batch(0) // workers)
        following = Following(self.ledger.trials, self._expect, self._witnesses.aside)
        try:
            run_workers(
                self.prepared.request,
                self.folder,
                workers,
                batch,
                self._witnesses.director.stop_requested,
                self.tell,
                following.look,
            )
        finally:
            following.look(last=True)

    def _expect(self, rows: Sequence[Row]) -> None:
        """Tell of trials that another process is about to run."""
        members = self.members([row.overrides for row in rows], [row.number for row in rows])
        self._witnesses.expect(members, grouped(members), here=False)

    def _again(self, row: Row) -> bool:
        retries = self.prepared.section.retries
        return row.status == "failed" and row.attempts <= retries and self._launched[row.number] <= retries

    def _round(self, numbers: Sequence[int], launch: Launch) -> None:
        while True:
            rows = [row for row in self.ledger.trials() if row.number in set(numbers)]
            again = [row.number for row in rows if self._again(row)]
            self.ledger.release(again, "failed")
            waiting = [row for row in rows if row.open or row.number in again]
            if not waiting or self._running.over:
                break
            self._launched.update(row.number for row in waiting)
            launch([self.prepared.for_hydra(row.overrides) for row in waiting], waiting[0].number)
            if all(self.prepared.section.retries < row.attempts for row in self._now(waiting)):
                break

    def _now(self, rows: Sequence[Row]) -> list[Row]:
        numbers = {row.number for row in rows}
        return [row for row in self.ledger.trials() if row.number in numbers]

    def run(self, jobs: Sequence[Sequence[str]], *, together: bool, elsewhere: Elsewhere | None = None) -> list[Row]:
        """Run jobs that are not over, and give the row of each; see `Running.run`."""
        return self._running.run(jobs, together=together, elsewhere=elsewhere)

    @property
    def _launcher(self) -> str:
        """The option of Hydra's group that was chosen."""
        return str(self.config.hydra.runtime.choices["hydra/launcher"])
