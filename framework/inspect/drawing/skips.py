"""Which wires are skips: past nodes that read the same value on their way to the same target."""

from __future__ import annotations

from framework.inspect.drawing.diagram import Level, Wire


def skipping(level: Level) -> frozenset[Wire]:
    """The wires whose value also reaches their target through other nodes.

    A node that gives what it is given, such as `identity`, is part of the skip that leads through it.
    """
    passing = {item.key for item in level.items if item.passes}
    given = {wire.target: wire.source for wire in level.wires if wire.target in passing}
    targets: dict[str, set[str]] = {}
    for wire in level.wires:
        targets.setdefault(wire.source, set()).add(wire.target)
    reach: dict[str, set[str]] = {}
    for key in reversed([item.key for item in level.items]):
        reach[key] = set().union(*(reach[other] | {other} for other in targets.get(key, ())))

    def origin(key: str) -> tuple[str, str]:
        """The node that made a value, and the first of those that hand it on."""
        first = ""
        while key in given:
            key, first = given[key], key
        return key, first

    found = set()
    for wire in level.wires:
        source, first = origin(wire.source)
        beside = targets[source] - {wire.target, first} - (passing if first else set())
        if wire.target not in passing and any(wire.target in reach[other] for other in beside):
            found.add(wire)
    for key in reversed([item.key for item in level.items]):
        ahead = [wire for wire in level.wires if wire.source == key]
        if key in passing and ahead and all(wire in found for wire in ahead):
            found |= {wire for wire in level.wires if wire.target == key}
    return frozenset(found)
