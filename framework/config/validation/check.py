"""Validate a composed tree: schema, then network language, every problem in one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from framework.config.schema.root import Config
from framework.config.validation.problems import Translator
from framework.config.validation.shapes import Shape, shape_of, step
from framework.config.validation.wording import expected, placeholder
from framework.core.errors import ConfigError, Problem

MISSING = "???"
"""A value that must still be given; inside `network` it is the language's: a block's required argument."""

_NOTHING: Mapping[str, Any] = {}


def validate(
    tree: Mapping[str, Any],
    subject: str,
    *,
    origins: Mapping[str, str] = _NOTHING,
    written: Mapping[str, str] = _NOTHING,
    groups: Mapping[str, Sequence[str]] = _NOTHING,
    excused: Sequence[str] = (),
    told: Sequence[Problem] = (),
) -> Config:
    """The frozen config of a tree without interpolations.

    Args:
      tree: plain dicts, lists and scalars.
      subject: how the error calls it, e.g. `recipe digits_mlp`.
      origins: dotted key -> who set it.
      written: dotted key -> its text in YAML, where the value does not show it.
      groups: config group -> its options, to name them where a section is missing.
      excused: keys whose value is `???` for a reason that is told already.
      told: problems found before, told together with those found here.

    Raises:
      ConfigError: the tree is not a valid recipe; all problems, sorted by key.
    """
    unset = [key for key in _missing(tree) if key in excused or key.split(".")[0] != "network"]
    problems = [*told, *(_unset(key, tree) for key in unset if key not in excused)]
    config = None
    try:
        config = Config.model_validate(frozen(_without(tree, unset)))
    except ValidationError as error:
        found = Translator(Config, tree, origins, written, groups).problems(error)
        problems += [problem for problem in found if not _below(problem.key, unset)]
    if not any(_below(key, ["network"]) for key in (*unset, *(problem.key for problem in problems))):
        problems += _network(tree)
    if problems or config is None:
        ordered = sorted(dict.fromkeys(problems), key=lambda problem: _order(problem.key))
        raise ConfigError(ordered, subject).located(origins)
    return config


def frozen(value: Any) -> Any:
    """The same value with its lists made tuples."""
    if isinstance(value, Mapping):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(frozen(item) for item in value) if isinstance(value, list | tuple) else value


def _network(tree: Mapping[str, Any]) -> list[Problem]:
    from framework.config.language import elaborate

    try:
        elaborate(tree["network"], key="network")
    except ConfigError as error:
        return list(error.problems)
    return []


def _missing(value: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _missing(item, f"{prefix}.{name}" if prefix else str(name))
    elif value == MISSING:
        yield prefix


def _unset(key: str, tree: Mapping[str, Any]) -> Problem:
    shape: Shape | None = shape_of(Config)
    value: Any = tree
    for part in key.split("."):
        shape = step(shape, part, value) if shape is not None else None
        value = value.get(part)
    return Problem(key, "must be given (???)", expected(shape) if shape else None, fix=f"{key}={placeholder(shape)}")


def _without(value: Any, keys: Sequence[str], prefix: str = "") -> Any:
    if not isinstance(value, Mapping):
        return value
    named = ((name, item, f"{prefix}.{name}" if prefix else str(name)) for name, item in value.items())
    return {name: _without(item, keys, key) for name, item, key in named if key not in keys}


def _below(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _order(key: str) -> list[tuple[int, int, str]]:
    """Sort by key, indices of lists as numbers."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in key.split(".")]
