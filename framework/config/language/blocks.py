"""User-made operations: what a block declares, and whether all that it declares is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.language.expression import ExpressionError, free_names
from framework.config.language.formula import FormulaError, is_formula, names
from framework.config.language.nodes import NAME, SPECIAL
from framework.config.language.report import Report
from framework.core.words import closest, listed

_WORDS = ("args", "inputs", "layers", "outputs")


@dataclass(frozen=True)
class Block:
    """A declared block.

    Attributes:
      args: argument -> default; ??? is required.
      inputs: names of what it is given, in order.
      layers: its nodes, unread.
      outputs: output name -> node; empty: the last node.
    """

    name: str
    key: str
    args: Mapping[str, Any]
    inputs: tuple[str, ...]
    layers: Any
    outputs: Mapping[str, str]


def read_blocks(raw: Mapping[str, Any], key: str, builtin: Mapping[str, Any], report: Report) -> dict[str, Block]:
    """All blocks by name. One that cannot be read has no layers left, so that its uses cause no further mistakes."""
    blocks: dict[str, Block] = {}
    for name, item in raw.items():
        where = f"{key}.{name}"
        if name in builtin or name in SPECIAL:
            report.problem(where, f"'{name}' is a built-in operation", "a name of its own")
        elif not NAME.fullmatch(str(name)):
            report.problem(where, f"'{name}' is no block name", "a letter, then letters, digits and underscores")
        blocks[str(name)] = _read_block(str(name), item, where, report)
    return blocks


def _read_block(name: str, raw: Any, key: str, report: Report) -> Block:
    if not isinstance(raw, Mapping):
        report.problem(key, f"found {raw!r}", "a mapping with layers, and perhaps args, inputs, outputs")
        return Block(name, key, {}, ("input",), None, {})
    for word in raw:
        if word not in _WORDS:
            near = closest(str(word), _WORDS)
            report.problem(
                f"{key}.{word}",
                f"a block has no '{word}'" + (f" (did you mean '{near}'?)" if near else ""),
                listed(_WORDS),
                f"~{key}.{word}",
            )
    args = raw.get("args") or {}
    if isinstance(args, list | tuple) and all(isinstance(item, str) for item in args):
        args = dict.fromkeys(args, "???")
    if not isinstance(args, Mapping):
        report.problem(f"{key}.args", f"found {args!r}", "argument -> default, with ??? for a required one")
        args = {}
    outputs = raw.get("outputs") or {}
    if isinstance(outputs, str):
        outputs = {"output": outputs}
    if not isinstance(outputs, Mapping) or not all(isinstance(item, str) for item in outputs.values()):
        report.problem(f"{key}.outputs", f"found {outputs!r}", "output name -> node")
        outputs = {}
    layers = raw.get("layers")
    if not isinstance(layers, Mapping) or not layers:
        found = f"found {layers!r}" if layers else "there are no layers"
        report.problem(f"{key}.layers", found, "an ordered mapping: node name -> node")
        return Block(name, key, {}, ("input",), None, {})
    args = {str(word): default for word, default in args.items()}
    outputs = {str(word): node for word, node in outputs.items()}
    block = Block(name, key, args, _inputs(raw.get("inputs"), key, report), layers, outputs)
    unread(block.args, (layers,), f"{key}.args", f"block '{name}'", report)
    return block


def _inputs(raw: Any, key: str, report: Report) -> tuple[str, ...]:
    given = [raw] if isinstance(raw, str) else raw
    if given is None:
        return ("input",)
    if not isinstance(given, list | tuple) or not given or not all(NAME.fullmatch(str(item)) for item in given):
        report.problem(f"{key}.inputs", f"found {raw!r}", "a list of names, such as [query, memory]")
        return ("input",)
    if len(set(given)) < len(given):
        once = listed(dict.fromkeys(given)).replace(" ", "")
        report.problem(
            f"{key}.inputs", f"a name stands twice in {listed(given)}", "different names", f"{key}.inputs=[{once}]"
        )
    return tuple(dict.fromkeys(str(item) for item in given))


def unread(args: Mapping[str, Any], bodies: tuple[Any, ...], key: str, owner: str, report: Report) -> None:
    """Report each argument that no formula or expression reads."""
    read = set().union(*(_read(body) for body in bodies), *(_read(default) for default in args.values()))
    for name in args:
        if name not in read:
            # Two words that somebody declared beside each other must be much alike to be one, misspelt.
            near = closest(name, read & set(args), cutoff=0.75)
            report.problem(
                f"{key}.{name}",
                f"nothing in {owner} reads the argument '{name}'" + (f" (did you mean '{near}'?)" if near else ""),
                f"a formula such as '={name}' in its layers",
                f"~{key}.{name}" + (f" {key}.{near}={args[name]}" if near else ""),
            )


def _read(raw: Any, *, expression: bool = False) -> set[str]:
    """The names that formulas in a declaration read, and array expressions in it."""
    if isinstance(raw, Mapping):
        return set().union(*(_read(item, expression=word == "expr") for word, item in raw.items()))
    if isinstance(raw, list | tuple):
        return set().union(*(_read(item) for item in raw))
    try:
        if is_formula(raw):
            return set(names(raw))
        return set(free_names(raw)) if expression and isinstance(raw, str) else set()
    except (FormulaError, ExpressionError):
        return set()  # told where the formula is evaluated


def recursion(blocks: Mapping[str, Block], report: Report) -> set[str]:
    """Report blocks that use themselves, directly or through others; returns the names of all on a circle."""
    uses = {name: sorted(_used(block.layers, blocks)) for name, block in blocks.items()}
    circular: set[str] = set()
    for name in blocks:
        path = None if name in circular else _circle(name, uses)
        if path is not None:
            report.problem(
                f"{blocks[name].key}.layers",
                f"block '{name}' uses itself: {' -> '.join([*path, name])}",
                "blocks that end; `repeat: N` stacks copies",
                f"put another operation in place of {path[-1] if len(path) > 1 else name}'s use of '{name}'",
            )
            circular.update(path)
    return circular


def within(names: Iterable[str], blocks: Mapping[str, Block]) -> set[str]:
    """Those of the names that are blocks, and all blocks that they use, directly or through others."""
    queue = [name for name in names if name in blocks]
    for at in queue:
        queue += sorted(_used(blocks[at].layers, blocks) - set(queue))
    return set(queue)


def _circle(start: str, uses: Mapping[str, list[str]]) -> list[str] | None:
    """The blocks on a way from `start` back to it, by breadth-first search."""
    came_from: dict[str, str] = {}
    queue = [start]
    for at in queue:
        for used in uses[at]:
            if used == start:
                path = [at]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if used not in came_from:
                came_from[used] = at
                queue.append(used)
    return None


def _used(raw: Any, blocks: Mapping[str, Block]) -> set[str]:
    """The blocks that a declaration names as operations, also within combinators."""
    if not isinstance(raw, Mapping):
        return set()
    found: set[str] = set()
    for item in raw.values():
        if isinstance(item, str) and item in blocks:
            found.add(item)
        elif isinstance(item, Mapping):
            found.update(word for word in item if word in blocks)
            for combinator in item.values():
                if isinstance(combinator, Mapping):
                    found |= _used(combinator.get("layers"), blocks)
                    found |= _used({word: combinator.get(word) for word in ("shortcut", "train", "eval")}, blocks)
    return found
