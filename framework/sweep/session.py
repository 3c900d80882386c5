"""A sweep that runs: trials out of the ledger become members, members go to an engine in groups, endings come back."""

from __future__ import annotations

import signal as _signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from framework.config.compose.jobs import numbering
from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError, Interrupted, Problem
from framework.sweep.checking import check_elsewhere, check_groups
from framework.sweep.directors import LOG, Directors, Failures, LedgerKeeper, TrialLogs
from framework.sweep.grouping import Group, grouped, swept_keys
from framework.sweep.ledger import Ledger, Row
from framework.sweep.members import Audience, Director, Ending, Member
from framework.sweep.prepared import Prepared
from framework.sweep.search.deciding import deciding
from framework.sweep.search.suited import check_members
from framework.sweep.space import Trial

if TYPE_CHECKING:
    from framework.train.setup import Setup

Launch = Callable[[Sequence[Sequence[str]], int], Any]
"""Hydra's `Launcher.launch`: the jobs' overrides, and the number of the first."""

Elsewhere = Callable[[Sequence[Group], Director], None]
"""Runs groups on other processes, telling the director here of everything."""

_SUBDIR = "${hydra:job.num}"
_HERE = ("vectorized", "basic")
"""Launchers that run trials in this process."""


class Session:
    """One process at work on a sweep.

    Args:
      prepared: what is swept.
      folder: the folder of the sweep; it need not exist before `open`.
      tell: says a line to whoever watches.
      directors: others who are told, and who may decide (pruning, displays).
      config: Hydra's configuration of the sweep.
      vectorized: members of one program run together.
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
        self._others = tuple(directors)
        self._loaded: dict[tuple[str, ...], Loaded] = {}
        self._paths: dict[int, Path] = {}
        self._logs = TrialLogs()
        self.failures = Failures(tell)
        self.mine: set[int] = set()
        self._known: set[int] = set()
        self._told: set[tuple[int, str]] = set()
        self._launched: Counter[int] = Counter()
        self._setups: dict[int, Setup] = {}
        self._checked: set[int] = set()

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

    # Loading

    def load(self, swept: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[Loaded]:
        """The recipes of trials by the overrides of their axes; kept, for when they run.

        Raises:
          ConfigError: with every problem of every trial.
        """
        keys = [(*map(str, overrides), f"#{number}") for overrides, number in zip(swept, numbers, strict=True)]
        new = [index for index, key in enumerate(keys) if key not in self._loaded]
        if new:
            jobs = [self.prepared.overrides(swept[index]) for index in new]
            found = self.prepared.jobs.load_all(
                jobs, [swept[index] for index in new], self.config, numbers=[numbers[index] for index in new]
            )
            self._loaded |= {keys[index]: loaded for index, loaded in zip(new, found, strict=True)}
        return [self._loaded[key] for key in keys]

    def members(self, swept: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[Member]:
        """The members of trials.

        Raises:
          ConfigError: a recipe is not valid, or two would share a run directory.
        """
        found = []
        for overrides, number, loaded in zip(swept, numbers, self.load(swept, numbers), strict=True):
            path = Path(loaded.config.run.dir) if loaded.config.run.dir else self._path(overrides, number)
            found.append(Member(number, _at(loaded, path, self.prepared.stages), path))
        self._refuse_shared(found)
        return found

    def _path(self, swept: Sequence[str], number: int) -> Path:
        if number not in self._paths:
            written = OmegaConf.to_container(self.config.hydra.sweep, resolve=False)
            assert isinstance(written, dict)
            subdir = str(number) if written["subdir"] == _SUBDIR else self._composed_subdir(swept, number)
            self._paths[number] = self.folder / subdir
        return self._paths[number]

    def _composed_subdir(self, swept: Sequence[str], number: int) -> str:
        """A folder's name that Hydra makes out of the job's overrides, which takes a composition of its own."""
        jobs = self.prepared.jobs
        config = jobs.sweep_configuration(self.config, self.prepared.for_hydra(swept))
        with numbering(config) as give:
            give(number)
            return str(OmegaConf.select(config, "hydra.sweep.subdir"))

    def _refuse_shared(self, members: Sequence[Member]) -> None:
        by_path: dict[Path, Member] = {}
        for member in members:
            other = by_path.setdefault(member.path, member)
            if other is not member:
                found = f"trials {other.number} and {member.number} have the same run directory, {member.path}"
                origin = member.loaded.origins.get("run.dir")
                fix = "leave out run.dir, or run.dir='runs/mine/${hydra:job.num}'"
                raise ConfigError(
                    Problem("run.dir", found, "one for each", origin, fix), self.prepared.jobs.recipe.subject
                )

    # Searching

    def search(self, launch: Launch) -> None:
        """Propose trials and launch them until nothing is left; first those that a process which is gone left."""
        section, sampler = self.prepared.section, self.prepared.sampler
        assert sampler is not None
        if section.workers > 1:
            self._share(section.workers)
        sampler.open(self.folder)
        try:
            while not self._over():
                waiting = [row.number for row in self.ledger.trials() if row.open or self._again(row)]
                numbers = waiting or self._proposed()
                if not numbers:
                    return
                self._round(numbers, launch)
                self._learn()
        finally:
            sampler.close()

    def _share(self, workers: int) -> None:
        """Let several processes do what they can; what one that died left is then done here."""
        from framework.sweep.search.following import Following
        from framework.sweep.search.workers import run_workers

        batch = -(-self._batch(0) // workers)
        following = Following(self.ledger.trials, self._expect, Directors([self.failures, *self._others]))
        try:
            run_workers(
                self.prepared.request,
                self.folder,
                workers,
                batch,
                lambda: self.director.stop_requested(),
                self.tell,
                following.look,
            )
        finally:
            following.look(last=True)

    def _expect(self, rows: Sequence[Row]) -> None:
        """Tell of trials that another process is about to run."""
        members = self.members([row.overrides for row in rows], [row.number for row in rows])
        self.failures.expect(members)
        self._announce(grouped(members))

    def _announce(self, groups: Sequence[Group]) -> None:
        for other in self._others:
            if isinstance(other, Audience):
                other.expect(self.prepared.section, groups)

    def _proposed(self) -> list[int]:
        count = self._batch(len(self.ledger.trials()))
        return [row.number for row in self.ledger.propose(count, self.ask)] if count else []

    def ask(self, numbers: Sequence[int]) -> list[list[str]]:
        """What the sampler proposes, seen to be valid recipes. The ledger is locked meanwhile."""
        assert self.prepared.sampler is not None
        self._learn()
        # Another process may have proposed the last ones.
        numbers = numbers[: self._batch(numbers[0])]
        found = self.prepared.sampler.ask(numbers)
        self.load(found, numbers[: len(found)])
        self._known.update(numbers[: len(found)])
        return found

    def _learn(self) -> None:
        """Tell the sampler what the ledger knows: of this process and of others."""
        assert self.prepared.sampler is not None
        rows = self.ledger.trials()
        new = [row for row in rows if row.number not in self._known]
        over = [row for row in rows if (row.number, row.status) not in self._told and row.ended]
        if new:
            self.prepared.sampler.begin([_trial(row) for row in new])
        if over:
            self.prepared.sampler.tell([_trial(row) for row in over])
        self._known.update(row.number for row in new)
        self._told.update((row.number, row.status) for row in over)

    def begin(self) -> list[list[str]]:
        """The first trials of a sweep that is not there yet; nothing is written.

        Raises:
          ConfigError: one of them is not a valid recipe.
        """
        assert self.prepared.sampler is not None
        self.prepared.sampler.begin(())
        found = self.prepared.sampler.ask(range(self._batch(0)))
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
            self._check(groups)
        elif len(groups) > 1:  # a mistake in the only one is told by who runs it
            check_elsewhere(groups)

    def _check(self, groups: Sequence[Group]) -> None:
        new = [group for group in groups if group.members[0].number not in self._checked]
        if new:
            self._setups |= check_groups(new, divided=self._launcher != "basic")
            self._checked.update(group.members[0].number for group in new)

    @property
    def _launcher(self) -> str:
        """The option of Hydra's group that was chosen."""
        return str(self.config.hydra.runtime.choices["hydra/launcher"])

    def _batch(self, there: int) -> int:
        """How many trials to propose next, where some are there."""
        section, space = self.prepared.section, self.prepared.space
        sampler = self.prepared.sampler
        total = section.trials if section.trials is not None else space.size
        assert total is not None
        assert sampler is not None
        return max(0, min(total - there, section.batch or sampler.at_once or total))

    def _again(self, row: Row) -> bool:
        retries = self.prepared.section.retries
        return row.status == "failed" and row.attempts <= retries and self._launched[row.number] <= retries

    def _over(self) -> bool:
        return self.prepared.section.fail_fast and bool(self.failures.numbers)

    def _round(self, numbers: Sequence[int], launch: Launch) -> None:
        while True:
            rows = [row for row in self.ledger.trials() if row.number in set(numbers)]
            again = [row.number for row in rows if self._again(row)]
            self.ledger.release(again, "failed")
            waiting = [row for row in rows if row.open or row.number in again]
            if not waiting or self._over():
                break
            self._launched.update(row.number for row in waiting)
            launch([self.prepared.for_hydra(row.overrides) for row in waiting], waiting[0].number)
            if all(self.prepared.section.retries < row.attempts for row in self._now(waiting)):
                break

    def _now(self, rows: Sequence[Row]) -> list[Row]:
        numbers = {row.number for row in rows}
        return [row for row in self.ledger.trials() if row.number in numbers]

    # Running

    def run(self, jobs: Sequence[Sequence[str]], *, together: bool, elsewhere: Elsewhere | None = None) -> list[Row]:
        """Run jobs that are not over, and give the row of each.

        Args:
          jobs: their overrides as Hydra has them.
          together: members of one program at once; else one after another.
          elsewhere: runs the groups, if not this process.

        Raises:
          Interrupted: a signal asked to stop.
        """
        rows = self.ledger.matched([self.prepared.swept(job) for job in jobs])
        mine = set(self.ledger.claim([row.number for row in rows]))
        self.mine |= mine
        try:
            own = [row for row in rows if row.number in mine]
            members = self.members([row.overrides for row in own], [row.number for row in own])
            groups = grouped(members)
            if together and elsewhere is None:
                self._check_late(groups)
            self._enrol(members, groups)
            self._logs.expect(members)
            self.failures.expect(members)
            self._announce(groups)
            if elsewhere is not None:
                elsewhere(groups, self.director)
                return self._in_order(rows)
            alone = [Group((member,), (), {}) for member in members]
            self._run(groups if together else alone, together)
        finally:
            self._release(mine)
        return self._in_order(rows)

    def _check_late(self, groups: Sequence[Group]) -> None:
        """Check groups that were not known when the sweep began."""
        try:
            self._check(groups)
        except ConfigError:
            if not self._any_begun():
                raise  # else the trials of that group fail, and the others go on

    def _any_begun(self) -> bool:
        return any(row.attempts for row in self.ledger.trials())

    def _run(self, groups: Sequence[Group], together: bool) -> None:
        engine = self._engine(together)
        for index, group in enumerate(groups):
            signal = self.director.stop_requested()
            if signal is not None:
                raise Interrupted(f"{signal}: stopped", _signal.Signals[signal])
            if self._over():
                return
            if together and len(groups) < len([member for group in groups for member in group.members]):
                count = len(group.members)
                self.tell(f"group {index + 1} of {len(groups)}: {count} {'trial' if count == 1 else 'trials'}")
            try:
                engine(group.members, self.director)
            except ConfigError as error:
                if not self._any_begun():
                    raise
                for member in group.members:
                    self.director.ended(member.number, Ending("failed", {}, 0.0, str(error)))

    def _engine(self, together: bool) -> Callable[[Sequence[Member], Director], None]:
        from framework.sweep import sequential
        from framework.sweep.together import run_together

        population = self.prepared.section.sampler == "pbt"

        def run(members: Sequence[Member], director: Director) -> None:
            # What was checked is let go of with its data when the group is over.
            setup = self._setups.pop(members[0].number, None)
            run_together(members, director, population=population, tell=self.tell, setup=setup)

        return run if together else sequential.run_group

    def _enrol(self, members: Sequence[Member], groups: Sequence[Group]) -> None:
        """Write down what is known of members before they run."""
        keys = [axis.key for axis in self.prepared.space.axes]
        traced = swept_keys(groups, keys)
        columns = {}
        for member in members:
            parameters = {key: value for key in keys if (value := setting(member.loaded, key)) is not None}
            columns[member.number] = {
                "parameters": parameters,
                "traced": {key: traced[key] for key in parameters},
                "path": str(member.path),
                "log": str(member.path / LOG),
            }
        self.ledger.tell(columns)

    def _release(self, numbers: set[int]) -> None:
        self.ledger.release(list(numbers), "running")

    def _in_order(self, rows: Sequence[Row]) -> list[Row]:
        by_number = {row.number: row for row in self.ledger.trials()}
        return [by_number[row.number] for row in rows]


def setting(loaded: Loaded, key: str) -> Any:
    """The value of an axis' key in a recipe; of a config group the option chosen. None where it has none."""
    choice = loaded.choices.get(key.replace(".", "/"))
    value: Any = loaded.tree
    for part in key.replace("/", ".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return choice[0] if choice is not None and (isinstance(value, dict) or "/" in key) else value


def _at(loaded: Loaded, path: Path, stages: tuple[str, ...]) -> Loaded:
    """The recipe in its run directory, with the stages that the sweep has."""
    run = loaded.config.run.model_copy(update={"dir": str(path), "stages": stages})
    section = {**(loaded.tree.get("run") or {}), "dir": str(path), "stages": list(stages)}
    return replace(loaded, config=loaded.config.model_copy(update={"run": run}), tree={**loaded.tree, "run": section})


def _trial(row: Row) -> Trial:
    return Trial(row.number, row.overrides, row.status, row.objective)
