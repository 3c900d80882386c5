"""The folders of the checkpoints: one per step, and what a process killed half-way may leave beside them.

`<step>` is a finished checkpoint. `<step>.writing` is being written, `<step>.replaced` made way for a newer save of the
same step, `<step>.pruned` is being deleted. A folder changes its part only by one rename, so at each instant every
finished checkpoint has a name that `finished` finds.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from framework.core.files import sync_folder

_WRITING, _REPLACED, _PRUNED = ".writing", ".replaced", ".pruned"


def finished(root: Path) -> dict[int, Path]:
    """The folder of each step, in ascending order; whether its content can be trusted is another matter."""
    if not root.is_dir():
        return {}
    names = {entry.name for entry in root.iterdir()}
    found = {int(name): root / name for name in names if name.isdecimal()}
    for name in names:
        step = name.removesuffix(_REPLACED)
        if name != step and step.isdecimal():
            # Killed between the two renames of `publish`: the older save of this step still stands in for it.
            found.setdefault(int(step), root / name)
    return dict(sorted(found.items()))


def begin(root: Path, step: int) -> Path:
    """An empty folder to write a checkpoint into; leftovers of killed processes are cleared away first."""
    root.mkdir(parents=True, exist_ok=True)
    for entry in list(root.iterdir()):
        name, _, part = entry.name.partition(".")
        if not name.isdecimal():
            continue
        if f".{part}" in (_WRITING, _PRUNED):
            shutil.rmtree(entry)
        elif f".{part}" == _REPLACED:
            shutil.rmtree(entry) if (root / name).exists() else entry.rename(root / name)
    folder = root / f"{step}{_WRITING}"
    folder.mkdir()
    return folder


def publish(folder: Path) -> Path:
    """Gives a folder from `begin` its final name, in place of an older save of the same step."""
    final = folder.with_name(folder.name.removesuffix(_WRITING))
    replaced = final.with_name(final.name + _REPLACED)
    if final.exists():
        final.rename(replaced)
    folder.rename(final)
    sync_folder(final.parent)
    if replaced.exists():
        shutil.rmtree(replaced)
    return final


def discard(folder: Path) -> None:
    """Deletes a checkpoint. It stops being one at once, also if the process dies on the way."""
    doomed = folder.with_name(folder.name.partition(".")[0] + _PRUNED)
    folder.rename(doomed)
    shutil.rmtree(doomed)
