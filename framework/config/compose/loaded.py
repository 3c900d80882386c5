"""What composing and validating a recipe gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.config.schema.root import Config


@dataclass(frozen=True)
class Loaded:
    """A validated recipe, with the memory of who set what.

    Attributes:
      config: the frozen, typed recipe.
      tree: the same as a plain, resolved tree of dicts, lists and scalars (without the schema's defaults).
      origins: dotted key of a leaf or a section -> `recipes/vision/digits_mlp.yaml:14`,
        `override optimizer.schedule.type=cosine`, or `default`.
      history: dotted key -> every (origin, value) that set it, first to last; the last one stands.
      choices: config group -> (the option chosen, who chose it).
      overrides: as typed, without Hydra's own.
      interpolations: dotted key -> the text as written, for each value that held an interpolation.
      subject: how errors call it, e.g. `recipe digits_mlp`.
      name: the recipe's bare name.
      recipe_file: the recipe's file.
      header: the leading comment block of the recipe's file, without the `#` signs.
    """

    config: Config
    tree: dict[str, Any]
    origins: Mapping[str, str]
    history: Mapping[str, tuple[tuple[str, Any], ...]]
    choices: Mapping[str, tuple[str, str]]
    overrides: tuple[str, ...]
    interpolations: Mapping[str, str]
    subject: str
    name: str
    recipe_file: Path
    header: str
