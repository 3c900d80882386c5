"""How long a step takes at best: what is computed, moved and sent, each at the rate that the hardware has.

    compute = flops / peak flops        memory = moved / memory bandwidth        network = sent / bandwidth
    on a device = max(compute, memory)
    step, nothing overlapped = on a device + network       step, all overlapped = max(on a device, network)

Efficiency is compute / step: the share of peak FLOPs that is used.
Source: Williams, Waterman and Patterson, Roofline: an insightful visual performance model, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass

from framework.inspect.plan.measured import Measured


@dataclass(frozen=True)
class Hardware:
    """One device. What is None is not told.

    Attributes:
      hbm: bytes of memory.
      flops: floating-point operations per second, at the precision of the recipe.
      bandwidth: bytes per second that it can send to other devices.
      memory_bandwidth: bytes per second of its memory.
    """

    hbm: float | None = None
    flops: float | None = None
    bandwidth: float | None = None
    memory_bandwidth: float | None = None


@dataclass(frozen=True)
class Times:
    """Seconds of a step; what the hardware does not tell is None and counts as nothing."""

    compute: float | None
    memory: float | None
    network: float | None

    @property
    def on_device(self) -> float:
        """The longer of computing and moving."""
        return max(self.compute or 0.0, self.memory or 0.0)

    @property
    def apart(self) -> float:
        """A step that sends only while it does nothing else."""
        return self.on_device + (self.network or 0.0)

    @property
    def overlapped(self) -> float:
        """A step that hides the shorter of sending and working behind the other."""
        return max(self.on_device, self.network or 0.0)

    def efficiency(self, step: float) -> float | None:
        """The share of peak FLOPs that a step of so many seconds uses."""
        return self.compute / step if self.compute is not None and step > 0 else None

    @property
    def bound(self) -> str:
        """What takes longest."""
        named = {"compute": self.compute, "memory": self.memory, "network": self.network}
        known = {name: value for name, value in named.items() if value is not None}
        return max(known, key=lambda name: known[name]) if known else ""


def times(found: Measured, hardware: Hardware) -> Times:
    """The times of one step."""
    return Times(
        _over(found.flops, hardware.flops),
        _over(found.moved, hardware.memory_bandwidth),
        _over(found.sent, hardware.bandwidth),
    )


def _over(amount: float, rate: float | None) -> float | None:
    return None if rate is None else amount / rate
