"""What one worker runs at a time: the members of one compile signature, or a part of them."""

from __future__ import annotations

from collections.abc import Sequence

from framework.sweep.grouping import Group
from framework.sweep.members import Member

Unit = tuple[Member, ...]


def cut(groups: Sequence[Group], workers: int, *, whole: bool, most: int | None = None) -> list[Unit]:
    """Groups as units of work, the largest first.

    A part of a group is compiled anew, so a group is cut only into parts of a worker's fair share of all members.

    Args:
      workers: how many run at a time.
      whole: no group is cut, as its members look at each other.
      most: members of a unit at most.
    """
    total = sum(len(group.members) for group in groups)
    share = max(1, -(-total // workers))
    size = min(share, most) if most else share
    units: list[Unit] = []
    for group in groups:
        parts = 1 if whole else -(-len(group.members) // size)
        for index in range(parts):
            start, end = (len(group.members) * place // parts for place in (index, index + 1))
            units.append(group.members[start:end])
    return sorted(units, key=len, reverse=True)
