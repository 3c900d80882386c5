"""From a verb's words to a composed and validated recipe."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from framework.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from framework.config.compose import Loaded


def load(options: argparse.Namespace) -> Loaded:
    """The recipe that the words name.

    Raises:
      ConfigError: it is not found, does not compose or does not validate.
    """
    from framework.config import compose

    check_words(options)
    return compose.load(options.recipe, options.overrides, config_dirs=options.config_dir, trust=options.trust)


def check_words(options: argparse.Namespace) -> None:
    """Refuse an override in the place of the recipe.

    Raises:
      ConfigError: so.
    """
    recipe = options.recipe
    if "=" in recipe or recipe.startswith(("~", "+")):
        others = [word for word in options.overrides if "=" not in word and not word.startswith(("~", "+"))]
        fix = f"put '{others[0]}' before the overrides" if others else "fw list recipes"
        raise ConfigError(
            Problem("RECIPE", f"'{recipe}' is an override", expected="the recipe first, then overrides", fix=fix)
        )


def print_composition(options: argparse.Namespace) -> bool:
    """Print Hydra's own view that `--cfg` or `--info` asks for; whether one was asked for."""
    if options.cfg is None and options.info is None:
        return False
    from framework.config import compose

    check_words(options)
    places = {"config_dirs": options.config_dir, "trust": options.trust}
    if options.info is not None:
        text = compose.info(options.recipe, options.overrides, options.info, **places)
    else:
        text = compose.composed_yaml(options.recipe, options.overrides, options.cfg, resolve=options.resolve, **places)
    sys.stdout.write(text)
    return True
