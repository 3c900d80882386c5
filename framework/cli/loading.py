"""From a verb's words to a composed and validated recipe."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
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
    try:
        return compose.load(options.recipe, options.overrides, config_dirs=options.config_dir, trust=options.trust)
    except ConfigError as error:
        problems = (_placed(problem, options.overrides) for problem in error.problems)
        raise ConfigError(problems, error.subject) from error.__cause__


def _placed(problem: Problem, overrides: Sequence[str]) -> Problem:
    """The problem of a key that nothing sets, blamed on the override that deleted it, if one did."""
    deleting = [word for word in overrides if word.startswith("~") and problem.key.startswith(word[1:])]
    has_line = problem.origin is not None and ":" in problem.origin
    return replace(problem, origin=f"override {deleting[0]}") if deleting and not has_line else problem


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
    from framework.config import compose

    check_words(options)
    recipe, words, places, trust = options.recipe, options.overrides, options.config_dir, options.trust
    if options.info is not None:
        text = compose.info(recipe, words, options.info, config_dirs=places, trust=trust)
    elif options.cfg is not None:
        resolve = options.resolve
        text = compose.composed_yaml(recipe, words, options.cfg, resolve=resolve, config_dirs=places, trust=trust)
    else:
        return False
    sys.stdout.write(text)
    return True
