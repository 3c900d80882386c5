"""Combinators: operations that take layers of their own. Each is rewritten into a plain graph body.

residual:         y = f(x) + x, or f(x) + shortcut(x) where the shapes differ
parallel:         each of its layers reads the input; their outputs are merged
sequential:       its layers one after another, under one name
bidirectional:    its layers twice, one copy given the sequence from its end; the outputs are merged
time_distributed: its layers at each step of a sequence
ensemble:         several copies of its layers beside each other, merged
cond:             one node in training, another one otherwise
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from framework.config.language.expression import Expression
from framework.config.language.formula import is_formula
from framework.config.language.graph import Graph, Node, Wrap
from framework.config.language.nodes import RawNode
from framework.config.language.report import Report
from framework.config.language.scope import FAILED, Scope
from framework.config.schema.layers import LAYERS
from framework.core.words import closest, listed

MERGES = ("add", "concat", "multiply", "mean", "stack")
_WORDS = {
    "residual": ("layers", "shortcut"),
    "parallel": ("layers", "merge", "axis"),
    "sequential": ("layers", "outputs"),
    "bidirectional": ("layers", "merge", "axis"),
    "time_distributed": ("layers",),
    "ensemble": ("layers", "members", "merge", "axis"),
    "cond": ("train", "eval"),
}
MEMBER_MERGES = ("mean", "stack")
DIRECTIONS = ("forward", "backward")
PHASES = ("train", "eval")
SHORTCUT = "shortcut"
MERGED = "_merged"


@dataclass(frozen=True)
class Merge:
    """How the outputs of several nodes become one.

    Attributes:
      op: the built-in operation that does it, or `expr`.
      arguments: of that operation, or the text of the expression.
    """

    op: str
    arguments: Any


def check_words(node: RawNode, report: Report) -> bool:
    """Whether a combinator's arguments are the ones that it has; mistakes are reported."""
    known = _WORDS[node.op]
    if not isinstance(node.arguments, Mapping):
        report.problem(node.op_key, f"found {node.arguments!r}", f"{node.op}: {{layers: {{...}}}}")
        return False
    if not node.arguments and node.op_key == node.key:
        inside = "train: {dropout: {rate: 0.1}}" if node.op == "cond" else "layers: {...}"
        report.problem(
            node.key,
            f"'{node.op}' has nothing inside",
            "train, eval or both" if node.op == "cond" else "layers: an ordered mapping, node name -> node",
            f"{node.key}={{{node.op}: {{{inside}}}}}",
        )
        return False
    fine = True
    for word in node.arguments:
        if word not in known:
            near = closest(str(word), known)
            report.problem(
                f"{node.op_key}.{word}",
                f"'{node.op}' has no argument '{word}'" + (f" (did you mean '{near}'?)" if near else ""),
                f"arguments: {listed(known)}",
                f"~{node.op_key}.{word}",
            )
            fine = False
    return fine


def members_of(node: RawNode, scope: Scope, report: Report) -> Wrap | None:
    """How many members an `ensemble` has and how they are merged, or None with the mistake reported."""
    if "members" not in node.arguments:
        key = f"{node.op_key}.members"
        report.problem(key, "'ensemble' needs the argument 'members'", "how many there are", f"+{key}=5")
        return None
    count = _plain(node, "members", None, scope, report)
    how = _plain(node, "merge", "mean", scope, report)
    axis = _plain(node, "axis", 1, scope, report)
    if any(item is FAILED for item in (count, how, axis)):
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        report.problem(
            f"{node.op_key}.members", f"found {count!r}", "an integer of at least 1", f"{node.op_key}.members=5"
        )
        return None
    if how not in MEMBER_MERGES:
        near = closest(str(how), MEMBER_MERGES) or "mean"
        report.problem(
            f"{node.op_key}.merge", f"unknown value {how!r}", listed(MEMBER_MERGES), f"{node.op_key}.merge={near}"
        )
        return None
    if isinstance(axis, bool) or not isinstance(axis, int) or axis == 0:
        report.problem(
            f"{node.op_key}.axis",
            f"found {axis!r}",
            "an integer, and not 0, which is the batch",
            f"{node.op_key}.axis=1",
        )
        return None
    if "axis" in node.arguments and how != "stack":
        report.problem(f"{node.op_key}.axis", f"merge '{how}' reads no axis", "stack", f"~{node.op_key}.axis")
        return None
    return Wrap("members", count, how, axis)


def merge_of(node: RawNode, names: list[str], scope: Scope, report: Report) -> Merge | None:
    """How a `parallel` or `bidirectional` merges its branches, or None with the mistake reported."""
    how = _plain(node, "merge", "concat", scope, report)
    axis = _plain(node, "axis", -1, scope, report)
    if how is FAILED or axis is FAILED:
        return None
    if how not in MERGES:
        near = closest(str(how), MERGES)
        key = f"{node.op_key}.merge"
        report.problem(key, f"unknown value {how!r}", listed(MERGES), f"{key}={near or 'concat'}")
        return None
    if isinstance(axis, bool) or not isinstance(axis, int):
        report.problem(f"{node.op_key}.axis", f"found {axis!r}", "an integer", f"{node.op_key}.axis=-1")
        return None
    if "axis" in node.arguments and how not in ("concat", "stack"):
        report.problem(f"{node.op_key}.axis", f"merge '{how}' reads no axis", "concat or stack", f"~{node.op_key}.axis")
        return None
    if how == "concat":
        return Merge("concat", {"axis": axis})
    if how == "mean":
        return Merge("average", {})
    if how == "stack":
        return Merge("expr", f"stack([{', '.join(names)}], axis={axis})")
    return Merge(how, {})


def _plain(node: RawNode, word: str, default: Any, scope: Scope, report: Report) -> Any:
    raw = node.arguments.get(word, default)
    if not is_formula(raw):
        return raw
    value = scope.evaluate(raw, f"{node.op_key}.{word}", report)
    scope.structural.add(value.key)
    return value.value


def merged(body: Graph, merge: Merge, names: list[str], key: str, path: str) -> Graph:
    """The body with one more node, which makes the outputs of others into one.

    Args:
      names: the nodes or inputs whose outputs are merged.
      key: the config key of the combinator's words.
      path: of the combinator.
    """
    last = (
        Expression(merge.arguments, tuple(names))
        if merge.op == "expr"
        else LAYERS[merge.op].model_validate(merge.arguments)
    )
    node = Node(MERGED, f"{path}.{MERGED}", key, merge.op, last, tuple(names))
    return replace(body, nodes=(*body.nodes, node), outputs=((MERGED, MERGED),))
