"""What was read of one compiled program, as plain numbers that travel between processes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from framework.inspect.plan.collectives import Collective, total_sent


@dataclass(frozen=True)
class Measured:
    """One step of a recipe on one device of so many. Bytes are of each device.

    Attributes:
      devices: how many the recipe is laid out over.
      compiled: how many the program was really compiled for; where fewer, the rest is closed form.
      layout: e.g. `fsdp`, with `auto` decided.
      axes: axis -> size.
      batch_size: rows of a step on all devices together.
      gradients: bytes of gradients laid out as parameters are; part of `temporary`.
      other: statistics, moving average, counters, keys.
      arguments, outputs, aliased, temporary: XLA's memory analysis.
      whole_state: bytes of the state on one device.
      flops: floating-point operations of a device; loops counted as often as they run.
      xla_flops: XLA's own count, which takes the body of a loop once.
      moved: bytes read and written in the device's memory.
      unknown_loops: loops that count once because XLA does not know their length.
      remarks: what the layout had to say.
    """

    devices: int
    compiled: int
    layout: str
    axes: dict[str, int]
    batch_size: int
    parameters: int
    gradients: int
    optimizer: int
    other: int
    arguments: int
    outputs: int
    aliased: int
    temporary: int
    whole_state: int
    flops: float
    xla_flops: float
    moved: float
    collectives: tuple[Collective, ...]
    unknown_loops: int
    remarks: tuple[str, ...]

    @property
    def state(self) -> int:
        """Bytes of the state on each device."""
        return self.parameters + self.optimizer + self.other

    @property
    def activations(self) -> int:
        """Temporary bytes that are not gradients: activations and scratch space."""
        return max(0, self.temporary - self.gradients)

    @property
    def peak(self) -> int:
        """Bytes that a device needs: arguments, results that reuse none of them, and temporaries."""
        return self.arguments + self.outputs - self.aliased + self.temporary

    @property
    def sent(self) -> float:
        """Bytes that each device sends in a step."""
        return total_sent(self.collectives)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Measured:
        """The inverse of `to_json`."""
        made = [Collective(**one) for one in values["collectives"]]
        return cls(**{**values, "collectives": tuple(made), "remarks": tuple(values["remarks"])})
