"""Groups of members that compile to one program. Never imports JAX.

Members share a program where they differ in nothing but traced values: scalars that the program takes as inputs, of
which the seed is one. A traced field whose value switches a mechanism off (None, or a zero that is compiled away)
counts as structure.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from framework.config.compose.text import ABSENT
from framework.config.language import Graph, elaborate
from framework.config.schema.base import traced_values
from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.root import Config
from framework.core.keypaths import flatten
from framework.sweep.members import Member

_TRACED_SECTIONS = ("losses", "optimizer", "trainer")
_OWN = ("name", "seed", "run.dir")
"""What members never share a value of, or that reaches no program."""


@dataclass(frozen=True, eq=False)
class Group:
    """Members of one compile signature.

    Attributes:
      members: in the order of their numbers.
      traced: config keys in which they differ, in order of appearance.
      structural: config key -> value, of the keys in which groups differ.
    """

    members: tuple[Member, ...]
    traced: tuple[str, ...]
    structural: Mapping[str, Any]


def grouped(members: Sequence[Member]) -> list[Group]:
    """The groups of members, in the order of their first members."""
    found: dict[Hashable, list[Member]] = {}
    for member in members:
        found.setdefault(signature(member.loaded.config), []).append(member)
    trees = {member.number: settings(member) for member in members}
    across = varying([trees[group[0].number] for group in found.values()])
    groups = []
    for group in found.values():
        within = varying([trees[member.number] for member in group])
        first = trees[group[0].number]
        structural = {key: first.get(key, ABSENT) for key in across if key not in within and key not in _OWN}
        groups.append(Group(tuple(group), tuple(key for key in within if key != "run.dir"), structural))
    return groups


def signature(config: Config) -> Hashable:
    """What decides the program of a recipe: equal for two recipes only if they compile to the same one."""
    plain = config.model_dump(mode="json", exclude={"network"})
    traced = _traced(config)
    leaves = {
        key: json.dumps("traced" if key in traced else value, sort_keys=True, default=repr)
        for key, value in flatten(plain).items()
        if key not in _OWN
    }
    return frozenset(leaves.items()), _structure(_network_text(config))


def traced_keys(config: Config) -> frozenset[str]:
    """The config keys of a recipe that its program takes as inputs."""
    graph = _graph(_network_text(config))
    return frozenset({*_traced(config), *graph.traced, "seed"})


def settings(member: Member) -> dict[str, Any]:
    """Dotted key -> value of a member's resolved recipe."""
    tree = {name: value for name, value in member.loaded.tree.items() if name != "sweep"}
    return flatten(tree)


def varying(trees: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys in which trees differ, in order of appearance."""
    keys = dict.fromkeys(key for tree in trees for key in tree)
    return [key for key in keys if len({_text(tree.get(key, ABSENT)) for tree in trees}) > 1]


def _traced(config: Config) -> frozenset[str]:
    return frozenset(key for name in _TRACED_SECTIONS for key in traced_values(getattr(config, name), name))


def _network_text(config: Config) -> str:
    return json.dumps(config.network.model_dump(mode="json"), default=repr)


@lru_cache(maxsize=4096)
def _graph(text: str) -> Graph:
    return elaborate(json.loads(text), key="network")


@lru_cache(maxsize=4096)
def _structure(text: str) -> Graph:
    """The graph of a network with every traced value blanked."""
    return _blank(_graph(text))


def _blank(graph: Graph) -> Graph:
    nodes = []
    for node in graph.nodes:
        body: Any = node.body
        names = [name for name, _, _ in node.traced]
        if isinstance(body, Graph):
            body = _blank(body)
        elif isinstance(body, LayerSpec) and names:
            body = body.model_copy(update=dict.fromkeys(names, 0.5))
        traced = tuple((name, key, 0.0) for name, key, _ in node.traced)
        nodes.append(replace(node, body=body, traced=traced))
    return replace(graph, nodes=tuple(nodes))


def _text(value: Any) -> str:
    return repr(value) if value is ABSENT else json.dumps(value, sort_keys=True, default=repr)


def swept_keys(groups: Iterable[Group], keys: Sequence[str]) -> dict[str, bool]:
    """Swept key -> whether it is traced: members of one group differ in it, or each program takes it as an input.

    Members that have no such key, as a condition does not hold, do not count.
    """
    groups = list(groups)
    # Members of a group take the same keys as inputs, so that one of each speaks for all.
    firsts = [group.members[0] for group in groups]
    inputs = [(settings(member), traced_keys(member.loaded.config)) for member in firsts]
    found = {}
    for key in keys:
        having = [traced for tree, traced in inputs if key in tree]
        within = any(key in group.traced for group in groups)
        found[key] = within or (bool(having) and all(key in traced for traced in having))
    return found
