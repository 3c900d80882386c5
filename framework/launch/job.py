"""What is launched: a validated recipe, how many processes, and the run directory that all attempts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework.config.compose.loaded import Loaded

HIDDEN = ".launch"
"""Folder inside the run directory; hidden, since a run refuses a folder that holds something else than a run."""


@dataclass(frozen=True)
class Job:
    """A recipe to be run by several processes.

    Attributes:
      loaded: the recipe, validated.
      recipe: as typed.
      verb: `run` or `train`.
      processes: how many.
      run_dir: the run directory, the same for every process and every restart.
      options: words for `fw` besides the recipe and its overrides (`--trust`, `--config-dir`).
    """

    loaded: Loaded
    recipe: str
    verb: str
    processes: int
    run_dir: PurePosixPath
    options: tuple[str, ...] = ()

    def words(self, recipe: str | None = None, overrides: Sequence[str] | None = None) -> tuple[str, ...]:
        """What follows `python -m framework`; with another recipe or other overrides where the job is told them."""
        given = self.loaded.overrides if overrides is None else overrides
        kept = (text for text in given if not text.lstrip("+").startswith(("run.dir=", "parallel.hosts=")))
        own = (*hosts(self.processes), f"run.dir={self.run_dir}")
        return (self.verb, recipe or self.recipe, *kept, *own, *self.options)


def hosts(processes: int) -> tuple[str, ...]:
    """The override that makes processes find each other; one process needs none."""
    return ("parallel.hosts=auto",) if processes > 1 else ()


def new_run(name: str, now: datetime | None = None, root: Path = Path("runs")) -> Path:
    """A run directory that does not exist yet: `runs/<recipe>/<time>`, with `-2`, `-3` ... where it is taken."""
    stamp = (now or datetime.now()).strftime("%Y-%m-%d_%H-%M-%S")
    paths = (root / name / (stamp if number == 1 else f"{stamp}-{number}") for number in range(1, 10_000))
    return next(path for path in paths if not path.exists())
