"""Where configs and recipes are looked for: the user's folders first, then the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from framework.core.errors import ConfigError, Problem

Kind = Literal["configs", "recipes"]


@dataclass(frozen=True)
class Root:
    """A folder of config groups or of recipes.

    Attributes:
      path: the folder.
      kind: `configs` holds config groups, `recipes` holds complete runs.
      shipped: whether it came with the framework, and so may hold a `hydra:` node.
    """

    path: Path
    kind: Kind
    shipped: bool = False


@cache
def shipped(kind: Kind) -> Path:
    """The folder that travels with the framework: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "_shipped" / kind
    return (installed if installed.is_dir() else package.parent / kind).resolve()


def roots(config_dirs: Sequence[str | Path] = ()) -> tuple[Root, ...]:
    """Every root, the one that wins first: each `--config-dir`, the working directory, the shipped folders.

    Raises:
      ConfigError: a `--config-dir` is no folder.
    """
    missing = [str(folder) for folder in config_dirs if not Path(folder).is_dir()]
    if missing:
        raise ConfigError(
            Problem("--config-dir", f"'{folder}' is no folder", "a folder of config groups", fix=f"mkdir -p {folder}")
            for folder in missing
        )
    found: list[Root] = []
    for folder in map(Path, config_dirs):
        found += [Root(folder, "configs"), Root(folder / "recipes", "recipes")]
    found += [Root(Path("configs"), "configs"), Root(Path("recipes"), "recipes")]
    own = [root for root in found if root.path.is_dir() and root.path.resolve() != shipped(root.kind)]
    return (*own, Root(shipped("configs"), "configs", True), Root(shipped("recipes"), "recipes", True))


def shown(path: Path) -> str:
    """A file's name as errors print it: shipped files without their folder, the user's relative to where they stand."""
    absolute = path.resolve()
    for kind in ("configs", "recipes"):
        if absolute.is_relative_to(shipped(kind)):
            return f"{kind}/{absolute.relative_to(shipped(kind)).as_posix()}"
    here = Path.cwd()
    return absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else str(path)
