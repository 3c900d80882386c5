"""A new project of the user's own, made out of the templates in `project_template/`."""

from __future__ import annotations

import math
import random
from importlib.resources import files
from pathlib import Path

from framework.core.errors import ConfigError, Problem

SUFFIX = ".template"  # so that no tool takes a template for a part of the framework
POINTS_PER_ARM = 200


def create(folder: Path) -> tuple[Path, ...]:
    """Write a project into a new or empty folder.

    Returns:
      The files, relative to the folder, in alphabetical order.

    Raises:
      ConfigError: the folder is not empty, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise _refused(folder, "is a file")
    if folder.is_dir() and any(folder.iterdir()):
        held = sorted(entry.name for entry in folder.iterdir())
        raise _refused(folder, f"is not empty: it holds {', '.join(held[:3])}{' ...' if len(held) > 3 else ''}")
    written = {Path("data/spirals.csv"): spirals()} | _templates()
    for path, text in written.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return tuple(sorted(written))


def _refused(folder: Path, found: str) -> ConfigError:
    return ConfigError(
        Problem(f"fw init {folder}", f"the folder {found}", expected="a new or empty folder", fix="fw init my_project")
    )


def _templates() -> dict[Path, str]:
    root = Path(str(files("framework.inspect"))) / "project_template"
    return {
        path.relative_to(root).with_suffix(""): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob(f"*{SUFFIX}"))
    }


def spirals() -> str:
    """A table of two interleaved spirals, `x,y,label`: easy to see, and beyond any linear model.

    Source: the two-spirals task of Lang and Witbrock, 1988, with noise of standard deviation 0.02.
    """
    draw = random.Random(0)
    rows = ["x,y,label"]
    for point in range(POINTS_PER_ARM):
        turn = 0.25 + 1.75 * point / POINTS_PER_ARM
        for label in (0, 1):
            angle = math.pi * (turn + label)
            x = 0.5 * turn * math.cos(angle) + draw.gauss(0, 0.02)
            y = 0.5 * turn * math.sin(angle) + draw.gauss(0, 0.02)
            rows.append(f"{x:.4f},{y:.4f},{'inner' if label else 'outer'}")
    return "\n".join(rows) + "\n"
