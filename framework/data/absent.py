"""Arrays that were in the memory of another process: what a run remembers of them, but no example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from framework.data.held import absent, is_here
from framework.data.protocol import Arrays, ArraySpec


def is_absent(section: Any) -> bool:
    """Whether a section `data` speaks of arrays that are not in this process."""
    return section.type == "arrays" and not is_here(section.fingerprint)


def require_here(section: Any) -> None:
    """Refuse to go on without the arrays of a section.

    Raises:
      DataError: they are not in this process.
    """
    if is_absent(section):
        raise absent(section.fingerprint, section.arrays, section.examples)


class Nowhere:
    """A source whose examples are not here: it tells their shapes, and refuses to give one."""

    def __init__(self, section: Any, spec: Mapping[str, ArraySpec]) -> None:
        self.spec = spec
        self._section = section

    def __len__(self) -> int:
        return sum(self._section.examples.values())

    def take(self, indices: np.ndarray) -> Arrays:
        """Nothing.

        Raises:
          DataError: always.
        """
        raise absent(self._section.fingerprint, self._section.arrays, self._section.examples)
