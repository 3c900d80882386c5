"""What one step sends between devices, at the cost of ring algorithms.

Of n devices in a group, each sends, for a result (or, of a reduce-scatter, an operand) of b bytes,

    all-reduce                     2 (n - 1) / n  b
    all-gather, reduce-scatter       (n - 1) / n  b     where b is the whole array
    all-to-all                       (n - 1) / n  b
    collective-permute                             b

Source: Patarasuk and Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, 2009.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from framework.inspect.plan.program import Executed, Instruction, Program, shape_bytes

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")

_LISTED = re.compile(r"replica_groups=\{\{([\d,]+)\}")
_TILED = re.compile(r"replica_groups=\[\d+,(\d+)\]<=")
_MESH = re.compile(r"replica_groups=mesh\[([^\]]*)\][^{]*\{([^}]*)\}")
_AXIS = re.compile(r"'([^']+)'(?::\(\d+\)(\d+))?")


@dataclass(frozen=True)
class Collective:
    """One kind of collective over groups of one size.

    Attributes:
      count: how many a step executes.
      payload: bytes of the whole arrays, of all of them.
    """

    kind: str
    group: int
    count: int
    payload: int

    @property
    def sent(self) -> float:
        """Bytes that each device sends in a step."""
        return ring_bytes(self.kind, self.group, self.payload)


def ring_bytes(kind: str, group: int, payload: float) -> float:
    """Bytes that each of `group` devices sends for whole arrays of `payload` bytes."""
    share = (group - 1) / group
    factor = {"all-reduce": 2 * share, "collective-permute": 1.0 if group > 1 else 0.0}.get(kind, share)
    return factor * payload


def collectives(program: Program, devices: int) -> tuple[Collective, ...]:
    """All collectives of a step, by kind and size of group, the costliest first.

    Args:
      devices: of the program; a collective that names no groups is over all of them.
    """
    found: dict[tuple[str, int], list[int]] = {}
    for each in program.executed():
        opcode = each.instruction.opcode
        kind = opcode.removesuffix("-start")
        if kind not in KINDS:
            continue
        group = _group(each.instruction.rest, devices) if kind != "collective-permute" else devices
        entry = found.setdefault((kind, group), [0, 0])
        entry[0] += each.times
        entry[1] += each.times * _payload(kind, group, each)
    made = (Collective(kind, group, count, payload) for (kind, group), (count, payload) in found.items() if group > 1)
    return tuple(sorted(made, key=lambda one: -one.sent))


def total_sent(found: Sequence[Collective]) -> float:
    """Bytes that each device sends in a step."""
    return sum(one.sent for one in found)


def _payload(kind: str, group: int, each: Executed) -> int:
    """Bytes of the whole array that a collective makes or takes."""
    size = _result_bytes(kind, each.instruction)
    return size * group if kind == "reduce-scatter" else size


def _result_bytes(kind: str, instruction: Instruction) -> int:
    """Of an asynchronous start, whose result also holds what it was given, the part that is made."""
    shapes = instruction.shapes
    if instruction.opcode.endswith("-start") and kind != "all-reduce":
        count = len(instruction.operands)
        shapes = shapes[count : 2 * count]
    return sum(map(shape_bytes, shapes))


def _group(text: str, devices: int) -> int:
    if found := _LISTED.search(text):
        return len(found[1].split(","))
    if found := _TILED.search(text):
        return int(found[1])
    if found := _MESH.search(text):
        sizes = {name: int(size) for name, size in re.findall(r"'([^']+)'=(\d+)", found[1])}
        # A group may go over a part of an axis, which is written 'axis':(before)size.
        return math.prod(int(part) if part else sizes[name] for name, part in _AXIS.findall(found[2]))
    return devices
