"""The text of a compiled program as instructions, each with how often a step executes it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{\s*$")
_LINE = re.compile(r"^\s+(ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([a-z][\w\-]*)\((.*)$")
_SHAPE = re.compile(r"([a-z]+\d*[a-z0-9]*)\[([\d,<= ]*)\]")
_BITS = re.compile(r"[a-z]+(\d+)")
_CALLED = re.compile(r"(?:body|condition|calls|true_computation|false_computation)=%?([\w.\-]+)")
_APPLIED = re.compile(r"to_apply=%?([\w.\-]+)")
_BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")
_TRIPS = re.compile(r'known_trip_count\D{0,8}"?n"?\D{0,4}(\d+)')
_OPERAND = re.compile(r"%([\w.\-]+)")

Shape = tuple[str, tuple[int, ...]]


def shape_bytes(shape: Shape) -> int:
    """Bytes of an array; a truth value takes one."""
    bits = _BITS.match(shape[0])
    return math.ceil(math.prod(shape[1]) * (int(bits[1]) if bits else 8) / 8)


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
      shapes: of its result; several where that is a tuple.
      operands: names of instructions of the same computation.
      rest: what follows the operation's name and bracket.
    """

    name: str
    opcode: str
    shapes: tuple[Shape, ...]
    operands: tuple[str, ...]
    rest: str

    @property
    def nbytes(self) -> int:
        """Bytes of the result."""
        return sum(map(shape_bytes, self.shapes))

    @property
    def trips(self) -> int | None:
        """How often a loop runs, where XLA found out; None elsewhere."""
        found = _TRIPS.search(self.rest)
        return int(found[1]) if found else None

    @property
    def called(self) -> tuple[str, ...]:
        """The computations that it executes."""
        names = _CALLED.findall(self.rest)
        names += _APPLIED.findall(self.rest) if self.opcode == "call" else []
        for group in _BRANCHES.findall(self.rest):
            names += [name.strip().lstrip("%") for name in group.split(",")]
        return tuple(names)


@dataclass
class Computation:
    """A computation: instructions by name, in order."""

    instructions: dict[str, Instruction] = field(default_factory=dict)


@dataclass(frozen=True)
class Executed:
    """An instruction, the computation it stands in, and how often one step executes it."""

    instruction: Instruction
    within: Mapping[str, Instruction]
    times: int


@dataclass(frozen=True)
class Program:
    """All computations of a compiled program by name, and the one it begins with."""

    computations: Mapping[str, Computation]
    entry: str

    @classmethod
    def parse(cls, text: str) -> Program:
        """Read `compiled.as_text()`."""
        computations: dict[str, Computation] = {}
        entry, current = "", Computation()
        for line in text.splitlines():
            if head := _HEAD.match(line):
                current = computations[head[2]] = Computation()
                entry = head[2] if head[1] else entry
            elif found := _LINE.match(line):
                _, name, shape, opcode, rest = found.groups()
                operands = tuple(_OPERAND.findall(rest.split(")", 1)[0]))
                current.instructions[name] = Instruction(name, opcode, _shapes(shape), operands, rest)
        return cls(computations, entry)

    def executed(self) -> Iterator[Executed]:
        """Every instruction with its count. A loop of unknown length counts once, and so does each branch."""
        yield from self._executed(self.entry, 1)

    @property
    def unknown_loops(self) -> int:
        """Loops whose length XLA does not tell."""
        return sum(each.instruction.opcode == "while" and each.instruction.trips is None for each in self.executed())

    def _executed(self, name: str, times: int) -> Iterator[Executed]:
        computation = self.computations.get(name)
        if computation is None:
            return
        for instruction in computation.instructions.values():
            yield Executed(instruction, computation.instructions, times)
            inner = times * (instruction.trips or 1) if instruction.opcode == "while" else times
            for called in instruction.called:
                yield from self._executed(called, inner)


def _shapes(text: str) -> tuple[Shape, ...]:
    found = _SHAPE.findall(text)
    return tuple(
        (dtype, tuple(int(size.strip(" <=")) for size in sizes.split(",") if size.strip())) for dtype, sizes in found
    )
