"""Where configs and recipes are looked for: the user's folders first, then the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Root:
    """A folder of config groups or of recipes.

    Attributes:
      path: the folder.
      kind: `configs` holds config groups, `recipes` holds complete runs.
      shipped: whether it came with the framework, and so may hold a `hydra:` node.
    """

    path: Path
    kind: Literal["configs", "recipes"]
    shipped: bool = False


def shipped(kind: Literal["configs", "recipes"]) -> Path:
    """The folder that travels with the framework: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "_shipped" / kind
    return installed if installed.is_dir() else package.parent / kind


def roots(config_dirs: Sequence[str | Path] = ()) -> tuple[Root, ...]:
    """Every root, the one that wins first: `--config-dir`s, the working directory, the shipped folders."""
    found = []
    for folder in map(Path, config_dirs):
        found.append(Root(folder, "configs"))
        found.append(Root(folder / "recipes", "recipes"))
    found.append(Root(Path("configs"), "configs"))
    found.append(Root(Path("recipes"), "recipes"))
    found = [root for root in found if root.path.is_dir() and not _is_shipped(root)]
    return (*found, Root(shipped("configs"), "configs", True), Root(shipped("recipes"), "recipes", True))


def _is_shipped(root: Root) -> bool:
    return root.path.resolve() == shipped(root.kind).resolve()
