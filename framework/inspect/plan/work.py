"""What one step computes and moves in a device's own memory."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from framework.inspect.plan.program import Executed, Instruction, Program, Shape

_CONTRACTED = re.compile(r"lhs_contracting_dims=\{([\d,]*)\}")
_LABELS = re.compile(r"dim_labels=(\w+)_(\w+)->(\w+)")
_NO_TRAFFIC = frozenset(
    ("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "call", "conditional", "after-all",
     "partition-id", "replica-id", "iota")
)  # fmt: skip


def repeated_flops(program: Program) -> float:
    """Floating-point operations of products and convolutions in the passes of a loop after its first.

    XLA's own count takes the body of a loop once.
    """
    return sum(_flops(each) * (each.times - 1) for each in program.executed() if each.times > 1)


def product_flops(program: Program) -> float:
    """Floating-point operations of all products and convolutions of a step."""
    return sum(_flops(each) * each.times for each in program.executed())


def traffic(program: Program, arguments: int) -> float:
    """Bytes that a step moves: every argument read once, every result written once and read once.

    What is fused stays in registers. An update of a slice in place moves the slice.
    """
    inside = {name for each in program.executed() if each.instruction.opcode == "fusion"
              for name in each.instruction.called}  # fmt: skip
    moved = 0
    for each in _outside(program, inside):
        if each.instruction.opcode not in _NO_TRAFFIC:
            moved += 2 * each.times * _written(each, program)
    return arguments + moved


def _outside(program: Program, fused: set[str]) -> list[Executed]:
    members = {id(program.computations[name].instructions) for name in fused if name in program.computations}
    return [each for each in program.executed() if id(each.within) not in members]


def _written(each: Executed, program: Program) -> int:
    instruction, within = each.instruction, each.within
    if instruction.opcode == "fusion" and instruction.called:
        body = program.computations[instruction.called[0]].instructions
        update = _update(list(body.values())[-1], body)
    else:
        update = _update(instruction, within)
    return instruction.nbytes if update is None else update


def _update(root: Instruction, within: Mapping[str, Instruction]) -> int | None:
    """Bytes of the slice that is written, where the result is an array updated in place."""
    while root.opcode == "bitcast" and root.operands and root.operands[0] in within:
        root = within[root.operands[0]]
    if root.opcode != "dynamic-update-slice" or len(root.operands) < 2 or root.operands[1] not in within:
        return None
    return within[root.operands[1]].nbytes


def _flops(each: Executed) -> float:
    instruction = each.instruction
    if instruction.opcode not in ("dot", "convolution") or len(instruction.operands) < 2:
        return 0.0
    operands = [_shape(each.within.get(name)) for name in instruction.operands[:2]]
    results = math.prod(instruction.shapes[0][1])
    left, right = operands
    if left is None or right is None:
        return 0.0
    if instruction.opcode == "dot":
        found = _CONTRACTED.search(instruction.rest)
        axes = [int(axis) for axis in found[1].split(",") if axis] if found else []
        return 2.0 * results * math.prod(left[1][axis] for axis in axes)
    labels = _LABELS.search(instruction.rest)
    if labels is None:
        return 0.0
    # Each result sums over the kernel's window and its input features, whatever the number of groups.
    return 2.0 * results * math.prod(right[1]) / right[1][labels[2].index("o")]


def _shape(instruction: Instruction | None) -> Shape | None:
    return instruction.shapes[0] if instruction is not None and instruction.shapes else None
