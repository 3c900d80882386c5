"""The run directories of the members of a group: opened together, and filled as runs alone would fill them."""

from __future__ import annotations

import json
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.build.state import State
from framework.checkpoint import Checkpoints, slices
from framework.core.files import write_together
from framework.report.jsonl import MetricLog
from framework.sweep.members import Member
from framework.sweep.vectorized.texts import Texts
from framework.train.directory import RunDirectory
from framework.train.environment import environment
from framework.train.lock import RunLock
from framework.train.progress import Progress

_SPARE_FILES = 256


@dataclass
class Home:
    """A member's run directory, locked, and what an earlier process left in it.

    Attributes:
      directory: the run directory.
      progress: of the newest checkpoint; None before the first.
      step: of that checkpoint, or 0.
      last: its state.
      best: the best state that was marked, with its progress.
    """

    directory: RunDirectory
    progress: Progress | None = None
    step: int = 0
    last: State | None = None
    best: tuple[State, dict[str, Any]] | None = None


def open_homes(members: Sequence[Member], facts: Mapping[str, Any], like: State) -> list[Home]:
    """Takes hold of the members' run directories and reads what is in them.

    Args:
      facts: the content of `data.json`.
      like: the abstract state of one member.

    Raises:
      RunError: one is in use, or holds something else.
    """
    _allow_open_files(len(members))
    texts, files = Texts(), {}
    homes: list[Home] = []
    around = json.dumps(environment(), indent=2) + "\n"
    about = json.dumps(dict(facts), indent=2) + "\n"
    try:
        for member in members:
            tree = member.loaded.config.model_dump(mode="json")
            text = texts.text(tree)
            fresh = not member.path.exists() or not any(member.path.iterdir())
            if fresh:
                member.path.mkdir(parents=True, exist_ok=True)
                directory = RunDirectory(member.path, resumed=False, lock=RunLock(member.path))
                files[directory.config] = text
            else:
                directory = RunDirectory.create_or_resume(member.path, tree, yaml_text=text)
            homes.append(Home(directory))
            if not (directory.path / "environment.json").exists():
                files[directory.path / "environment.json"] = around
            files[directory.path / "data.json"] = about
            if not fresh:
                _take_up(homes[-1], member, like)
        write_together(files)
    except BaseException:
        close_homes(homes)
        raise
    finally:
        slices.forget()
    return homes


def close_homes(homes: Sequence[Home]) -> None:
    """Lets go of the run directories."""
    for home in homes:
        home.directory.close()


def _take_up(home: Home, member: Member, like: State) -> None:
    section = member.loaded.config.checkpoint
    if section.enabled and home.directory.checkpoints.is_dir():
        with Checkpoints(home.directory.checkpoints, keep=section.keep, asynchronous=False) as checkpoints:
            if checkpoints.latest() is not None:
                last, progress = checkpoints.restore(None, like)
                home.last, home.progress, home.step = last, Progress.from_json(progress), int(last.step)
                best = home.progress.best_step
                if best is not None and checkpoints.best() == best:
                    home.best = checkpoints.restore(best, like)
    MetricLog(home.directory.metrics).truncate_after(home.step)


def _allow_open_files(locks: int) -> None:
    """Each lock is an open file, and the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = locks + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
