"""How error messages print the shape of an array."""

from __future__ import annotations

from collections.abc import Sequence


def printed(shape: Sequence[int]) -> str:
    """The shape with its first axis called batch, e.g. `[batch, 28, 28, 1]`."""
    return "[" + ", ".join(["batch", *map(str, shape[1:])]) + "]"
