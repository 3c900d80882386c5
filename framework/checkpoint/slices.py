"""Checkpoints of the members of a group, whose states lie stacked in one folder.

A member's checkpoint is a folder like any other, `<run>/checkpoints/<step>`, with a manifest and its progress; in place
of arrays it holds `slice.json`, which says where they are: `{"group": <path from here>, "index": 3, "part": "last"}`.
The arrays of the group are named by part and path, `last.params.hidden.kernel`, and count members on their first axis.
So a sweep of hundreds of small networks writes one set of arrays, and each of them is a run by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from framework.checkpoint import manifest
from framework.checkpoint.arrays import read_arrays
from framework.checkpoint.manifest import DamageError, Leaf

FILE = "slice.json"
STATE = "state"


def texts(
    folder: Path, group: Path, *, step: int, index: int, part: str, leaves: Mapping[str, Leaf], progress: str
) -> dict[Path, str]:
    """The files of a member's checkpoint, by path; the manifest is the last.

    Args:
      folder: the checkpoint, `<run>/checkpoints/<step>`.
      group: the folder of the group's arrays.
      step: of the member's state.
      index: of the member on the first axis.
      part: which of the group's states.
      leaves: the arrays of one member.
      progress: the content of `progress.json`.
    """
    where = {"group": Path(os.path.relpath(group, folder)).as_posix(), "index": index, "part": part}
    files = {FILE: json.dumps(where) + "\n", "progress.json": progress}
    told = manifest.text(step, leaves, {name: content.encode() for name, content in files.items()})
    return {folder / name: content for name, content in {**files, manifest.FILE: told}.items()}


def is_slice(folder: Path) -> bool:
    """Whether the arrays of a checkpoint lie with its group."""
    return (folder / FILE).is_file()


def verify(folder: Path) -> None:
    """See that the arrays of the group are there and as they were written.

    Raises:
      DamageError: they are not.
    """
    group = _group(folder)
    if not group.is_dir():
        raise DamageError(
            f"its arrays lie in {group}, which is missing: a member of a sweep is kept with the folder of the sweep"
        )
    _verified(group, (group / manifest.FILE).stat().st_mtime_ns if (group / manifest.FILE).exists() else 0)


def read(folder: Path, leaves: Mapping[str, Leaf]) -> dict[str, np.ndarray]:
    """The arrays of one member by path, as `leaves` names them."""
    where = json.loads((folder / FILE).read_text(encoding="utf-8"))
    group = _group(folder)
    arrays = _arrays(group, (group / manifest.FILE).stat().st_mtime_ns)
    return {name: np.array(arrays[f"{where['part']}.{name}"][where["index"]]) for name in leaves}


def forget() -> None:
    """Let go of arrays that were read for one member and kept for the next of the same group."""
    _arrays.cache_clear()


def _group(folder: Path) -> Path:
    where = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return Path(os.path.normpath(folder / where["group"]))


@lru_cache(maxsize=1)
def _arrays(group: Path, written_ns: int) -> dict[str, np.ndarray]:
    return read_arrays(group / STATE, _verified(group, written_ns))


@lru_cache(maxsize=4)
def _verified(group: Path, written_ns: int) -> dict[str, Leaf]:
    """The leaves of a group, each file of which is digested once and not for each member."""
    del written_ns  # tells one save of a group from another
    return manifest.verify(group)
