"""What the fixture `launch` gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """A finished command."""

    code: int
    out: str
    err: str


Launch = Callable[..., Said]
