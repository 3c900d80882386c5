"""Ordered rules: which dimensions of a parameter are divided over which mesh axis. The first that matches wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Spec = tuple[str | None, ...]
"""A mesh axis or None for each dimension of an array."""


class RuleLike(Protocol):
    """A rule of the section `parallel`."""

    @property
    def match(self) -> str: ...

    @property
    def spec(self) -> Sequence[Any]: ...

    @property
    def optional(self) -> bool: ...


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
      name: its key in `parallel.rules`.
      pattern: sought in the path of a parameter, e.g. `stack.mlp_in.kernel`.
      spec: for the last dimensions; an array that has fewer is not matched.
      optional: says nothing where it matches nothing, and only warns where a dimension does not divide.
    """

    name: str
    pattern: re.Pattern[str]
    spec: Spec
    optional: bool

    def matches(self, path: str, shape: tuple[int, ...]) -> bool:
        """Whether the rule is for this parameter."""
        return len(self.spec) <= len(shape) and self.pattern.search(path) is not None

    def full(self, shape: tuple[int, ...]) -> Spec:
        """The spec with None for the dimensions before those that it names."""
        return (None,) * (len(shape) - len(self.spec)) + self.spec


def parsed(rules: Mapping[str, RuleLike]) -> tuple[Rule, ...]:
    """The rules of the section, in order."""
    return tuple(Rule(name, re.compile(rule.match), tuple(rule.spec), rule.optional) for name, rule in rules.items())


def first(rules: Sequence[Rule], path: str, shape: tuple[int, ...]) -> Rule | None:
    """The first rule that matches a parameter."""
    return next((rule for rule in rules if rule.matches(path, shape)), None)
