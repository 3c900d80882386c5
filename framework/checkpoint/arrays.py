"""Orbax, for arrays by name in one folder. It is imported on first use: the import takes seconds on a cold disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from framework.checkpoint.manifest import Leaf


def write_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes host arrays into `folder`, which must not exist; Orbax lets it appear only once it is complete.

    Arrays without elements are left out (Orbax refuses them): their shape, which the manifest keeps, is all they are.
    """
    import orbax.checkpoint as ocp

    stored = {name: array for name, array in arrays.items() if array.size}
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(folder.absolute(), args=ocp.args.PyTreeSave(stored))


def read_arrays(folder: Path, leaves: Mapping[str, Leaf]) -> dict[str, np.ndarray]:
    """Reads what `write_arrays` wrote, bit for bit; `leaves` says which arrays those were."""
    import orbax.checkpoint as ocp

    empty = {name: np.zeros(leaf.shape, leaf.dtype) for name, leaf in leaves.items() if 0 in leaf.shape}
    names = [name for name in leaves if name not in empty]
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        stored = checkpointer.restore(
            folder.absolute(),
            args=ocp.args.PyTreeRestore(
                item=dict.fromkeys(names, 0),
                restore_args={name: ocp.RestoreArgs(restore_type=np.ndarray) for name in names},
            ),
        )
    return {**stored, **empty}
