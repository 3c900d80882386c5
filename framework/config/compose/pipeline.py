"""Load a recipe by name, or the `config.yaml` of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framework.config.compose.loaded import Loaded


def load(
    recipe: str,
    overrides: Sequence[str] = (),
    *,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
) -> Loaded:
    """Compose and validate a recipe.

    Args:
      recipe: a bare name (`digits_mlp`), a name with its folder (`vision/digits_mlp`), or the path of a `.yaml` file.
      overrides: in Hydra's grammar; a value may be set whether or not its key is written in the recipe.
      config_dirs: folders of config groups of the user's own, each with or without a folder `recipes`.
      trust: dotted prefixes that `_target_` may name; `hydra` admits `hydra:` nodes.

    Raises:
      ConfigError: anything is wrong with the recipe or the overrides; all problems at once.
    """
    from framework.config.compose import pipeline

    return pipeline.load(recipe, overrides, config_dirs, trust)
