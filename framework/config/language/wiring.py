"""What each node reads: `from` resolved to earlier nodes, and the mistakes one can make in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from framework.config.language.nodes import RawNode
from framework.config.language.report import Report
from framework.core.words import closest, listed


@dataclass
class Source:
    """What one node reads.

    Attributes:
      references: what it reads, in the order written; a broken one is left out.
      slots: the names under which it reads them, where `from` is a mapping.
      implied: there was no `from`; it reads the node before.
      broken: some of it could not be resolved; the mistake is reported.
    """

    references: list[str] = field(default_factory=list)
    slots: list[str] | None = None
    implied: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Siblings:
    """The names that the nodes of one graph may read.

    Attributes:
      key: the config key of the graph's layers.
      inputs: names of the graph's inputs.
      order: names of its nodes, in order.
      several: node -> names of its outputs, for nodes that give several.
      open: nodes whose outputs are only known when they run, so that any `node.output` is allowed.
      branches: nodes do not see each other (as in `parallel`).
      numbered: nodes whose outputs are called 0, 1 and so on.
    """

    key: str
    inputs: tuple[str, ...]
    order: tuple[str, ...]
    several: Mapping[str, tuple[str, ...]]
    open: frozenset[str]
    branches: bool = False
    numbered: frozenset[str] = frozenset()

    def reference(self, name: Any, key: str, position: int, report: Report) -> str | None:
        """The reference that a word in `from` stands for, or None with the mistake reported.

        Args:
          position: how many nodes of the graph may be read: those before this one.
        """
        if not isinstance(name, str):
            report.problem(key, f"found {name!r}", "the name of a node")
            return None
        if name in self.inputs:
            return name
        if name == "input":
            if len(self.inputs) == 1:
                return self.inputs[0]
            report.problem(key, "there are several inputs", f"one of {listed(self.inputs)}", f"{key}={self.inputs[0]}")
            return None
        base, _, output = name.partition(".")
        if base not in self.order:
            self._unknown(name, key, position, report)
            return None
        if self.branches:
            report.problem(
                key, f"'{base}' is another branch", f"what all branches are given: {listed(self.inputs)}", f"~{key}"
            )
            return None
        if self.order.index(base) >= position:
            return None  # a circle or a later node; `forward` tells which
        outputs = self.several.get(base)
        if outputs is not None and output not in outputs:
            near = closest(output, outputs) or outputs[0]
            report.problem(
                key,
                f"'{base}' gives several outputs" if not output else f"'{base}' gives no output '{output}'",
                f"one of {listed(f'{base}.{item}' for item in outputs)}",
                f"{key}={base}.{near}",
            )
            return None
        if base in self.numbered:
            if not output.isdigit():
                report.problem(
                    key, f"'{base}' gives several outputs", f"one of {base}.0, {base}.1, ...", f"{key}={base}.0"
                )
                return None
        elif output and outputs is None and base not in self.open:
            report.problem(key, f"'{base}' gives one output, not '{output}'", f"{base}", f"{key}={base}")
            return None
        return name

    def _unknown(self, name: str, key: str, position: int, report: Report) -> None:
        known = [*self.inputs, *self.order[:position]]
        near = closest(name, [*self.inputs, *self.order])
        report.problem(
            key,
            f"nothing is called '{name}'" + (f" (did you mean '{near}'?)" if near else ""),
            f"an input or {'an earlier' if position < len(self.order) else 'a'} node: {listed(known)}",
            f"{key}={near}" if near else None,
        )


def sources(nodes: Sequence[RawNode], siblings: Siblings, report: Report) -> dict[str, Source]:
    """What each node reads, by its name."""
    found: dict[str, Source] = {}
    for position, node in enumerate(nodes):
        found[node.name] = _source(node, position, nodes, siblings, report)
    _forward(nodes, siblings, found, report)
    return found


def _source(node: RawNode, position: int, nodes: Sequence[RawNode], siblings: Siblings, report: Report) -> Source:
    key = f"{node.key}.from"
    if node.source is None:
        return _implied(node, position, nodes, siblings, report)
    if isinstance(node.source, Mapping):
        pairs = {
            str(slot): siblings.reference(name, f"{key}.{slot}", position, report) for slot, name in node.source.items()
        }
        resolved = {slot: item for slot, item in pairs.items() if item is not None}
        return Source(list(resolved.values()), list(resolved), broken=len(resolved) < len(pairs) or not pairs)
    many = isinstance(node.source, list | tuple)
    names = list(node.source) if many else [node.source]
    if not names:
        report.problem(key, "an empty list", "the names of the nodes to read", f"~{key}")
    references = [
        siblings.reference(name, f"{key}.{index}" if many else key, position, report)
        for index, name in enumerate(names)
    ]
    return Source([item for item in references if item is not None], broken=None in references or not names)


def _implied(node: RawNode, position: int, nodes: Sequence[RawNode], siblings: Siblings, report: Report) -> Source:
    """Without `from`, a node reads the one before it, and the first node the one input."""
    key = f"{node.key}.from"
    if position and not siblings.branches:
        before = nodes[position - 1].name
        outputs = siblings.several.get(before) or (("0", "1") if before in siblings.numbered else None)
        if outputs is None:
            return Source([before], implied=True)
        parts = listed(f"{before}.{item}" for item in outputs) + (", ..." if before in siblings.numbered else "")
        report.problem(
            key,
            f"the node before, '{before}', gives several outputs",
            f"one of {parts}",
            f"+{key}={before}.{outputs[0]}",
        )
        return Source(broken=True)
    if len(siblings.inputs) == 1 or (siblings.inputs and siblings.branches):
        return Source([siblings.inputs[0]], implied=True)
    report.problem(
        key, "the first node must say which of several inputs it reads", listed(siblings.inputs),
        f"+{key}={siblings.inputs[0]}",
    )  # fmt: skip
    return Source(broken=True)


def _words(node: RawNode) -> list[tuple[str, str]]:
    """Each word in `from` with its config key."""
    key = f"{node.key}.from"
    if isinstance(node.source, Mapping):
        return [(str(name), f"{key}.{slot}") for slot, name in node.source.items()]
    if isinstance(node.source, list | tuple):
        return [(str(name), f"{key}.{index}") for index, name in enumerate(node.source)]
    return [] if node.source is None else [(str(node.source), key)]


def _forward(nodes: Sequence[RawNode], siblings: Siblings, found: Mapping[str, Source], report: Report) -> None:
    """Report what reads a node that stands later: a circle, or an order to mend."""
    if siblings.branches:
        return
    order = {node.name: position for position, node in enumerate(nodes)}
    reads = {
        node.name: [word.partition(".")[0] for word, _ in _words(node)] or found[node.name].references for node in nodes
    }
    told: set[str] = set()
    for node in nodes:
        earlier = [*siblings.inputs, *list(order)[: order[node.name]]]
        for word, key in _words(node):
            base = word.partition(".")[0]
            if base in siblings.inputs or order.get(base, -1) < order[node.name]:
                continue
            circle = _path(base, node.name, reads)
            if circle is None:
                report.problem(
                    key,
                    f"'{base}' is defined only later",
                    f"an input or an earlier node: {listed(earlier)}",
                    f"+{siblings.key}.{base}.before={node.name}",
                )
            elif not told & set(circle):
                told.update(circle)
                report.problem(
                    key,
                    f"a circle: {' reads '.join([node.name, *circle])}",
                    "nodes that read inputs and earlier nodes only; a loop over time is a layer, such as gru",
                    f"{key}={earlier[-1]}, or another earlier node" if earlier else None,
                )


def _path(start: str, goal: str, reads: Mapping[str, Sequence[str]]) -> list[str] | None:
    """The nodes on the way from `start` to `goal` along what each reads."""
    came_from: dict[str, str | None] = {start: None}
    queue = [start]
    for at in queue:
        if at == goal:
            path: list[str] = []
            step: str | None = at
            while step is not None:
                path.append(step)
                step = came_from[step]
            return path[::-1]
        for item in reads.get(at, ()):
            if item not in came_from:
                came_from[item] = at
                queue.append(item)
    return None
