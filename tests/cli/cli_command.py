"""What the fixtures `fw` and `call` give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]
