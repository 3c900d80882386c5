"""Python's collector of cyclic garbage, out of the way while a process starts.

Imports and tracing make a million objects that stay, and the collector looks through them again and again: a seventh of
the time until the first step.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_resting = False


@contextmanager
def collector_rests() -> Iterator[None]:
    """Within it nothing is collected until `collect_again` is called; afterwards all is as it was."""
    global _resting
    if not gc.isenabled():
        yield
        return
    gc.disable()
    _resting = True
    try:
        yield
    finally:
        if not _resting:
            gc.unfreeze()
        _resting = False
        gc.enable()


def collect_again() -> None:
    """The long part begins: collect what it makes, and leave out all that was made before."""
    global _resting
    if _resting:
        _resting = False
        gc.freeze()
        gc.enable()
