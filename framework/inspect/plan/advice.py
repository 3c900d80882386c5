"""The cheapest change that makes a recipe fit, each really compiled, in the order of what it costs.

remat          computes repeated layers twice, and changes no result
accumulation   more, smaller steps for the same mean gradient
smaller batch  another training
fsdp           sends parameters in every step
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from framework.core.errors import ConfigError
from framework.inspect.plan.measured import Measured

MOST = 10
"""Changes that are compiled at most."""


@dataclass(frozen=True)
class Change:
    """Overrides to add.

    Attributes:
      name: what it is called.
      least: bytes that a device needs at the very least with it; what cannot fit is not compiled.
    """

    name: str
    words: tuple[str, ...]
    least: float


@dataclass(frozen=True)
class Attempt:
    """A change and what came of it.

    Attributes:
      peak: bytes, or None where it was not compiled to the end.
      why: what kept it from that.
    """

    change: Change
    peak: int | None
    fits: bool
    why: str = ""


def advise(
    found: Measured, config: Any, hbm: float, compile_with: Callable[[tuple[str, ...]], Measured | None]
) -> list[Attempt]:
    """Try changes until one fits; the last attempt is that one, if any does.

    Args:
      config: the recipe, frozen.
      compile_with: measures the recipe with more overrides; None where that took too long.
    """
    attempts: list[Attempt] = []
    for change in changes(found, config):
        if sum(one.peak is not None for one in attempts) == MOST:
            break
        attempts.append(_attempt(change, hbm, compile_with))
        if attempts[-1].fits:
            break
    return attempts


def _attempt(change: Change, hbm: float, compile_with: Callable[[tuple[str, ...]], Measured | None]) -> Attempt:
    if change.least > hbm:
        return Attempt(change, None, False, "cannot fit, not compiled")
    try:
        made = compile_with(change.words)
    except ConfigError as error:
        return Attempt(change, None, False, f"refused: {error.problems[0].key}: {error.problems[0].found}")
    if made is None:
        return Attempt(change, None, False, "took too long to compile")
    return Attempt(change, made.peak, made.peak <= hbm)


def changes(found: Measured, config: Any) -> Iterator[Change]:
    """All changes that apply, the cheapest first."""
    remat = remat_words(config.network.layers)
    state = found.state
    if remat:
        yield Change("remat", remat, state)
    steps = list(_splits(found))
    sums = 0 if config.optimizer.accumulate_steps > 1 else found.parameters  # of gradients, kept between steps
    for parts in steps:
        least = state + sums + found.temporary / parts
        yield Change(f"accumulation over {parts} steps", accumulation_words(config, parts), least)
    if remat:
        for parts in steps:
            words = (*remat, *accumulation_words(config, parts))
            yield Change(f"remat and accumulation over {parts} steps", words, state + sums)
    for parts in steps:
        words = (f"data.batch_size={config.data.batch_size // parts}",)
        yield Change(f"a batch smaller by {parts}", words, state + found.temporary / parts)
    if found.layout in ("data", "pmap") and found.devices > 1:
        fsdp = ("parallel=fsdp", f"parallel.devices={found.devices}")
        least = found.whole_state / found.devices
        yield Change("fsdp", fsdp, least)
        if remat:
            yield Change("fsdp and remat", (*fsdp, *remat), least)
        for parts in steps:
            words = (*fsdp, *remat, *accumulation_words(config, parts))
            yield Change(f"fsdp{', remat' if remat else ''} and accumulation over {parts} steps", words, least)


def remat_words(layers: Mapping[str, Any]) -> tuple[str, ...]:
    """Overrides that compute repeated nodes again in the backward pass; none where all of them do already."""
    return tuple(
        f"network.layers.{name}.remat=true"
        for name, node in layers.items()
        if isinstance(node, Mapping) and "repeat" in node and node.get("remat") is not True
    )


def accumulation_words(config: Any, parts: int) -> tuple[str, ...]:
    """Overrides that take the same rows in `parts` steps before each update."""
    words = (
        f"data.batch_size={config.data.batch_size // parts}",
        f"optimizer.accumulate_steps={config.optimizer.accumulate_steps * parts}",
    )
    steps = config.trainer.steps
    return words if steps is None else (*words, f"trainer.steps={steps * parts}")


def _splits(found: Measured) -> Iterator[int]:
    """2, 4, 8, ... as long as the rows of a step still divide among devices."""
    rows = math.prod(size for axis, size in found.axes.items() if axis in ("data", "fsdp"))
    parts = 2
    while found.batch_size % (parts * rows) == 0:
        yield parts
        parts *= 2
