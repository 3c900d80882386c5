"""A diagram as Mermaid text: a flowchart from left to right with a subgraph for each opened block."""

from __future__ import annotations

from collections.abc import Iterator

from framework.inspect.drawing.diagram import Diagram, Item, Level, Wire
from framework.inspect.drawing.kinds import KINDS


def mermaid(diagram: Diagram) -> str:
    """The text of a flowchart; ends of opened blocks are left out, and wires join what they lead to."""
    names = {item.path: f"n{number}" for number, item in enumerate(diagram.level.walk())}
    lines = [f"%% {_words(diagram.name)}: {_words(diagram.remark)}", "flowchart LR"]
    lines += _nodes(diagram.level, names, "  ", outermost=True)
    joined = dict.fromkeys(_joined(diagram.level))
    lines += [f"  {names[source]} --> {names[target]}" for source, target in joined]
    used: dict[str, list[str]] = {}
    for item in _shown(diagram.level, outermost=True):
        used.setdefault(item.kind, []).append(names[item.path])
    for kind, members in used.items():
        look = KINDS[kind]
        lines.append(f"  classDef {kind}Kind fill:{look.fill},stroke:{look.line},color:#1f2933")
        lines.append(f"  class {','.join(members)} {kind}Kind")
    return "\n".join(lines) + "\n"


def _nodes(level: Level, names: dict[str, str], indent: str, *, outermost: bool) -> Iterator[str]:
    for item in level.items:
        name = names[item.path]
        if item.inside is not None:
            label = "  ".join(_words(line.text) for line in item.lines)
            yield f'{indent}subgraph {name}["{label}"]'
            yield f"{indent}  direction LR"
            yield from _nodes(item.inside, names, indent + "  ", outermost=False)
            yield f"{indent}end"
        elif outermost or not item.end:
            label = "<br/>".join(_words(line.text) for line in item.lines)
            left, right = ('(["', '"])') if item.end else ('[["', '"]]') if item.folded else ('["', '"]')
            yield f"{indent}{name}{left}{label}{right}"


def _shown(level: Level, *, outermost: bool) -> Iterator[Item]:
    """The items that are nodes of the flowchart."""
    for item in level.items:
        if item.inside is not None:
            yield from _shown(item.inside, outermost=False)
        elif outermost or not item.end:
            yield item


def _joined(level: Level) -> Iterator[tuple[str, str]]:
    """All wires between boxes, through the borders of opened blocks."""
    items = {item.key: item for item in level.items}
    for wire in level.wires:
        for source in _sources(level, items, wire):
            for target in _targets(items[wire.target], wire.slot):
                yield source, target
    for item in level.items:
        if item.inside is not None:
            yield from _inner(item.inside)


def _inner(level: Level) -> Iterator[tuple[str, str]]:
    """The wires of an opened block that touch none of its ends; the others are told from outside."""
    between = tuple(
        wire for wire in level.wires if not wire.source.startswith("input:") and not wire.target.startswith("output:")
    )
    yield from _joined(Level(level.items, between))


def _sources(level: Level, items: dict[str, Item], wire: Wire) -> Iterator[str]:
    """The boxes that give the value of a wire."""
    item = items[wire.source]
    if item.inside is None:
        yield item.path
        return
    ends = item.inside.ends("output")
    wanted = next((end.key for end in ends if end.key == f"output:{wire.output}"), ends[0].key)
    inner = {inside.key: inside for inside in item.inside.items}
    for other in item.inside.wires:
        if other.target != wanted:
            continue
        if not other.source.startswith("input:"):
            yield from _sources(item.inside, inner, other)
            continue
        # The block hands an input on: the value comes from whatever feeds that input.
        slot = [end.key for end in item.inside.ends("input")].index(other.source)
        for feeding in level.wires:
            if feeding.target == wire.source and feeding.slot == slot:
                yield from _sources(level, items, feeding)


def _targets(item: Item, slot: int) -> Iterator[str]:
    """The boxes that read the value at an input; what is handed on to an output is told from there."""
    if item.inside is None:
        yield item.path
        return
    start = item.inside.ends("input")[slot].key
    inner = {inside.key: inside for inside in item.inside.items}
    for wire in item.inside.wires:
        if wire.source == start and not wire.target.startswith("output:"):
            yield from _targets(inner[wire.target], wire.slot)


def _words(text: str) -> str:
    """With what Mermaid takes for its own signs written as entities."""
    entities = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": " "}
    return "".join(entities.get(letter, letter) for letter in text)
