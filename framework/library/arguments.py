"""What Python gives for a recipe and its overrides, as the words of the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

from framework.config.validation.wording import as_override, found
from framework.core.errors import ConfigError, Problem

Overrides = Sequence[str] | Mapping[str, Any]
"""Overrides in Hydra's grammar, or config key -> value."""


def recipe_word(recipe: str | PathLike[str]) -> str:
    """The name or path of a recipe.

    Raises:
      ConfigError: it is neither.
    """
    if isinstance(recipe, str | PathLike):
        return str(fspath(recipe))
    told = f"found {found(recipe) if isinstance(recipe, Mapping) else type(recipe).__name__}"
    expected = "the name of a recipe, or the path of a YAML file; fw.Network takes the layers of a network as a dict"
    raise ConfigError(Problem("recipe", told, expected, fix='fw.load("digits_mlp")'))


def override_words(overrides: Overrides) -> tuple[str, ...]:
    """Overrides in Hydra's grammar.

    Raises:
      ConfigError: one text stands where a list of them does, or one of the list is no text.
    """
    if isinstance(overrides, Mapping):
        return tuple(f"{key}={as_override(value)}" for key, value in overrides.items())
    expected = "a list of overrides, or a dict of keys and values"
    if isinstance(overrides, str):
        raise ConfigError(Problem("overrides", f"found the text {overrides!r}", expected, fix=f"[{overrides!r}]"))
    words = tuple(overrides)
    problems = [
        Problem("overrides", f"found {word!r} in the list", expected, fix='["trainer.epochs=2"]')
        for word in words
        if not isinstance(word, str)
    ]
    if problems:
        raise ConfigError(problems)
    return words
