"""One declared node: which operation it names, and the words around it that belong to every node."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.config.language.arguments import shown
from framework.config.language.formula import is_formula
from framework.config.language.graph import REGULARIZER
from framework.config.language.report import Report
from framework.config.language.scope import FAILED, Scope
from framework.config.schema.layers.base import LayerSpec
from framework.core.familiar import familiar_layer
from framework.core.words import closest, listed

NODE_KEYS = ("from", "repeat", "remat", "share", "freeze", REGULARIZER, "after", "before")
REGULARIZERS = ("l1", "l2")
COMBINATORS = ("residual", "parallel", "sequential", "bidirectional", "time_distributed", "ensemble", "cond")
SPECIAL = (*COMBINATORS, "expr", "module")
NAME = re.compile(r"[A-Za-z]\w*")


_SUGGESTED = "first"


def _cleaned(name: str) -> str:
    """A node name out of one that is none."""
    plain = re.sub(r"\W", "_", name)
    return plain if NAME.fullmatch(plain) else f"node_{plain}"


@dataclass
class RawNode:
    """A declared node before its inputs and arguments are looked at.

    Attributes:
      name: its name among its siblings.
      key: the config key that declares it.
      op: the operation's word; empty where it takes over that of the node it shares with, or could not be read.
      op_key: the config key of its arguments.
      arguments: what stands behind the operation's word.
      source: what stands behind `from`; None for the node before.
      freeze: its parameters and statistics stay as they are.
      penalties: (`l1` or `l2`, the config key that sets it, its weight) of what is added to the loss.
      broken: it could not be read; the mistake is reported.
      left_out: the operation that it would repeat, were the count not 0; empty otherwise.
    """

    name: str
    key: str
    op: str = ""
    op_key: str = ""
    arguments: Any = field(default_factory=dict)
    source: Any = None
    repeat: int = 1
    remat: bool = False
    share: str | None = None
    after: str | None = None
    before: str | None = None
    freeze: bool = False
    penalties: tuple[tuple[str, str, float], ...] = ()
    broken: bool = False
    left_out: str = ""


def read_node(
    name: str, raw: Any, key: str, ops: Mapping[str, type[LayerSpec] | None], scope: Scope, report: Report
) -> RawNode:
    """Read one node; mistakes are reported and leave it `broken`.

    Args:
      ops: every known operation: built-in ones with their schema, others with None.
      scope: what formulas read.
    """
    node = RawNode(name, key, op_key=key)
    if not NAME.fullmatch(name) or name == "input":
        report.problem(
            key,
            "'input' names what the network or block is given" if name == "input" else f"'{name}' is no node name",
            "another name" if name == "input" else "a letter, then letters, digits and underscores",
            f"call it {key.rpartition('.')[0]}.{_SUGGESTED if name == 'input' else _cleaned(name)}",
        )
        node.broken = True
    if is_formula(raw):
        raw = scope.evaluate(raw, key, report).value
        if raw is FAILED:
            node.broken = True
            return node
    if isinstance(raw, str):
        node.op = raw
        node.broken |= not _known(raw, key, ops, report, written=raw)
    elif isinstance(raw, Mapping) and raw:
        _read_mapping(node, {str(word): item for word, item in raw.items()}, ops, scope, report)
    else:
        empty = raw is None or raw == {}
        report.problem(
            key,
            "the node is empty" if empty else f"found {raw!r}",
            "an operation, such as relu or {dense: {features: 64}}",
            f"~{key}" if empty else None,
        )
        node.broken = True
    return node


def _read_mapping(
    node: RawNode, raw: dict[str, Any], ops: Mapping[str, type[LayerSpec] | None], scope: Scope, report: Report
) -> None:
    words = [word for word in raw if word not in NODE_KEYS]
    known = [word for word in words if word in ops]
    if len(known) == 1:
        node.op = known[0]
        for word in words:
            if word != node.op:
                _stray(node, word, raw[word], ops, report)
    elif known:
        report.problem(
            node.key,
            f"{len(known)} operations in one node: {listed(known)}",
            "one operation for each node",
            f"~{node.key}.{known[1]}, or a node of its own for it",
        )
        node.broken = True
    elif words:
        node.broken = True
        _known(words[0], f"{node.key}.{words[0]}", ops, report, written=words[0], renames=(node.key, raw[words[0]]))
        for word in words[1:]:
            _stray(node, word, raw[word], ops, report)
    elif "share" not in raw:
        report.problem(
            node.key,
            "the node has no operation",
            "an operation, such as {dense: {features: 64}}",
            f"+{node.key}.relu={{}}, or the operation that you mean",
        )
        node.broken = True
    if node.op:
        node.op_key = f"{node.key}.{node.op}"
        node.arguments = {} if raw[node.op] is None else raw[node.op]
    _read_node_keys(node, raw, scope, report)


def _stray(node: RawNode, word: str, value: Any, ops: Mapping[str, type[LayerSpec] | None], report: Report) -> None:
    """A word that is neither an operation nor one of a node's own words."""
    node.broken = True
    schema = ops.get(node.op)
    if schema is not None and word in schema.model_fields:
        report.problem(
            f"{node.key}.{word}",
            f"'{word}' is an argument of '{node.op}'",
            f"{{{node.op}: {{{word}: {shown(value)}}}}}",
            f"~{node.key}.{word} +{node.key}.{node.op}.{word}={shown(value)}",
        )
        return
    near = closest(word, [*NODE_KEYS, *ops])
    report.problem(
        f"{node.key}.{word}",
        f"unknown word '{word}' in a node" + (f" (did you mean '{near}'?)" if near else ""),
        f"one operation, and any of {listed(NODE_KEYS)}",
        f"~{node.key}.{word} +{node.key}.{near}={shown(value)}" if near in NODE_KEYS else f"~{node.key}.{word}",
    )


def _known(
    op: str,
    key: str,
    ops: Mapping[str, type[LayerSpec] | None],
    report: Report,
    *,
    written: str,
    renames: tuple[str, Any] | None = None,
) -> bool:
    if op in ops:
        return True
    near = familiar_layer(op, ops) or closest(op, ops)
    fix = None
    if near:
        fix = f"{key}={near}" if renames is None else _renaming(key, near, *renames)
    report.problem(
        key,
        f"unknown operation '{written}'" + (f" (did you mean '{near}'?)" if near else ""),
        "an operation that `fw list layers` shows, a block, " + listed(SPECIAL),
        fix,
    )
    return False


def _renaming(key: str, near: str, node: str, value: Any) -> str:
    typed = shown({} if value is None else value)
    # What fills lines is renamed in the file and not typed again.
    return f"~{key} +{node}.{near}={typed}" if len(typed) <= 80 else f"call it {node}.{near}"


def _read_node_keys(node: RawNode, raw: Mapping[str, Any], scope: Scope, report: Report) -> None:
    node.source = raw.get("from")
    node.repeat = _repeat(node, raw.get("repeat", 1), scope, report)
    if node.repeat == 0:
        _pass_on(node)
    node.remat = _flag(node, "remat", raw.get("remat", False), scope, report)
    freeze = _flag(node, "freeze", raw.get("freeze", False), scope, report)
    penalties = _penalties(node, raw.get(REGULARIZER), scope, report)
    if not node.left_out:
        node.freeze, node.penalties = freeze, penalties
    for word in ("share", "after", "before"):
        value = raw.get(word)
        if value is not None and not isinstance(value, str):
            report.problem(f"{node.key}.{word}", f"found {value!r}", "the name of a node beside this one")
            node.broken = True
        elif value is not None:
            setattr(node, word, value)
    if node.after is not None and node.before is not None:
        report.problem(f"{node.key}.before", "both after and before", "one of them", f"~{node.key}.before")
        node.before = None


def _repeat(node: RawNode, raw: Any, scope: Scope, report: Report) -> int:
    key = f"{node.key}.repeat"
    value = scope.resolve(raw, key, report)
    scope.structural.add(value.key)
    count = value.value
    if count is FAILED:
        node.broken = True
        return 1
    # A count that is worked out may come to nothing, as that of the blocks after a stage's first; one that is written
    # down as 0 is a mistake.
    least = 0 if is_formula(raw) else 1
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        told = f"found {count!r}" + (f", which is {raw} in {scope.owner}" if is_formula(raw) else "")
        report.problem(key, told, f"an integer of at least {least}", _right_count(node, raw, count))
        node.broken = True
        return 1
    return count


def _right_count(node: RawNode, raw: Any, count: Any) -> str:
    """The override that mends a wrong count; a formula is kept, since the arguments that it reads must be read."""
    key = f"{node.key}.repeat"
    if is_formula(raw) and isinstance(count, int) and not isinstance(count, bool):
        return f"{key}='=max({raw.removeprefix('=').strip()}, 0)'"
    if is_formula(raw) and isinstance(count, float) and "/" in raw.replace("//", ""):
        return f"{key}='{raw.replace('//', '/').replace('/', '//')}'"
    return f"{key}=1" + (f", or ~{node.key} to leave the node out" if count == 0 else "")


def _pass_on(node: RawNode) -> None:
    """Make a node of no copies one that passes its first input on."""
    node.left_out = node.op
    node.op, node.op_key, node.arguments, node.repeat = "identity", node.key, {}, 1
    if isinstance(node.source, Mapping):
        node.source = next(iter(node.source.values()), None)
    elif isinstance(node.source, list | tuple):
        node.source = node.source[0] if node.source else None


def _penalties(node: RawNode, raw: Any, scope: Scope, report: Report) -> tuple[tuple[str, str, float], ...]:
    """The weights of a node's regulariser that are not 0."""
    key = f"{node.key}.{REGULARIZER}"
    if raw is None:
        return ()
    if not isinstance(raw, Mapping) or not raw:
        report.problem(key, f"found {shown(raw)}", f"any of {listed(REGULARIZERS)} with a weight", f"{key}={{l2:1e-4}}")
        node.broken = True
        return ()
    found = []
    for kind, item in raw.items():
        where = f"{key}.{kind}"
        if kind not in REGULARIZERS:
            report.problem(where, f"there is no regulariser '{kind}'", listed(REGULARIZERS), f"~{where}")
            node.broken = True
            continue
        value = scope.resolve(item, where, report)
        weight = value.value
        if weight is FAILED:
            node.broken = True
        elif isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            report.problem(where, f"found {weight!r}", "a number of at least 0", f"{where}=1e-4")
            node.broken = True
        elif weight:
            found.append((str(kind), value.key, float(weight)))
    return tuple(found)


def _flag(node: RawNode, word: str, raw: Any, scope: Scope, report: Report) -> bool:
    key = f"{node.key}.{word}"
    value = scope.resolve(raw, key, report)
    scope.structural.add(value.key)
    if value.value is FAILED:
        node.broken = True
        return False
    if not isinstance(value.value, bool):
        report.problem(key, f"found {value.value!r}", "true or false", f"{key}=true")
        node.broken = True
        return False
    return value.value
