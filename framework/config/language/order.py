"""Where nodes stand: `after` and `before` move an added node from the end to its place."""

from __future__ import annotations

from framework.config.language.nodes import RawNode
from framework.config.language.report import Report
from framework.core.words import closest, listed


def placed(nodes: list[RawNode], inputs: tuple[str, ...], report: Report) -> list[RawNode]:
    """The nodes in their final order. Several nodes placed after the same one keep the order of declaration."""
    settled = [node for node in nodes if node.after is None and node.before is None]
    waiting = [node for node in nodes if node.after is not None or node.before is not None]
    names = [node.name for node in nodes]
    behind: dict[str, str] = {}
    while waiting:
        moved = False
        for node in list(waiting):
            position = _position(node, settled, inputs, behind)
            if position is not None:
                settled.insert(position, node)
                waiting.remove(node)
                moved = True
                if node.after is not None:
                    behind[node.after] = node.name
        if not moved:
            break
    told: set[str] = set()
    for node in waiting:
        word, anchor = ("after", node.after) if node.after is not None else ("before", node.before)
        key = f"{node.key}.{word}"
        if anchor in told:
            continue  # the other way round it is the same mistake
        told.add(node.name)
        if anchor in names:
            report.problem(key, f"'{node.name}' and '{anchor}' are placed by each other", "a node with a fixed place")
        else:
            near = closest(str(anchor), names)
            report.problem(
                key, f"nothing is called '{anchor}'", f"nodes: {listed(names)}", f"{key}={near}" if near else None
            )
    return settled + waiting


def _position(node: RawNode, settled: list[RawNode], inputs: tuple[str, ...], behind: dict[str, str]) -> int | None:
    order = [item.name for item in settled]
    if node.before is not None:
        return order.index(node.before) if node.before in order else None
    anchor = behind.get(str(node.after), node.after)
    if anchor in order:
        return order.index(str(anchor)) + 1
    return 0 if node.after == "input" or node.after in inputs else None
