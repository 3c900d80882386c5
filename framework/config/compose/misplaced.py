"""Overrides that reach the network but not the node or the layers that they were meant for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from framework.core.errors import Problem
from framework.core.words import closest, listed

History = Mapping[str, Sequence[tuple[str, Any]]]

_LAYERS = "network.layers."
_OVERRIDE = "override "


def unknown_nodes(history: History) -> list[Problem]:
    """A problem for each node that overrides without `+` set an argument of, and that nothing declares.

    `network.layers.hiden.dense.features=8` would otherwise be a node of its own, at the end of the network.
    """
    nodes: dict[str, list[tuple[str, str]]] = {}
    for key, settings in history.items():
        if key.startswith(_LAYERS):
            name = key.removeprefix(_LAYERS).split(".")[0]
            nodes.setdefault(name, []).extend((key, origin) for origin, _ in settings)
    strange = [
        name for name, settings in nodes.items() if settings and all(_argument(origin) for _, origin in settings)
    ]
    known = [name for name in nodes if name not in strange]
    problems = []
    for name in strange if known else ():
        key, origin = nodes[name][0]
        text = origin.removeprefix(_OVERRIDE)
        near = closest(name, known)
        fix = f"{text.replace(f'.{name}.', f'.{near}.', 1)}, or " if near else ""
        problems.append(
            Problem(key, f"the network has no node '{name}'", listed(known, 30), origin, f"{fix}+{text} to add one")
        )
    return problems


def told_of_merging(
    problems: Iterable[Problem], choices: Mapping[str, tuple[str, str]], history: History
) -> list[Problem]:
    """The problems; where an override chose the network and the recipe writes layers too, its problems say so."""
    option, chosen_by = choices.get("network", ("", ""))
    own = [
        origin
        for key, settings in history.items()
        if key.startswith(_LAYERS)
        for origin, _ in settings
        if not origin.startswith(("configs/", _OVERRIDE))
    ]
    if not chosen_by.startswith(_OVERRIDE) or not own:
        return list(problems)
    hint = f"{own[0]} writes layers of its own, which are merged over those of network={option}: take them out there"
    return [
        replace(problem, expected=f"{problem.expected}\n{hint}" if problem.expected else hint)
        if problem.key.startswith("network.")
        else problem
        for problem in problems
    ]


def _argument(origin: str) -> bool:
    """Whether this is an override without `+` of something inside a node's operation."""
    asked = origin.removeprefix(_OVERRIDE).partition("=")[0]
    return origin.startswith(_OVERRIDE) and not asked.startswith("+") and asked.count(".") >= 4
