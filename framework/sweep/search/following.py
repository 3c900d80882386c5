"""What other processes do with a sweep's trials, as the ledger has it, told to those who watch this one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from framework.sweep.ledger import Row
from framework.sweep.members import Director, Ending

LOOK_S = 1.0


class Following:
    """Looks at the ledger once a second and tells a director of trials that began and ended since.

    Trials that were over before are not told of. What a member is like on its way is not in the ledger.

    Args:
      rows: gives the ledger's rows.
      expect: is given rows that are new, before anything is told of them.
      director: is told.
    """

    def __init__(
        self,
        rows: Callable[[], Sequence[Row]],
        expect: Callable[[Sequence[Row]], None],
        director: Director,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = rows
        self._expect = expect
        self._director = director
        self._clock = clock
        self._looked = clock()
        self._over = {row.number: row.attempts for row in rows() if row.ended}
        self._expected: set[int] = set()
        self._begun: dict[int, int] = {}

    def look(self, *, last: bool = False) -> None:
        """Tell what is new, at most once a second.

        Args:
          last: now, as nobody will look again.
        """
        if not last and self._clock() - self._looked < LOOK_S:
            return
        self._looked = self._clock()
        # A trial that is tried once more counts as another one.
        rows = [row for row in self._rows() if self._over.get(row.number) != row.attempts or not row.ended]
        new = [row for row in rows if row.number not in self._expected]
        if new:
            self._expect(new)
            self._expected.update(row.number for row in new)
        begun = [row for row in rows if row.started and self._begun.get(row.number) != row.attempts]
        if begun:
            self._director.started([row.number for row in begun])
            self._begun |= {row.number: row.attempts for row in begun}
        for row in rows:
            if row.ended:
                self._over[row.number] = row.attempts
                self._director.ended(row.number, _ending(row))


def _ending(row: Row) -> Ending:
    return Ending(row.status, row.metrics, row.seconds or 0.0, row.error)  # type: ignore[arg-type]
