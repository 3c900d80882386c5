"""How a node is called: its inputs put in order, and the two kinds of node whose meaning the user writes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from framework.config.language.expression import Expression, ExpressionError, free_names
from framework.config.language.frozen import FrozenMapping, frozen
from framework.config.language.graph import Target
from framework.config.language.nodes import RawNode
from framework.config.language.report import Report
from framework.config.language.scope import FAILED, Scope
from framework.config.language.wiring import Source
from framework.core.words import closest, listed

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")

Inputs = tuple[str | None, ...]


def bound_inputs(slots: Sequence[str] | None, source: Source, node: RawNode, report: Report) -> Inputs | None:
    """What a node reads, in the order in which its operation is called.

    Args:
      slots: names of the operation's inputs, optional ones with a `?` behind; None: any number of one kind.

    Returns:
      None, with the mistake reported, where the inputs do not fit.
    """
    key = f"{node.key}.from"
    if slots is None:
        if source.slots is None:
            return tuple(source.references)
        report.problem(key, f"'{node.op}' has no named inputs", f"a list: {listed(source.references)}")
        return None
    names = [slot.removesuffix("?") for slot in slots]
    required = [slot for slot in slots if not slot.endswith("?")]
    described = f"{len(names)} input{'s' if len(names) != 1 else ''} ({', '.join(slots)})"
    if source.slots is not None:
        return _named(names, required, described, source, node, report)
    if len(source.references) > len(names):
        report.problem(
            key,
            f"'{node.op}' is given {len(source.references)} inputs: {listed(source.references)}",
            described,
            f"{key}={source.references[0]}, or a node before it that joins them, such as "
            f"{{concat: {{}}, from: [{listed(source.references)}]}}",
        )
        return None
    if len(source.references) < len(required):
        given = [*source.references, *("..." for _ in required)]
        wanted = ", ".join(f"{name}: {item}" for name, item in zip(required, given, strict=False))
        count = len(source.references)
        found = f"'{node.op}' is given {count} input{'' if count == 1 else 's'}: {listed(source.references)}"
        report.problem(key, found, described, f"+{key}={{{wanted}}}")
        return None
    return (*source.references, *(None for _ in names[len(source.references) :]))


def _named(
    names: list[str], required: list[str], described: str, source: Source, node: RawNode, report: Report
) -> Inputs | None:
    key = f"{node.key}.from"
    given = dict(zip(source.slots or (), source.references, strict=True))
    fine = True
    meant: set[str | None] = set()
    for slot in given:
        if slot not in names:
            near = closest(slot, names)
            report.problem(
                f"{key}.{slot}",
                f"'{node.op}' has no input '{slot}'" + (f" (did you mean '{near}'?)" if near else ""),
                described,
                f"~{key}.{slot}" + (f" +{key}.{near}={given[slot]}" if near else ""),
            )
            fine = False
            meant.add(near)
    for slot in required:
        if slot not in given and slot not in meant:
            report.problem(
                f"{key}.{slot}", f"'{node.op}' is not given its input '{slot}'", described, f"+{key}.{slot}=..."
            )
            fine = False
    return tuple(given.get(name) for name in names) if fine else None


def array_expression(node: RawNode, source: Source, scope: Scope, report: Report) -> tuple[Expression, Inputs] | None:
    """An `expr` node: its vetted text and what it reads. `x` is the one input; several go by their nodes' names.

    With `share`, every other name is a parameter of the node whose weights it uses.
    """
    text = node.arguments
    if not isinstance(text, str) or not text.strip():
        report.problem(node.op_key, f"found {text!r}", "an array expression, such as 'x * sigmoid(x)'")
        return None
    try:
        free = free_names(text)
    except ExpressionError as error:
        fix = None
        if error.near is not None:
            old, new = error.near
            fix = f"{node.op_key}='{text.replace(old, new)}'" if old in text and "'" not in text else None
        report.problem(node.op_key, error.found, error.expected, fix)
        return None
    if source.broken:
        return None
    if source.slots is not None:
        given = dict(zip(source.slots, source.references, strict=True))
    else:
        given = {reference.replace(".", "_"): reference for reference in source.references}
        if len(given) == 1:
            given = {"x": source.references[0]} | given
    others = [name for name in free if name not in given and name not in scope.arguments]
    unknown = [] if node.share else others
    for name in unknown:
        near = closest(name, [*given, *scope.arguments])
        report.problem(
            node.op_key,
            f"'{text}' reads '{name}', which is no input of the node" + (f" (did you mean '{near}'?)" if near else ""),
            f"inputs: {listed(given)}" + (f"; arguments: {listed(scope.arguments)}" if scope.arguments else ""),
            f"+{node.key}.from={{{', '.join(f'{item}: ...' for item in free)}}}",
        )
    unread = set(source.references) - {given[name] for name in free if name in given}
    for reference in sorted(unread) if not unknown else ():
        report.problem(f"{node.key}.from", f"'{text}' does not read '{reference}'", "an expression of all its inputs")
    if unknown or unread:
        return None
    names = tuple(name for name in free if name in given)
    constants = [(name, scope.arguments[name]) for name in free if name not in given and name in scope.arguments]
    if any(value.value is FAILED for _, value in constants):
        return None
    scope.structural.update(value.key for _, value in constants)
    held = frozen({name: value.value for name, value in constants})
    return Expression(text, names, held, tuple(others)), tuple(given[name] for name in names)


def target(node: RawNode, source: Source, scope: Scope, report: Report) -> Target | None:
    """A `module` node: what to call and with which arguments."""
    raw = node.arguments
    keywords = tuple(source.slots or ())
    if not isinstance(raw, Mapping):
        if not (callable(raw) or isinstance(raw, tuple) or hasattr(raw, "apply")):
            report.problem(node.op_key, f"found {raw!r}", "{_target_: package.module.Name, ...}")
            return None
        return Target(raw, FrozenMapping(), partial=True, keywords=keywords)
    name = raw.get("_target_")
    key = f"{node.op_key}._target_"
    if name is None or name == {}:
        report.problem(key, "the module has no _target_", "the import path of a class or a function", f"+{key}=...")
        return None
    if not (_PATH.fullmatch(name) if isinstance(name, str) else callable(name)):
        report.problem(key, f"found {name!r}", "an import path: package.module.Name")
        return None
    partial = raw.get("_partial_", False)
    fine = True
    if not isinstance(partial, bool):
        report.problem(f"{node.op_key}._partial_", f"found {partial!r}", "true or false")
        fine = False
    values = {}
    for word, item in raw.items():
        where = f"{node.op_key}.{word}"
        if word in ("_target_", "_partial_"):
            continue
        if str(word).startswith("_"):
            report.problem(where, f"a module has no '{word}'", "_target_, _partial_ and keyword arguments", f"~{where}")
            fine = False
            continue
        value = scope.resolve(item, where, report)
        scope.structural.add(value.key)
        values[str(word)] = value.value
    if not fine or any(value is FAILED for value in values.values()):
        return None
    return Target(name, frozen(values), partial=partial, keywords=keywords)
