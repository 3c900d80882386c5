"""`share`: a node that uses the weights of another node beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.config.language.graph import Node
from framework.config.language.nodes import RawNode
from framework.config.language.report import Report
from framework.config.schema.layers import LAYERS, LayerSpec
from framework.core.words import closest, listed


def adopt(nodes: Sequence[RawNode], report: Report) -> None:
    """Give each sharing node what it did not say itself: the operation, the arguments and the count of its owner."""
    earlier: dict[str, RawNode] = {}
    names = [node.name for node in nodes]
    for node in nodes:
        if node.share is None and _borrows(node.op):
            _alone(node, list(earlier.values()), report)
        if node.share is not None:
            owner = earlier.get(node.share)
            if owner is None:
                _unknown(node, node.share, names, list(earlier), report)
                node.broken = True
            else:
                _take(node, owner, report)
        earlier[node.name] = node


def _borrows(op: str) -> tuple[str, ...]:
    """The parameters that an operation reads from the node whose weights it shares."""
    return LAYERS[op].borrows if op in LAYERS else ()


def _alone(node: RawNode, earlier: Sequence[RawNode], report: Report) -> None:
    wanted = _borrows(node.op)
    fitting = [owner.name for owner in earlier if owner.op == "embed"]
    report.problem(
        f"{node.key}.share",
        f"'{node.op}' reads the weights of another node, and none is named",
        f"an earlier node with the parameter {listed(wanted)}",
        f"+{node.key}.share={fitting[-1]}" if fitting else f"put an embed before it: +{node.key}.share=ITS_NAME",
    )
    node.broken = True


def _unknown(node: RawNode, share: str, names: list[str], earlier: list[str], report: Report) -> None:
    key = f"{node.key}.share"
    near = closest(share, earlier)
    fix = f"{key}={near}" if near else f"~{key}"
    if share == node.name:
        found = "a node cannot share with itself"
    elif share in names:
        found = f"'{share}' is defined only later"
        fix = f"+{node.key.rpartition('.')[0]}.{share}.before={node.name}"
    else:
        found = f"nothing is called '{share}'" + (f" (did you mean '{near}'?)" if near else "")
    report.problem(key, found, f"an earlier node: {listed(earlier)}", fix)


def _take(node: RawNode, owner: RawNode, report: Report) -> None:
    key = f"{node.key}.share"
    if owner.broken:
        node.broken = True
        return
    node.share = owner.share or owner.name
    if owner.op == "expr" or _borrows(owner.op):
        what = "an expression" if owner.op == "expr" else f"'{owner.op}'"
        report.problem(key, f"'{owner.name}' is {what}, which has no weights", "a node with weights")
        node.broken = True
        return
    if node.op == "expr" or _borrows(node.op):
        if owner.repeat > 1:
            report.problem(key, f"'{owner.name}' has {owner.repeat} copies of its weights", "a node without repeat")
            node.broken = True
        return
    if node.op and node.op != owner.op:
        report.problem(
            key,
            f"'{node.op}' cannot use the weights of '{owner.name}', which is '{owner.op}'",
            f"a node of the operation '{node.op}'",
            f"~{node.key}.{node.op}",
        )
        node.broken = True
        return
    if not node.op or node.arguments == {}:
        node.op, node.op_key, node.arguments = owner.op, owner.op_key, owner.arguments
    if node.repeat not in (1, owner.repeat):
        report.problem(
            f"{node.key}.repeat",
            f"{node.repeat} copies cannot use the weights of {owner.repeat}",
            f"{owner.repeat}, or no repeat",
            f"~{node.key}.repeat",
        )
        node.broken = True
    node.repeat = owner.repeat


def check_same(raw: Sequence[RawNode], nodes: Mapping[str, Node], report: Report) -> None:
    """Report sharing nodes whose own arguments differ from their owner's."""
    declared = {node.name: node for node in raw}
    for node in nodes.values():
        owner = nodes.get(node.share) if node.share else None
        if owner is None or node.op == "expr" or _borrows(node.op):
            continue
        mine, theirs = declared[node.name], declared[owner.name]
        if isinstance(node.body, LayerSpec) and isinstance(owner.body, LayerSpec):
            differ = [
                name for name in type(node.body).model_fields if getattr(node.body, name) != getattr(owner.body, name)
            ]
        else:
            differ = [] if mine.arguments == theirs.arguments else ["its arguments"]
        if differ:
            report.problem(
                f"{node.key}.share",
                f"'{node.name}' differs from '{owner.name}' in {listed(differ)}",
                "the same arguments, or none, to take them over",
                f"~{mine.op_key}",
            )
