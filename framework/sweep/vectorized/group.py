"""Members of one compile signature, in parts that fit the memory, from where each was left to its end."""

from __future__ import annotations

import gc
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from framework.build.state import State
from framework.core.errors import FrameworkError
from framework.sweep.directors import Directors
from framework.sweep.members import Director, Ending, EndStatus, Member
from framework.sweep.vectorized import NotTogetherError, memory
from framework.sweep.vectorized.devices import member_devices, together
from framework.sweep.vectorized.homes import Home, close_homes, open_homes
from framework.sweep.vectorized.part import Part
from framework.sweep.vectorized.program import GroupProgram
from framework.train.feed import is_resident
from framework.train.setup import Setup

MOST_MEMBERS = 1024
"""At most so many at once: each holds an open file."""


class Once(Directors):
    """Tells a director that a member began or is over once, also where the member is taken up again.

    Attributes:
      over: members whose ending was told.
    """

    def __init__(self, director: Director) -> None:
        super().__init__([director])
        self._begun: set[int] = set()
        self.over: set[int] = set()

    def started(self, numbers: Sequence[int]) -> None:
        """Tell of those that are new."""
        new = [number for number in numbers if number not in self._begun]
        self._begun.update(new)
        if new:
            super().started(new)

    def ended(self, number: int, ending: Ending) -> None:
        """Tell of the first ending."""
        if number not in self.over:
            self.over.add(number)
            super().ended(number, ending)

    def left(self, members: Sequence[Member]) -> list[Member]:
        """Those of the members that are not over."""
        return [member for member in members if member.number not in self.over]


class Programs:
    """The programs of a group, one for each number of members that run together and of steps in a dispatch."""

    def __init__(self, setup: Setup, devices: tuple[Any, ...], width: int | None) -> None:
        self._setup = setup
        self._devices = devices
        self._width = width
        self._made: dict[tuple[int, int], GroupProgram] = {}

    def of(self, count: int, capacity: int) -> GroupProgram:
        """The functions for `count` members and at most `capacity` steps in a dispatch."""
        if (count, capacity) not in self._made:
            self._made[count, capacity] = self._program(count, capacity)
        return self._made[count, capacity]

    def clear(self) -> None:
        """Let go of what was compiled."""
        self._made.clear()

    def _program(self, count: int, capacity: int) -> GroupProgram:
        setup, data, kept = self._setup, self._setup.config.data, self._setup.config.checkpoint
        rows = len(setup.dataset.splits["train"])
        return GroupProgram(
            setup.experiment,
            count,
            devices=self._devices,
            width=self._width,
            capacity=capacity,
            # Without checkpoints a run alone is evaluated as it ended, and so is a member.
            keeps_best=kept.enabled and kept.monitor is not None and "valid" in setup.dataset.splits,
            masked=data.last_batch == "mask" and rows % data.batch_size != 0,
            known=setup.known,
        )


def run(
    members: Sequence[Member], director: Director, width: int | None, tell: Callable[[str], None], setup: Setup | None
) -> None:
    """See `framework.sweep.vectorized.run_group`."""
    first = members[0].loaded
    parallel = first.config.parallel
    if parallel.type not in ("auto", "single"):
        raise NotTogetherError(f"parallel={parallel.type} lays each member out over several devices")
    devices = member_devices(parallel)
    width = width or together(devices)
    if setup is None:
        setup = Setup(first)
        setup.check_once()
    setup.check_splits(first.config.run.stages)
    _require_resident(setup)
    like = setup.shapes
    most = min(MOST_MEMBERS, memory.fitting(like, devices))
    told, waiting = Once(director), list(members)
    programs = Programs(setup, devices, width)
    while waiting:
        chunk, waiting = waiting[:most], waiting[most:]
        if _ends(setup, chunk, told, programs, like):
            continue
        left = told.left(chunk)
        programs.clear()
        # What did not fit once is not tried again for those that still wait.
        most = -(-len(left) // 2)
        waiting = left + waiting
        tell(f"{len(left)} trials do not fit the memory together; going on with {most} at a time")
        gc.collect()  # a failed part holds arrays in a cycle with its exception


def _ends(setup: Setup, chunk: Sequence[Member], told: Once, programs: Programs, like: State) -> bool:
    """Run members; whether all are over. If not, memory ran out."""
    try:
        _run_chunk(setup, chunk, told, programs, like)
    except FrameworkError:
        raise
    except Exception as error:
        if not memory.ran_out(error):
            _fail(told.left(chunk), told, "failed", traceback.format_exc())
        elif len(chunk) == 1:
            _fail(chunk, told, "out_of_memory", str(error))
        else:
            return not told.left(chunk)
    return True


def _run_chunk(setup: Setup, members: Sequence[Member], director: Director, programs: Programs, like: State) -> None:
    """Those that were left at the same step go on together."""
    homes = open_homes(members, setup.dataset.facts(), like)
    try:
        by_step: dict[int, list[tuple[Member, Home]]] = defaultdict(list)
        for member, home in zip(members, homes, strict=True):
            by_step[home.step].append((member, home))
        for step in sorted(by_step):
            Part(setup, by_step[step], director, programs.of, like).run()
    finally:
        close_homes(homes)


def _require_resident(setup: Setup) -> None:
    for split in setup.dataset.splits:
        size = setup.dataset.nbytes(split)
        if not is_resident(setup.config.data.resident, size):
            raise NotTogetherError(f"the split '{split}' is streamed and not kept on the device ({size:,} bytes)")


def _fail(members: Sequence[Member], director: Director, status: EndStatus, error: str) -> None:
    for member in members:
        director.ended(member.number, Ending(status, {}, 0.0, error))
