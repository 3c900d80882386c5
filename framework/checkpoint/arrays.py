"""Orbax, for arrays by name in one folder. It is imported late: the import takes seconds on a cold disk."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import numpy as np

from framework.checkpoint.manifest import Leaf


def import_meanwhile() -> None:
    """Import Orbax in a thread, for a process that now waits for its devices and will soon write."""
    if "orbax.checkpoint" not in sys.modules:
        threading.Thread(target=import_module, args=("orbax.checkpoint",), name="import", daemon=True).start()


def write_arrays(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes host arrays into `folder`, which must not exist; Orbax lets it appear only once it is complete.

    Arrays without elements are left out (Orbax refuses them): their shape, which the manifest keeps, is all they are.

    Raises:
      OSError: the disk is full or the folder may not be written.
    """
    import orbax.checkpoint as ocp

    stored = {name: array for name, array in arrays.items() if array.size}
    with _quietly(), _checkpointer() as checkpointer:
        try:
            checkpointer.save(folder.absolute(), args=ocp.args.PyTreeSave(stored))
        except ValueError as error:
            # Tensorstore tells the errors of the system in a ValueError of several hundred letters, with this in it.
            code = re.search(r"os_error_code='(\d+)'", str(error))
            if code is None:
                raise
            raise OSError(int(code[1]), os.strerror(int(code[1]))) from error


def read_arrays(folder: Path, leaves: Mapping[str, Leaf]) -> dict[str, np.ndarray]:
    """Reads what `write_arrays` wrote, bit for bit; `leaves` says which arrays those were."""
    import orbax.checkpoint as ocp

    empty = {name: np.zeros(leaf.shape, leaf.dtype) for name, leaf in leaves.items() if 0 in leaf.shape}
    names = [name for name in leaves if name not in empty]
    with _quietly(), _checkpointer() as checkpointer:
        stored = checkpointer.restore(
            folder.absolute(),
            args=ocp.args.PyTreeRestore(
                item=dict.fromkeys(names, 0),
                restore_args={name: ocp.RestoreArgs(restore_type=np.ndarray) for name in names},
            ),
        )
    return {**stored, **empty}


def _checkpointer() -> Any:
    """Orbax for this process alone: of several, the others do not call it, and it would wait for them."""
    import orbax.checkpoint as ocp

    own = jax.process_index()
    options = ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"process_{own}"
    )
    return ocp.Checkpointer(
        ocp.PyTreeCheckpointHandler(multiprocessing_options=options), multiprocessing_options=options
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keeps Orbax from printing the tracebacks of errors that it raises as well."""
    logger = logging.getLogger("absl")
    logger.addFilter(_not_of_orbax)
    try:
        yield
    finally:
        logger.removeFilter(_not_of_orbax)


def _not_of_orbax(record: logging.LogRecord) -> bool:
    return f"{os.sep}orbax{os.sep}" not in record.pathname
