"""Groups of members that compile to one program. Never imports JAX.

Members share a program where they differ in nothing but traced values: scalars that the program takes as inputs, of
which the seed is one. A traced field whose value switches a mechanism off (None, or a zero that is compiled away)
counts as structure.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from framework.config.compose.text import ABSENT
from framework.config.signature import OWN_KEYS, signature, traced_keys
from framework.core.keypaths import flatten, varying
from framework.sweep.members import Member


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
        structural = {key: first.get(key, ABSENT) for key in across if key not in within and key not in OWN_KEYS}
        groups.append(Group(tuple(group), tuple(key for key in within if key != "run.dir"), structural))
    return groups


def settings(member: Member) -> dict[str, Any]:
    """Dotted key -> value of a member's resolved recipe."""
    tree = {name: value for name, value in member.loaded.tree.items() if name != "sweep"}
    return flatten(tree)


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
