"""A plan in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from framework.inspect.plan.measured import Measured
from framework.inspect.plan.planning import Outcome, Plan
from framework.inspect.plan.quantities import show_bytes, show_count, show_time
from framework.inspect.plan.roofline import Hardware


def heading(found: Measured) -> str:
    """`8 x fsdp`, or of a mesh `data 2 fsdp 4`."""
    if len(found.axes) > 1:
        return " ".join(f"{axis} {size}" for axis, size in found.axes.items())
    return f"{found.devices} x {found.layout}"


def rows(made: Plan) -> list[tuple[str, ...]]:
    """A row for each quantity, a column for each number of devices."""
    found = [one.found for one in made.outcomes]
    lines = [
        ("rows of the batch", [f"{one.batch_size:,} in all" for one in found]),
        ("parameters", [show_bytes(one.parameters) for one in found]),
        ("optimizer state", [show_bytes(one.optimizer) for one in found]),
        ("other state", [show_bytes(one.other) for one in found]),
        ("gradients", [show_bytes(one.gradients) for one in found]),
        ("temporaries", [show_bytes(one.temporary) for one in found]),
        ("peak memory", [show_bytes(one.peak) for one in found]),
    ]
    if made.hardware.hbm is not None:
        share = [f"{'yes' if one.fits else 'NO'}, {one.found.peak / made.hardware.hbm:.3g}x" for one in made.outcomes]
        lines.append((f"fits {show_bytes(made.hardware.hbm)}", share))
    lines += [
        ("FLOPs", [show_count(one.flops) for one in found]),
        ("memory traffic", [show_bytes(one.moved) for one in found]),
        ("sent to others", [show_bytes(one.sent) for one in found]),
    ]
    return [(name, *cells) for name, cells in (*lines, *_time_lines(made))]


def _time_lines(made: Plan) -> Iterator[tuple[str, list[str]]]:
    told = [one.times for one in made.outcomes]
    for name in ("compute", "memory", "network"):
        values = [getattr(one, name) for one in told]
        if None not in values:
            yield f"time: {name}", [show_time(value) for value in values]
    hardware = made.hardware
    if hardware.flops is None and hardware.memory_bandwidth is None and hardware.bandwidth is None:
        return
    yield "step, nothing overlapped", [show_time(one.apart) for one in told]
    yield "step, all overlapped", [show_time(one.overlapped) for one in told]
    yield "bound by", [one.bound for one in told]
    if hardware.flops is not None:
        yield "efficiency", [_efficiencies(one) for one in told]


def _efficiencies(one: Any) -> str:
    low, high = (one.efficiency(step) or 0.0 for step in (one.apart, one.overlapped))
    return f"{low:.1%}" if f"{low:.1%}" == f"{high:.1%}" else f"{low:.1%} to {high:.1%}"


def collective_rows(found: Measured) -> list[tuple[str, ...]]:
    """A row for each kind of collective and size of group."""
    return [
        (one.kind, str(one.group), f"{one.count:,}", show_bytes(one.payload), show_bytes(one.sent))
        for one in found.collectives
    ]


def advice(outcome: Outcome, hardware: Hardware) -> Iterator[str]:
    """What was tried where it does not fit, and the override to type."""
    if outcome.fits is not False or hardware.hbm is None:
        return
    yield ""
    yield (
        f"{outcome.found.devices} devices: {show_bytes(outcome.found.peak)} do not fit {show_bytes(hardware.hbm)}. "
        "Tried, the cheapest first:"
    )
    # Changes that failed for the same reason, one after the other, share a line.
    for why, group in groupby(outcome.attempts, key=lambda one: one.why):
        named = list(group)
        if why:
            yield f"  {', '.join(one.change.name for one in named)}: {why}"
            continue
        for one in named:
            peak = "" if one.peak is None else f"peak {show_bytes(one.peak)}"
            yield f"  {one.change.name}: {peak}{', fits' if one.fits else ''}"
    last = outcome.attempts[-1] if outcome.attempts else None
    if last is not None and last.fits:
        yield f"  fix:       {' '.join(last.change.words)}"
    else:
        yield "  no change that was tried makes it fit: more devices, or a smaller model"


def notes(made: Plan) -> Iterator[str]:
    """How the numbers came about, and what they leave out."""
    yield "Gradients lie among the temporaries. Peak, by XLA: arguments, results in memory of their own, temporaries."
    yield "data.batch_size is of all devices together. Compiled by XLA for the CPU, whose buffers, fusions and choice"
    yield "of collectives differ from an accelerator's; kernels for attention there may keep less."
    if any("fsdp" in one.found.axes for one in made.outcomes):
        yield "It sums gradients by all-reduce where an accelerator may use reduce-scatter, which sends half as much."
    hardware = made.hardware
    wanted = {
        "--flops": hardware.flops,
        "--bandwidth": hardware.bandwidth,
        "--memory-bandwidth": hardware.memory_bandwidth,
    }
    lacking = [name for name, value in wanted.items() if value is None]
    if lacking:
        yield f"Not told, and counted as no time: {', '.join(lacking)}."
    for one in made.outcomes:
        if one.found.unknown_loops:
            yield f"{one.found.devices} devices: {one.found.unknown_loops} loops of unknown length count as one pass."
        for remark in one.found.remarks:
            yield f"{one.found.devices} devices: {remark}"


def as_json(made: Plan) -> dict[str, Any]:
    """The plan as plain values; bytes, FLOPs and seconds, of each device."""
    outcomes = []
    for one in made.outcomes:
        found = one.found.to_json() | {"peak": one.found.peak, "sent": one.found.sent}
        seconds = asdict(one.times) | {"apart": one.times.apart, "overlapped": one.times.overlapped}
        attempts = [
            {"change": each.change.name, "overrides": list(each.change.words), "peak": each.peak, "fits": each.fits}
            for each in one.attempts
        ]
        outcomes.append({"found": found, "seconds": seconds, "fits": one.fits, "attempts": attempts})
    return {"recipe": made.subject, "hardware": asdict(made.hardware), "outcomes": outcomes}
