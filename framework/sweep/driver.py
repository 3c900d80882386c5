"""Runs a sweep from a request to its result: sampler, launcher, groups, engine, with the ledger as its memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.config.compose.sweeping import StoppedError
from framework.config.compose.text import difference
from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Interrupted, Problem, RunError
from framework.core.keypaths import flatten
from framework.sweep.directors import Heartbeat, Signals
from framework.sweep.engines.launchers import check_launcher
from framework.sweep.grouping import Group, grouped, swept_keys
from framework.sweep.launcher import TrialError, register, task_of
from framework.sweep.ledger import FILE, Row
from framework.sweep.members import Director
from framework.sweep.objective import best, ranked
from framework.sweep.prepared import Prepared, Request, prepare
from framework.sweep.samplers import Grid
from framework.sweep.session import Session

LAUNCHER = "vectorized"
HARMLESS = ("report", "parallel", "run", "sweep", "checkpoint.keep")
"""Settings of the recipe that may differ when a sweep is taken up again."""


@dataclass(frozen=True, eq=False)
class Result:
    """What a sweep came to.

    Attributes:
      folder: of the sweep.
      rows: every trial, by number.
      fixed: overrides that every trial has.
      stopped: trials were left because one failed and the sweep was to end there.
    """

    prepared: Prepared
    folder: Path
    rows: tuple[Row, ...]
    stopped: bool

    @property
    def section(self) -> Sweep:
        """The sweep's settings."""
        return self.prepared.section

    @property
    def ranked(self) -> list[Row]:
        """Every trial, the best first."""
        return ranked(self.rows, self.section)

    @property
    def best(self) -> Row | None:
        """The best trial; None where none is done."""
        return best(self.rows, self.section)

    @property
    def failed(self) -> list[Row]:
        """Trials that neither ended nor may be left: failed, and out of memory."""
        return [row for row in self.rows if row.status in ("failed", "out_of_memory")]

    def overrides(self, row: Row) -> list[str]:
        """All overrides of a trial, as one would type them."""
        return self.prepared.overrides(row.overrides)


@dataclass(frozen=True, eq=False)
class Plan:
    """What a sweep would run.

    Attributes:
      traced: swept key -> whether it is traced.
      groups: of the trials that are known before any has run.
      trials: how many there will be in all.
    """

    prepared: Prepared
    traced: Mapping[str, bool]
    groups: Sequence[Group]
    trials: int


def plan(request: Request) -> Plan:
    """What a sweep would run: its first trials, grouped. JAX is not loaded and nothing is written.

    Raises:
      ConfigError: as for `sweep`.
    """
    register()
    prepared = prepare(request)
    if prepared.sampler is None:
        found = "a sweeper of Hydra's proposes its trials while it runs"
        expected, fix = "the project's own sweeper, for a plan", "leave out hydra/sweeper, or the plan"
        raise ConfigError(Problem("hydra/sweeper", found, expected, fix=fix), f"recipe {prepared.name}")
    session, _ = _session(prepared, prepared.folder())
    members = session.members(found := session.begin(), range(len(found)))
    groups = grouped(members)
    section = prepared.section
    total = section.trials if section.trials is not None else len(found)
    if section.sampler == "grid" and prepared.space.size is not None:
        total = min(total, prepared.space.size)
    return Plan(prepared, swept_keys(groups, [axis.key for axis in prepared.space.axes]), groups, total)


def sweep(
    request: Request,
    *,
    tell: Callable[[str], None] = lambda line: None,
    directors: Sequence[Director] = (),
) -> Result:
    """Run a sweep, or what is left of one.

    Args:
      tell: says a line to whoever watches.
      directors: told of everything besides the ledger; they may decide, and stand behind it in order.

    Raises:
      ConfigError: something is wrong with the recipe, an override, the space or a trial; nothing has run.
      RunError: the folder holds another sweep.
      Interrupted: a signal asked to stop; trials that ran have saved themselves.
    """
    register()
    prepared = prepare(request)
    folder = prepared.folder()
    from framework.train.signals import StopSignals

    with StopSignals() as signals:
        others = [Signals(lambda: signals.received), *directors]
        session, given = _session(prepared, folder, tell=tell, directors=others)
        check_launcher(session.config.hydra.launcher, prepared.section)
        _take_up(prepared, folder, session)
        try:
            with Heartbeat(session.ledger):
                prepared.jobs.multirun(task_of(request, folder, session), given)
        except TrialError:
            pass  # a sweeper of Hydra's came upon a trial without objective; the ledger has it
        except StoppedError as stopped:
            raise _interrupted(stopped.error, folder) from None
        except Interrupted as stopped:
            raise _interrupted(stopped, folder) from None
    rows = tuple(session.ledger.trials())
    return Result(prepared, folder, rows, prepared.section.fail_fast and bool(session.failures.numbers))


def _session(prepared: Prepared, folder: Path, **others: Any) -> tuple[Session, list[str]]:
    given = prepared.given(folder, LAUNCHER)
    return Session(prepared, folder, prepared.jobs.configuration(given), **others), given


def _interrupted(error: BaseException, folder: Path) -> BaseException:
    if not isinstance(error, Interrupted):
        return error
    what = str(error).splitlines()[0].partition(";")[0]
    return Interrupted(f"{what}; the same command with sweep.dir={folder} goes on from there", error.exit_code - 128)


def _take_up(prepared: Prepared, folder: Path, session: Session) -> None:
    """See that the folder is new or holds this very sweep, perhaps with more trials; what is wrong is told first.

    Raises:
      ConfigError: a trial is not a valid recipe; nothing was written.
      RunError: the folder holds another sweep, or something else.
    """
    meta = _meta(prepared)
    if (folder / FILE).is_file():
        kept = session.ledger.meta()
        if kept:
            changes = _changes(prepared, kept, meta, session)
            if changes:
                found = "holds another sweep:\n  " + "\n  ".join(changes)
                expected = "the sweep that it was begun with; more trials may be added"
                raise RunError(Problem(str(folder), found, expected, fix="sweep.dir=PATH with another path"))
    elif prepared.sampler is not None:
        session.check(session.begin())
    session.ledger.describe(meta)


def _meta(prepared: Prepared) -> dict[str, Any]:
    section = prepared.section
    keys = [axis.key.replace("/", ".") for axis in prepared.space.axes]
    base = {
        key: value
        for key, value in flatten(prepared.base).items()
        if not _below(key, HARMLESS) and not _below(key, keys)
    }
    return {
        "recipe": prepared.name,
        "command": _command(prepared),
        "base": base,
        "space": prepared.space.declaration(),
        "sampler": section.sampler if prepared.sampler is not None else "hydra",
        "seed": section.seed,
        "objective": list(section.objectives),
        "direction": list(section.directions),
        "stages": list(prepared.stages),
        "trials": section.trials,
    }


def _command(prepared: Prepared) -> list[str]:
    """What runs one trial alone, but for the overrides of its axes."""
    request = prepared.request
    options = [word for folder in request.config_dirs for word in ("--config-dir", str(folder))]
    options += [word for prefix in request.trust for word in ("--trust", prefix)]
    return ["fw", "run", request.recipe, *options, *prepared.fixed]


def _changes(prepared: Prepared, kept: Mapping[str, Any], now: Mapping[str, Any], session: Session) -> list[str]:
    """How the sweep differs from the one that is there, a line each."""
    lines = []
    for key in ("recipe", "sampler", "objective", "direction", "stages"):
        if kept.get(key) != now[key]:
            lines.append(f"{key}: {json.dumps(kept.get(key))} -> {json.dumps(now[key])}")
    if now["sampler"] != "grid" and kept.get("seed") != now["seed"]:
        lines.append(f"sweep.seed: {kept.get('seed')} -> {now['seed']}")
    before, after = kept.get("space", {}), now["space"]
    if before != after and not _extended(prepared, session):
        lines += [f"{key}: {old!r} -> {new!r}" for key, old, new in difference(before, after)]
    plain = json.loads(json.dumps(now["base"]))
    axes = {key.lstrip("+").replace("/", ".") for key in (*before.get("axes", {}), *after.get("axes", {}))}
    for key, old, new in difference(kept.get("base", {}), plain):
        if not _below(key, tuple(axes)):
            lines.append(f"{key}: {old!r} -> {new!r}")
    return lines


def _extended(prepared: Prepared, session: Session) -> bool:
    """Whether every trial that there is belongs to the space as it is now, of which then only more is to be tried."""
    if not isinstance(prepared.sampler, Grid):
        return False
    space = set(prepared.sampler.all())
    return all(row.overrides in space for row in session.ledger.trials())


def _below(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)
