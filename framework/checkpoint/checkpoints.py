"""Checkpoints of a run: saved in the background, verified before they are restored, pruned to the last few."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from framework.checkpoint import folders, manifest, slices
from framework.checkpoint.arrays import read_arrays, write_arrays
from framework.checkpoint.leaves import check_same, to_device, to_host
from framework.checkpoint.manifest import DamageError, Leaf
from framework.core.errors import Problem, RunError
from framework.core.files import unwritable, write_atomically
from framework.core.words import listed

_STATE, _PROGRESS, _BEST = "state", "progress.json", "best.json"


class CheckpointWarning(UserWarning):
    """A damaged checkpoint was passed over, or a save failed while another error was on its way."""


class Checkpoints:
    """The checkpoints of one run, each in `<directory>/<step>`, with `best.json` beside them.

    One process writes (the caller holds the run's lock); others may read meanwhile. Use it as a context manager, or
    call `close`: a save still under way when the interpreter ends would be lost.

    Args:
      directory: where they are kept; made by the first save.
      keep: how many of the newest stay. The best stays besides.
      asynchronous: write in a background thread; `save` then returns once the state is copied to the host. At most one
        save is under way: the next one waits for it, and raises what went wrong with it.
    """

    def __init__(self, directory: Path, *, keep: int, asynchronous: bool = True) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, not {keep}")
        self.directory = directory
        self._keep = keep
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="checkpoint") if asynchronous else None
        self._pending: list[Future[None]] = []
        self._damaged: dict[int, str] = {}

    def save(self, step: int, state: Any, progress: dict[str, Any]) -> None:
        """Keeps a state and the loop's progress. The state may be donated or changed as soon as this returns.

        Args:
          step: the optimizer steps taken; an older save of the same step is replaced.
          state: a pytree of arrays. None is part of its structure; typed random keys are kept as raw data.
          progress: everything of the loop that is not on the device, as JSON can hold it (NaN and infinity included).

        Raises:
          RunError: this save (or, when asynchronous, the one before) could not be written; the path is named.
        """
        self.wait()
        arrays, leaves = to_host(state)
        self._run(self._write, step, arrays, leaves, json.dumps(progress, indent=1) + "\n")

    def restore(self, step: int | None, like: Any) -> tuple[Any, dict[str, Any]]:
        """A state and its progress, after every file has been checked against the manifest.

        Args:
          step: which; None for the newest that is undamaged.
          like: a pytree of `jax.ShapeDtypeStruct` or arrays, of the state's structure. Arrays are placed by its
            shardings; where it has none, JAX chooses the device.

        Raises:
          RunError: there is none, the one asked for is damaged, or its arrays are not those of `like` (the first
            differing ones are named).
        """
        arrays, progress = self.read(step, like)
        return to_device(arrays, like), progress

    def read(self, step: int | None, like: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """As `restore`, but gives host arrays by dotted path."""
        self.wait()
        found = folders.finished(self.directory)
        for candidate in reversed(found) if step is None else [step] if step in found else []:
            leaves = self._verified(candidate, found[candidate])
            if leaves is not None:
                return self._read(found[candidate], leaves, like)
        told = [f"step {number}: {self._damaged[number]}" for number in found if number in self._damaged]
        raise self._missing(step, told)

    def latest(self) -> int | None:
        """The newest step whose files are all as they were written, or None.

        Each damaged one that is passed over, here and in `restore`, is told once by a `CheckpointWarning`.
        """
        self.wait()
        found = folders.finished(self.directory)
        return next((step for step in reversed(found) if self._verified(step, found[step]) is not None), None)

    def best(self) -> int | None:
        """The step that was marked as the best, or None if there is none or it is damaged (then a warning tells it)."""
        self.wait()
        step = self._marked()
        folder = folders.finished(self.directory).get(step) if step is not None else None
        return step if step is not None and folder is not None and self._verified(step, folder) is not None else None

    def mark_best(self, step: int, value: float) -> bool:
        """Makes a saved step the best, and lets go of the former best. Marking it again changes nothing.

        A value that is not finite is never the best. A run may be killed between a save and this call, so keep the best
        step in `progress` and mark it again after restoring.

        Returns:
          Whether it was marked.
        """
        if not math.isfinite(value):
            return False
        self._run(self._mark, step, float(value))
        return True

    def wait(self) -> None:
        """Waits until everything is on the disk.

        Raises:
          RunError: a save could not be written; the path is named.
        """
        pending, self._pending = self._pending, []
        for future in pending:
            future.result()

    def close(self) -> None:
        """Waits as `wait` does, and ends the background thread."""
        try:
            self.wait()
        finally:
            if self._executor is not None:
                self._executor.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except RunError as failure:
            if error is None:
                raise
            # The error that is already on its way is the one to tell; this one must not hide it.
            warnings.warn(str(failure), CheckpointWarning, stacklevel=2)

    def _run(self, job: Any, *arguments: Any) -> None:
        if self._executor is None:
            job(*arguments)
        else:
            self._pending.append(self._executor.submit(job, *arguments))

    def _write(self, step: int, arrays: dict[str, np.ndarray], leaves: dict[str, Leaf], progress: str) -> None:
        try:
            folder = folders.begin(self.directory, step)
        except OSError as error:
            raise unwritable(self.directory, error) from error
        try:
            write_arrays(folder / _STATE, arrays)
            write_atomically(folder / _PROGRESS, progress)
            manifest.write(folder, step, leaves)
            folders.publish(folder)
            self._damaged.pop(step, None)
            self._prune(step)
        except RunError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise unwritable(self.directory / str(step), error) from error

    def _read(self, folder: Path, leaves: dict[str, Leaf], like: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        check_same(leaves, like, str(folder))
        arrays = slices.read(folder, leaves) if slices.is_slice(folder) else read_arrays(folder / _STATE, leaves)
        return arrays, json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))

    def _mark(self, step: int, value: float) -> None:
        if step in folders.finished(self.directory):
            write_atomically(self.directory / _BEST, json.dumps({"step": step, "value": value}) + "\n")
            self._prune(step)

    def _marked(self) -> int | None:
        try:
            step = json.loads((self.directory / _BEST).read_text(encoding="utf-8"))["step"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return step if isinstance(step, int) else None

    def _prune(self, written: int) -> None:
        found = folders.finished(self.directory)
        sound = [step for step in found if step not in self._damaged]
        kept = {*sound[-self._keep :], written, self._marked()}
        for step, folder in found.items():
            if step not in kept:
                folders.discard(folder)

    def _verified(self, step: int, folder: Path) -> dict[str, Leaf] | None:
        try:
            leaves = manifest.verify(folder)
            if slices.is_slice(folder):
                slices.verify(folder)
            return leaves
        except DamageError as damage:
            if step not in self._damaged:
                warnings.warn(f"{folder} is damaged and passed over: {damage}", CheckpointWarning, stacklevel=3)
            self._damaged[step] = str(damage)
            return None

    def _missing(self, step: int | None, damages: list[str]) -> RunError:
        sound = [
            number for number in folders.finished(self.directory) if number != step and number not in self._damaged
        ]
        which = "no undamaged checkpoint is left" if step is None else f"no undamaged checkpoint of step {step}"
        return RunError(
            Problem(
                key=str(self.directory),
                found="\n  ".join([which if damages or step is not None else "there is no checkpoint", *damages]),
                expected=f"one of the steps {listed(sound)}" if sound else "a checkpoint whose files are as written",
                fix=f"take step {sound[-1]}" if sound else "train again, with another run.dir=PATH",
            )
        )
