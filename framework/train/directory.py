"""The run directory: what a run leaves on disk, and the rules for using one again.

config.yaml       the resolved recipe            checkpoints/   framework.checkpoint
metrics.jsonl     one record a line              tensorboard/   event files
result.json       the final numbers              figures/       PNGs
stages.json       finished stages                data.json      statistics and classes of the training split
environment.json  versions, devices, command     .lock          held by the process that writes
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from omegaconf import OmegaConf
from yaml import YAMLError

from framework.config.compose.text import ABSENT, difference
from framework.core.errors import Problem, RunError
from framework.core.files import unwritable, write_atomically
from framework.train.lock import RunLock

HARMLESS = ("report", "parallel", "run.dir", "run.stages", "checkpoint.keep")
"""Settings that may differ when a run is taken up again: none of them reaches a number in `metrics.jsonl`, but for
`parallel`, which means the same computation on other devices and so reaches the last digits by the order of sums.

`trainer.epochs` and `trainer.steps` are not among them. Schedules are stretched over the length of the run, so a longer
run is another run from its first step on.
"""

Difference = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str]]


class RunDirectory:
    """A run's folder. Make one with `create_or_resume` (which locks it) or `open` (for reading alone).

    Attributes:
      path: the folder.
      resumed: whether it held a run before.
    """

    def __init__(self, path: Path, *, resumed: bool, lock: RunLock | None = None) -> None:
        self.path = path
        self.resumed = resumed
        self._lock = lock
        self.config = path / "config.yaml"
        self.metrics = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.figures = path / "figures"

    @classmethod
    def create_or_resume(
        cls, path: Path, tree: Mapping[str, Any], *, yaml_text: str, difference: Difference | None = None
    ) -> Self:
        """Takes hold of a run directory, new or of the same recipe, until `close`.

        Args:
          path: the folder; made where it is missing.
          tree: the resolved recipe as a plain tree.
          yaml_text: the same as YAML, to be kept in `config.yaml`.
          difference: (recipe of the run, this recipe) -> lines that tell how they differ, none where they do not; by
            default `key: old -> new`. `HARMLESS` settings are taken out of both before.

        Raises:
          RunError: another process is using it, it holds something else than a run, its recipe differs, or it cannot be
            written.
        """
        in_the_way = next((part for part in (path, *path.parents) if part.is_file()), None)
        if in_the_way is not None:
            raise RunError(
                Problem(
                    "run.dir", f"{in_the_way} is a file", "a folder that is new, empty or a run", fix="run.dir=PATH"
                )
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        _refuse_foreign(path)
        lock = RunLock(path)
        try:
            directory = cls(path, resumed=(path / "config.yaml").exists(), lock=lock)
            if directory.resumed:
                directory._refuse_changed(tree, difference or changed)
            if not directory.resumed or directory.config.read_text(encoding="utf-8") != yaml_text:
                write_atomically(directory.config, yaml_text)
        except BaseException:
            lock.release()
            raise
        return directory

    @classmethod
    def open(cls, path: Path) -> Self:
        """A run directory to read from, without a lock.

        Raises:
          RunError: there is no run there.
        """
        if not (path / "config.yaml").is_file():
            found = "is not a run directory (it has no config.yaml)" if path.is_dir() else "does not exist"
            raise RunError(
                Problem(key=str(path), found=found, expected="a folder that `fw train` made", fix="fw train RECIPE")
            )
        return cls(path, resumed=True)

    def is_complete(self, stage: str) -> bool:
        """Whether a stage of the run has finished."""
        return stage in self.stages()

    def stages(self) -> dict[str, Any]:
        """The finished stages with their outcomes, in the order they finished."""
        return self.read("stages.json") or {}

    def finish(self, stage: str, outcome: Mapping[str, Any]) -> None:
        """Records that a stage has finished, with what came of it."""
        self.write("stages.json", {**self.stages(), stage: dict(outcome)})

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Writes a JSON file of the run (`result.json`, `data.json`, `environment.json`) atomically.

        Raises:
          RunError: it cannot be written.
        """
        write_atomically(self.path / name, json.dumps(content, indent=2) + "\n")

    def read(self, name: str) -> dict[str, Any] | None:
        """The content of a JSON file of the run, or None where it has not been written yet.

        Raises:
          RunError: the file is damaged.
        """
        path = self.path / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(Problem(key=str(path), found=f"is no longer JSON: {error}", fix=f"delete {path}")) from error

    def close(self) -> None:
        """Lets go of the run, so that another process may take it up."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_changed(self, tree: Mapping[str, Any], difference: Difference) -> None:
        try:
            before = OmegaConf.to_container(OmegaConf.load(self.config), resolve=False)
        except (OSError, ValueError, YAMLError) as error:
            found = f"can no longer be read: {error}"
            raise RunError(Problem(str(self.config), found, fix="choose another run.dir=PATH")) from error
        lines = list(difference(_without_harmless(before), _without_harmless(tree)))
        if lines:
            raise RunError(
                Problem(
                    key=str(self.path),
                    found="holds a run of another recipe:\n  " + "\n  ".join(lines),
                    expected="the recipe that the run was started with (only "
                    f"{', '.join(HARMLESS)} may change; another length is another schedule)",
                    fix="choose another run.dir=PATH, or take the changes back",
                )
            )


class UnwrittenDirectory(RunDirectory):
    """The run directory in a process that leaves the writing to another one, on whose disk alone it may lie."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, resumed=True)

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Nothing."""

    def read(self, name: str) -> dict[str, Any] | None:
        """Nothing: what is in the files is told by the process that writes them."""


def require_usable(path: Path, tree: Mapping[str, Any]) -> None:
    """Refuse what `create_or_resume` would refuse, without writing or locking anything.

    Raises:
      RunError: the folder holds something else than a run, or the run of another recipe.
    """
    if path.is_dir():
        _refuse_foreign(path)
        if (path / "config.yaml").exists():
            RunDirectory(path, resumed=True)._refuse_changed(tree, changed)


def fresh(recipe: str, root: Path = Path("runs"), now: datetime | None = None) -> Path:
    """Makes a new, empty folder `<root>/<recipe>/<YYYY-MM-DD_HH-MM-SS>`; `-2`, `-3` ... follow where it is taken."""
    stamp = (now or datetime.now()).strftime("%Y-%m-%d_%H-%M-%S")
    number = 1
    while True:
        path = root / recipe / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
        except OSError as error:
            raise unwritable(path, error) from error


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """How two recipes differ, one line a key: `optimizer.learning_rate: 0.001 -> 0.01`."""
    found = difference(before, after)
    kept = [entry for entry in found if ABSENT not in entry[1:]]
    gone = [entry for entry in found if entry[2] is ABSENT]
    new = [entry for entry in found if entry[1] is ABSENT]
    return [f"{key}: {_word(old)} -> {_word(now)}" for key, old, now in (*kept, *gone, *new)]


def _word(value: Any) -> str:
    """A setting as JSON, in which a tuple is a list."""
    return "not set" if value is ABSENT else json.dumps(value, default=str)


def _without_harmless(tree: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in tree.items():
        if name in HARMLESS:
            continue
        inner = [key.partition(".")[2] for key in HARMLESS if key.startswith(f"{name}.")]
        kept[name] = {key: item for key, item in value.items() if key not in inner} if inner else value
    return kept


def _refuse_foreign(path: Path) -> None:
    if (path / "config.yaml").exists():
        return
    # Hidden files may be ours: a process killed at its first write leaves a lock and perhaps a temporary file.
    foreign = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    if foreign:
        raise RunError(
            Problem(
                key="run.dir",
                found=f"{path} exists and is not a run: it holds {', '.join(foreign[:3])}",
                expected="a folder that is new, empty or a run",
                fix="run.dir=PATH with another path",
            )
        )
