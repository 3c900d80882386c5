"""Trials that run: claimed in the ledger, checked, run group by group by an engine, and let go of."""

from __future__ import annotations

import signal as _signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError, Interrupted
from framework.sweep.checking import check_groups
from framework.sweep.directors import LOG
from framework.sweep.grouping import Group, grouped, swept_keys
from framework.sweep.ledger import Row
from framework.sweep.members import Director, Ending, Member
from framework.sweep.prepared import Prepared
from framework.sweep.roster import Roster
from framework.sweep.witnesses import Witnesses

if TYPE_CHECKING:
    from framework.train.setup import Setup

Elsewhere = Callable[[Sequence[Group], Director], None]
"""Runs groups on other processes, telling the director here of everything."""


class Running:
    """What this process runs of a sweep.

    Args:
      divided: whether members of one program are spread over the cores of a CPU.
    """

    def __init__(
        self, prepared: Prepared, roster: Roster, witnesses: Witnesses, *, divided: Callable[[], bool]
    ) -> None:
        self._prepared = prepared
        self._roster = roster
        self._witnesses = witnesses
        self._divided = divided
        self._setups: dict[int, Setup] = {}
        self._checked: set[int] = set()

    def run(self, jobs: Sequence[Sequence[str]], *, together: bool, elsewhere: Elsewhere | None = None) -> list[Row]:
        """Run jobs that are not over, and give the row of each.

        Args:
          jobs: their overrides as Hydra has them.
          together: members of one program at once; else one after another.
          elsewhere: runs the groups, if not this process.

        Raises:
          Interrupted: a signal asked to stop.
        """
        rows = self._witnesses.ledger.matched([self._prepared.swept(job) for job in jobs])
        mine = set(self._witnesses.ledger.claim([row.number for row in rows]))
        try:
            own = [row for row in rows if row.number in mine]
            members = self._roster.members([row.overrides for row in own], [row.number for row in own])
            groups = grouped(members)
            if together and elsewhere is None:
                self._check_late(groups)
            self._enrol(members, groups)
            self._witnesses.expect(members, groups)
            if elsewhere is not None:
                elsewhere(groups, self._witnesses.director)
                return self._in_order(rows)
            alone = [Group((member,), (), {}) for member in members]
            self._run(groups if together else alone, together)
        finally:
            self._release(mine)
        return self._in_order(rows)

    @property
    def over(self) -> bool:
        """A trial failed, and the sweep was to end there."""
        return self._prepared.section.fail_fast and bool(self._witnesses.failures.numbers)

    def check(self, groups: Sequence[Group]) -> None:
        """Evaluate the first member of each group abstractly; what was learned is kept for when it runs."""
        new = [group for group in groups if group.members[0].number not in self._checked]
        if new:
            self._setups |= check_groups(new, divided=self._divided())
            self._checked.update(group.members[0].number for group in new)

    def _check_late(self, groups: Sequence[Group]) -> None:
        """Check groups that were not known when the sweep began."""
        try:
            self.check(groups)
        except ConfigError:
            if not self._any_begun():
                raise  # else the trials of that group fail, and the others go on

    def _any_begun(self) -> bool:
        return any(row.attempts for row in self._witnesses.ledger.trials())

    def _run(self, groups: Sequence[Group], together: bool) -> None:
        engine = self._engine(together)
        for index, group in enumerate(groups):
            signal = self._witnesses.director.stop_requested()
            if signal is not None:
                raise Interrupted(f"{signal}: stopped", _signal.Signals[signal])
            if self.over:
                return
            if together and len(groups) < len([member for group in groups for member in group.members]):
                count = len(group.members)
                self._witnesses.tell(
                    f"group {index + 1} of {len(groups)}: {count} {'trial' if count == 1 else 'trials'}"
                )
            try:
                engine(group.members, self._witnesses.director)
            except ConfigError as error:
                if not self._any_begun():
                    raise
                for member in group.members:
                    self._witnesses.director.ended(member.number, Ending("failed", {}, 0.0, str(error)))

    def _engine(self, together: bool) -> Callable[[Sequence[Member], Director], None]:
        from framework.sweep import sequential
        from framework.sweep.together import run_together

        population = self._prepared.section.sampler == "pbt"

        def run(members: Sequence[Member], director: Director) -> None:
            # What was checked is let go of with its data when the group is over.
            setup = self._setups.pop(members[0].number, None)
            run_together(members, director, population=population, tell=self._witnesses.tell, setup=setup)

        return run if together else sequential.run_group

    def _enrol(self, members: Sequence[Member], groups: Sequence[Group]) -> None:
        """Write down what is known of members before they run."""
        keys = [axis.key for axis in self._prepared.space.axes]
        traced = swept_keys(groups, keys)
        columns = {}
        for member in members:
            parameters = {key: value for key in keys if (value := _setting(member.loaded, key)) is not None}
            columns[member.number] = {
                "parameters": parameters,
                "traced": {key: traced[key] for key in parameters},
                "path": str(member.path),
                "log": str(member.path / LOG),
            }
        self._witnesses.ledger.tell(columns)

    def _release(self, numbers: set[int]) -> None:
        self._witnesses.ledger.release(list(numbers), "running")

    def _in_order(self, rows: Sequence[Row]) -> list[Row]:
        by_number = {row.number: row for row in self._witnesses.ledger.trials()}
        return [by_number[row.number] for row in rows]


def _setting(loaded: Loaded, key: str) -> Any:
    """The value of an axis' key in a recipe; of a config group the option chosen. None where it has none."""
    choice = loaded.choices.get(key.replace(".", "/"))
    value: Any = loaded.tree
    for part in key.replace("/", ".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return choice[0] if choice is not None and (isinstance(value, dict) or "/" in key) else value
