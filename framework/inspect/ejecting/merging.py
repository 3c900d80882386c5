"""Classes of one block that differ in the arguments of its layers alone become one class with fields."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from framework.inspect.ejecting.writing import statement

Words = dict[str, str]
"""Argument of a module -> its value as source."""


@dataclass(frozen=True)
class Block:
    """A class as it is written at first, without fields.

    Attributes:
      name: what it is called.
      family: what all classes of the same block would be called.
      text: its source.
    """

    name: str
    family: str
    text: str


@dataclass
class Merging:
    """Makes one class of several, those that others use first.

    Attributes:
      usual: class of a layer -> what its arguments are where they are left out.
    """

    usual: Mapping[str, Words]
    _made_of: dict[str, tuple[str, Words]] = field(default_factory=dict)

    def merged(self, blocks: list[Block]) -> list[str]:
        """The source of the classes that remain."""
        texts = []
        left = list(blocks)
        while left:
            names = {block.name: block.family for block in left}
            waits = {block.family for block in left if _uses(block) & (set(names) - {block.name})}
            ready = [block for block in left if block.family not in waits]
            if not ready:  # blocks that hold each other, in different classes: they stay as they are
                ready, groups = left[:1], [left[:1]]
            else:
                groups = self._groups(ready)
            texts += [self._one(group) for group in groups]
            left = [block for block in left if block not in ready]
        return texts

    def _groups(self, blocks: list[Block]) -> list[list[Block]]:
        """Classes of one block that are the same but for arguments."""
        found: dict[tuple[str, str], list[Block]] = {}
        for block in blocks:
            tree = ast.parse(self._rewritten(block.text, {}))
            for call in _modules(tree):
                call.keywords = [word for word in call.keywords if word.arg == "name" or not _is_literal(word.value)]
            for count in _copies(tree):
                count.value = 0
            tree.body[0].name = ""  # pyright: ignore[reportAttributeAccessIssue]
            found.setdefault((block.family, ast.dump(tree)), []).append(block)
        return list(found.values())

    def _one(self, group: list[Block]) -> str:
        """The class of a group; notes what each of its members is now."""
        first = group[0]
        slots = [self._slots(self._rewritten(block.text, {})) for block in group]
        places = list(dict.fromkeys(place for own in slots for place in own))
        values = {place: tuple(own.get(place, self._left_out(place)) for own in slots) for place in places}
        varying = {place: given for place, given in values.items() if len(set(given)) > 1}
        fields: dict[tuple[str | None, ...], str] = {}
        for (_, _, node, word), given in varying.items():
            if given not in fields:
                fields[given] = word if word not in fields.values() else f"{node}_{word}"
        for number, block in enumerate(group):
            self._made_of[block.name] = first.name, {name: str(given[number]) for given, name in fields.items()}
        changed = {(place[0], place[3]): f"self.{fields[given]}" for place, given in varying.items()}
        lines = self._rewritten(first.text, changed).splitlines()
        if fields:
            lines[3:3] = [*(f"    {name}: {_kind(given)}" for given, name in fields.items()), ""]
        return "\n".join(lines)

    def _slots(self, text: str) -> dict[tuple[int, str, str, str], str]:
        """(number of the call, class, name of the node, argument) -> value."""
        tree = ast.parse(text)
        found = {}
        for number, call in enumerate(_modules(tree)):
            words = {str(word.arg): word.value for word in call.keywords}
            node = str(ast.literal_eval(words["name"]))
            for word, value in words.items():
                if word != "name" and _is_literal(value):
                    found[number, _callee(call), node, word] = str(ast.get_source_segment(text, value))
        for number, count in enumerate(_copies(tree)):
            found[-1 - number, "", f"stack{number}" if number else "stack", "copies"] = str(count.value)
        return found

    def _left_out(self, place: tuple[int, str, str, str]) -> str | None:
        return self.usual.get(place[1], {}).get(place[3])

    def _rewritten(self, text: str, changed: Mapping[tuple[int, str], str]) -> str:
        """The source with the classes that its modules are now of, and with fields in place of arguments.

        Args:
          changed: (number of the call, argument) -> what stands there.
        """
        tree, lines = ast.parse(text), text.splitlines()
        numbers = {id(call): number for number, call in enumerate(_modules(tree))}
        counts = {id(count): -1 - number for number, count in enumerate(_copies(tree))}
        assigned = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
        for node in sorted(assigned, key=lambda node: -node.lineno):
            value = node.value
            if not isinstance(value, ast.Call):
                continue
            made = next((call for call in (value, value.func) if id(call) in numbers), None)
            start = " " * node.col_offset + f"{ast.unparse(node.targets[0])} = "
            if made is None:
                count = value.args[1] if len(value.args) > 1 else None
                copies = changed.get((counts.get(id(count), 0), "copies"))
                if copies is not None:
                    arguments = [str(ast.get_source_segment(text, one)) for one in value.args]
                    arguments[1] = copies
                    arguments += [f"{word.arg}={ast.unparse(word.value)}" for word in value.keywords]
                    lines[node.lineno - 1 : node.end_lineno] = statement(start, f"repeated({', '.join(arguments)})")
                continue
            assert isinstance(made, ast.Call)
            number, callee = numbers[id(made)], _callee(made)
            name, words = self._made_of.get(callee, (callee, {}))
            given = {str(word.arg): str(ast.get_source_segment(text, word.value)) for word in made.keywords}
            put = {word: new for (own, word), new in changed.items() if own == number}
            given = words | put | given | put
            given["name"] = given.pop("name")
            written = f"{name}({', '.join(f'{word}={one}' for word, one in given.items())})"
            whole, inner = str(ast.get_source_segment(text, value)), str(ast.get_source_segment(text, made))
            lines[node.lineno - 1 : node.end_lineno] = statement(start, written, whole[len(inner) :])
        return "\n".join(lines)


def _modules(tree: ast.AST) -> list[ast.Call]:
    """The calls that make modules, in the order of the source."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    made = [call for call in calls if any(word.arg == "name" for word in call.keywords)]
    return sorted(made, key=lambda call: (call.lineno, call.col_offset))


def _copies(tree: ast.AST) -> list[ast.Constant]:
    """The counts of repeated modules, in the order of the source."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _callee(node) == "repeated"]
    counts = [call.args[1] for call in sorted(calls, key=lambda call: call.lineno)]
    return [count for count in counts if isinstance(count, ast.Constant)]


def _callee(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _uses(block: Block) -> set[str]:
    return {_callee(call) for call in _modules(ast.parse(block.text))}


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def _kind(values: tuple[str | None, ...]) -> str:
    """The annotation of a field that takes these values."""
    kinds = {type(ast.literal_eval(str(value))) for value in values}
    optional = type(None) in kinds
    kinds -= {type(None)}
    if len(kinds) > 1 or tuple in kinds:
        return "Any"
    return next(iter(kinds)).__name__ + (" | None" if optional else "")
