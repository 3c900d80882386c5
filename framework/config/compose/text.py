"""A tree as YAML text that reads back exactly, and the difference between two trees."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader

from framework.core.keypaths import flatten


class Absent:
    """Stands for a key that a tree does not have."""

    def __repr__(self) -> str:
        return "(not set)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Absent)

    def __hash__(self) -> int:
        return hash(Absent)


ABSENT = Absent()


def dump(tree: Mapping[str, Any]) -> str:
    """A plain tree as YAML, keys in order, that `load_file` reads back to the same values.

    Text that YAML would read as something else (`no`, `010`, `1e-3`) is quoted; floats are written with all their
    digits; tuples become lists.

    Raises:
      TypeError: a value is no mapping, list, text, number, boolean or None.
    """
    return yaml.dump(_plain(tree), Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=120)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The (key, old value, new value) of each leaf in which two trees differ; `ABSENT` where one lacks the key.

    Whole numbers equal floats of the same value; a boolean equals nothing but itself.
    """
    before, after = flatten(old), flatten(new)
    keys = [*before, *(key for key in after if key not in before)]
    pairs = ((key, before.get(key, ABSENT), after.get(key, ABSENT)) for key in keys)
    return [(key, left, right) for key, left, right in pairs if not _same(left, right)]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return left == right or (left != left and right != right)  # NaN is the one value that differs from itself


def _plain(value: Any) -> Any:
    """Copies, so that a list that stands in two places is written twice instead of as an alias."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be written to a recipe")


@cache
def _dumper() -> type[yaml.SafeDumper]:
    """A dumper that knows how OmegaConf's loader reads plain scalars, and so quotes whatever that would misread."""
    name = "_Dumper"
    dumper: Any = type(name, (yaml.SafeDumper,), {"yaml_implicit_resolvers": get_yaml_loader().yaml_implicit_resolvers})
    dumper.ignore_aliases = lambda self, data: True
    dumper.add_representer(str, _represent_text)
    dumper.add_representer(float, lambda self, value: self.represent_scalar("tag:yaml.org,2002:float", _digits(value)))
    return dumper


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Plain or single quotes as PyYAML chooses, but double quotes around line ends that others would fold."""
    style = '"' if any(end in text for end in "\r\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _digits(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)
