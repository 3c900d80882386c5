"""The arguments that formulas read, and where each one's value was set.

A value keeps the config key that set it for as long as it is only handed on (`rate: "=rate"`). So a dropout rate that
is declared once, as `network.args.dropout`, and reaches ten layers through two blocks, is one traced scalar, one key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.config.language.formula import FormulaError, bare_name, evaluate, is_formula, names
from framework.config.language.report import Report
from framework.core.words import closest, listed

REQUIRED = "???"
FAILED: Any = object()
"""Stands for a value whose formula failed: the mistake is on the report and must not cause another."""


@dataclass(frozen=True)
class Value:
    """A value, and the config key that set it; the key is empty where a formula computed it."""

    value: Any
    key: str = ""


@dataclass
class Scope:
    """Arguments by name, of the network or of one use of a block.

    Attributes:
      owner: what they belong to, for messages: `the network`, `block residual_block`.
      structural: keys whose values decided structure; shared by all scopes of an elaboration.
      used_by: the config key of the node that uses the block; empty for the network.
    """

    owner: str
    structural: set[str]
    arguments: dict[str, Value] = field(default_factory=dict)
    used_by: str = ""

    def evaluate(self, formula: str, key: str, report: Report) -> Value:
        """The value of a formula; FAILED, with the mistake reported, where it has none."""
        if any(self.arguments[name].value is FAILED for name in _names(formula) if name in self.arguments):
            return Value(FAILED)
        try:
            name = bare_name(formula)
            if name in self.arguments:
                return self.arguments[name]
            result = evaluate(formula, {name: argument.value for name, argument in self.arguments.items()})
        except FormulaError as error:
            user = f" (for {self.used_by})" if self.used_by else ""
            report.problem(key, error.found + user, error.expected, self._fix(formula, key, error))
            return Value(FAILED)
        self.structural.update(self.arguments[name].key for name in names(formula))
        return Value(result)

    def _fix(self, formula: str, key: str, error: FormulaError) -> str | None:
        """The override that mends a misspelt name, or a divisor that was set to 0."""
        if error.near is not None:
            wrong, right = error.near
            mended = re.sub(rf"\b{re.escape(wrong)}\b", right, formula)
            return f"{key}='{mended}'"
        if error.by_zero:
            zeros = [self.arguments[name].key for name in sorted(_names(formula)) if self.arguments[name].value == 0]
            return f"{zeros[0]}=1" if len(zeros) == 1 and zeros[0] else None
        return None

    def resolve(self, raw: Any, key: str, report: Report) -> Value:
        """A declared value with its formulas evaluated, at any depth."""
        if is_formula(raw):
            return self.evaluate(raw, key, report)
        if isinstance(raw, Mapping):
            items = {str(name): self.resolve(item, f"{key}.{name}", report) for name, item in raw.items()}
            return Value(self._settle(items), key)
        if isinstance(raw, list | tuple):
            parts = {str(index): self.resolve(item, f"{key}.{index}", report) for index, item in enumerate(raw)}
            whole = self._settle(parts)
            return Value(whole if whole is FAILED else tuple(whole.values()), key)
        return Value(raw, key)

    def _settle(self, items: dict[str, Value]) -> Any:
        """The plain values of a collection. What was handed on into it counts as structure."""
        if any(item.value is FAILED for item in items.values()):
            return FAILED
        self.structural.update(item.key for item in items.values())
        return {name: item.value for name, item in items.items()}


def _names(formula: str) -> frozenset[str]:
    try:
        return names(formula)
    except FormulaError:
        return frozenset()


def bind(
    scope: Scope, declared: Mapping[str, Any], declared_key: str, given: Mapping[str, Value], key: str, report: Report
) -> Scope:
    """Give each declared argument its value: the given one, or its default, which may be a formula over the others.

    Args:
      scope: an empty scope, filled and returned.
      declared: argument -> default; ??? is required.
      declared_key: the config key of `declared`.
      given: argument -> value, for those that are set.
      key: the config key under which they are set.
    """
    for name in given:
        if name not in declared:
            near = closest(name, declared)
            report.problem(
                f"{key}.{name}",
                f"{scope.owner} has no argument '{name}'",
                f"arguments: {listed(declared)}",
                f"~{key}.{name}" + (f" +{key}.{near}={given[name].value}" if near else ""),
            )
    waiting = dict(declared)
    scope.arguments.update({name: given[name] for name in declared if name in given})
    for name in scope.arguments:
        waiting.pop(name)
    expected = f"a value, since {declared_key} has no default for it"
    for name in [name for name, default in waiting.items() if default == REQUIRED]:
        report.problem(f"{key}.{name}", f"{scope.owner} needs the argument '{name}'", expected, f"+{key}.{name}=...")
        scope.arguments[name] = Value(FAILED)
        waiting.pop(name)
    while waiting:
        ready = [
            name for name, default in waiting.items() if not (is_formula(default) and _names(default) & set(waiting))
        ]
        if not ready:
            circle = " -> ".join([*waiting, next(iter(waiting))])
            report.problem(declared_key, f"arguments of {scope.owner} are defined by each other: {circle}")
            scope.arguments.update(dict.fromkeys(waiting, Value(FAILED)))
            break
        for name in ready:
            scope.arguments[name] = scope.resolve(waiting.pop(name), f"{declared_key}.{name}", report)
    return scope
