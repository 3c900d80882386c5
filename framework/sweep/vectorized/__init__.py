"""Runs the members of a group, which differ in traced values and seeds alone, as one compiled program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from framework.sweep.members import Director, Member
    from framework.train.setup import Setup


class NotTogetherError(Exception):
    """Why members cannot run as one program; nothing has been started."""


def run_group(
    members: Sequence[Member],
    director: Director,
    *,
    width: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
    setup: Setup | None = None,
) -> None:
    """Train and evaluate members of one compile signature as one program, each in its own run directory.

    Each ends as a run alone would, to the last digits of its numbers. A group that does not fit the memory is taken in
    parts; where memory runs out all the same, in smaller ones.

    Args:
      members: in the order in which they are numbered.
      director: is told what happens, and decides who stops and who copies whom.
      width: how many members a device computes together by `vmap`; None: what suits the device.
      tell: says a line to whoever watches.
      setup: of the first member, where its recipe was checked before.

    Raises:
      NotTogetherError: they need several devices each, or data that does not fit the device; nothing was started.
      ConfigError: the recipe or its data has problems; nothing was started.
      RunError: a run directory cannot be used, or the disk is full.
      Interrupted: a signal asked to stop; every member saved itself.
    """
    from framework.sweep.vectorized.group import run

    run(members, director, width, tell, setup)
