"""What a group leaves on disk: its states in one set of arrays, and for each member the files of a run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.build.state import State
from framework.checkpoint import folders, manifest, slices
from framework.checkpoint.arrays import write_arrays
from framework.checkpoint.manifest import Leaf
from framework.core.files import write_together
from framework.core.trees import named_leaves
from framework.sweep.members import Member
from framework.sweep.vectorized.tracks import Track

LAST, BEST = "last", "best"


class Saving:
    """Saves the states of a group, of which each member's checkpoints are slices.

    Args:
      members: all members of the group, in the order of their places.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        numbers = ",".join(str(member.number) for member in members)
        name = f"{members[0].number}-{hashlib.sha256(numbers.encode()).hexdigest()[:8]}"
        above = Path(os.path.commonpath([member.path.absolute().parent for member in members]))
        self.folder = above / "groups" / name

    def save(self, step: int, state: State, best: State | None, tracks: Sequence[Track]) -> None:
        """Writes the states, then the members' checkpoints that point to them, then lets go of what was before.

        Killed at any instant, each member has the checkpoint from before or the new one.

        Args:
          step: of the group.
          state: with members on the first axis.
          best: the best states.
          tracks: the members that have something to keep, each with its place.

        Raises:
          RunError: the disk is full.
        """
        parts = {LAST: state} | ({} if best is None else {BEST: best})
        # The newest checkpoint of the group is also written under another name where one of the same step stands.
        folder = folders.begin(self.folder, step)
        arrays = {f"{part}.{name}": np.asarray(leaf) for part, tree in parts.items() for name, leaf in _named(tree)}
        write_arrays(folder / slices.STATE, arrays)
        manifest.write(folder, step, {name: Leaf(value.shape, str(value.dtype)) for name, value in arrays.items()})
        group = folders.publish(folder)
        leaves = {name: Leaf(tuple(leaf.shape[1:]), str(leaf.dtype)) for name, leaf in _named(state)}
        files: dict[Path, str] = {}
        stale: list[Path] = []
        for track in tracks:
            kept = _kept(track, group, leaves)
            files |= kept
            current = {path.parent for path in kept}
            checkpoints = track.home.directory.checkpoints
            stale += [old for old in folders.finished(checkpoints).values() if old not in current]
        write_together(files)
        for old in stale:
            folders.discard(old)
        for number, old in folders.finished(self.folder).items():
            if number != step:
                shutil.rmtree(old)


def _kept(track: Track, group: Path, leaves: Mapping[str, Leaf]) -> dict[Path, str]:
    """The files of a member's last and best checkpoint, and which is the best."""
    root = track.home.directory.checkpoints
    marks, files = track.marks, {}
    chosen: dict[int, tuple[str, dict[str, Any]]] = {}
    if marks.best is not None:
        chosen[marks.best[0]] = (BEST, marks.best[1])
    if marks.last is not None and not track.failure:  # the state of one that failed is not the one that was marked
        chosen[marks.last[0]] = (LAST, marks.last[1])
    for step, (part, progress) in chosen.items():
        text = json.dumps(progress, indent=1) + "\n"
        files |= slices.texts(
            root / str(step), group, step=step, index=track.place, part=part, leaves=leaves, progress=text
        )
    if marks.best is not None:
        best = {"step": marks.best[0], "value": track.progress.best}
        files[root / "best.json"] = json.dumps(best) + "\n"
    return files


def _named(tree: State) -> list[tuple[str, Any]]:
    return list(named_leaves(tree).items())
