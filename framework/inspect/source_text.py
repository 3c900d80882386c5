"""The package's own source, parsed once."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import framework

PACKAGE = Path(framework.__path__[0])


def files(room: str) -> list[Path]:
    """The Python files of a room, or of a folder in one, in alphabetical order."""
    return sorted((PACKAGE / room).rglob("*.py"))


@cache
def source(file: Path) -> str:
    """The text of a file."""
    return file.read_text(encoding="utf-8")


@cache
def tree(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(source(file))


def shown(file: Path) -> str:
    """How a file is called, e.g. `framework/train/loop.py`."""
    return f"framework/{file.relative_to(PACKAGE).as_posix()}"
