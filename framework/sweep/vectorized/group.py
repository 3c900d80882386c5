"""Members of one compile signature, in parts that fit the memory, from where each was left to its end."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import jax

from framework.build.state import State
from framework.core.errors import FrameworkError
from framework.sweep.members import Director, Ending, Member
from framework.sweep.vectorized import NotTogetherError, memory
from framework.sweep.vectorized.devices import member_devices, together
from framework.sweep.vectorized.homes import Home, close_homes, open_homes
from framework.sweep.vectorized.part import Part
from framework.train.feed import is_resident
from framework.train.setup import Setup

MOST_MEMBERS = 1024
"""At most so many at once: each holds an open file."""


def run(members: Sequence[Member], director: Director, width: int | None) -> None:
    """See `framework.sweep.vectorized.run_group`."""
    first = members[0].loaded
    parallel = first.config.parallel
    if parallel.type not in ("auto", "single"):
        raise NotTogetherError(f"parallel={parallel.type} lays each member out over several devices")
    devices = member_devices(parallel)
    width = width or together(devices)
    setup = Setup(first)
    setup.check()
    setup.check_splits(first.config.run.stages)
    _require_resident(setup)
    like = jax.eval_shape(setup.experiment.init)
    most = min(MOST_MEMBERS, memory.fitting(like, devices))
    waiting = [list(members[start : start + most]) for start in range(0, len(members), most)]
    while waiting:
        chunk = waiting.pop(0)
        try:
            _run_chunk(setup, chunk, director, devices, like, width)
        except Exception as error:
            if isinstance(error, FrameworkError):
                raise
            if not memory.ran_out(error):
                _fail(chunk, director, "failed", traceback.format_exc())
            elif len(chunk) == 1:
                _fail(chunk, director, "out_of_memory", str(error))
            else:
                half = -(-len(chunk) // 2)
                waiting[:0] = [chunk[:half], chunk[half:]]


def _run_chunk(
    setup: Setup,
    members: Sequence[Member],
    director: Director,
    devices: tuple[Any, ...],
    like: State,
    width: int | None,
) -> None:
    """Those that were left at the same step go on together."""
    homes = open_homes(members, setup.dataset.facts(), like)
    try:
        by_step: dict[int, list[tuple[Member, Home]]] = defaultdict(list)
        for member, home in zip(members, homes, strict=True):
            by_step[home.step].append((member, home))
        for step in sorted(by_step):
            Part(setup, by_step[step], director, devices, width).run()
    finally:
        close_homes(homes)


def _require_resident(setup: Setup) -> None:
    for split in setup.dataset.splits:
        size = setup.dataset.nbytes(split)
        if not is_resident(setup.config.data.resident, size):
            raise NotTogetherError(f"the split '{split}' is streamed and not kept on the device ({size:,} bytes)")


def _fail(members: Sequence[Member], director: Director, status: Any, error: str) -> None:
    for member in members:
        director.ended(member.number, Ending(status, {}, 0.0, error))
