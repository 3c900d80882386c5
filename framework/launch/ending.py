"""How a process of a job ended, in words."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

LOST = 75
"""Exit code of a process that lost another one of its job; that one tells what happened."""
SIGNALLED = 128
"""Exit codes from here on tell of a signal: the process was asked to stop and saved itself, or it was killed."""
REPEATED = (1, 2, 126, 127)
"""Exit codes of what another attempt would only repeat: a defect, a mistake, a command that cannot be run, or none."""


def goes_on(exit_code: int) -> bool:
    """Whether another attempt may go on where a process with this exit code has ended."""
    return exit_code == LOST or exit_code >= SIGNALLED


@dataclass(frozen=True)
class Ending:
    """A process that has ended with something else than 0.

    Attributes:
      rank: which process.
      status: its exit code; negative: the number of the signal that ended it.
      asked: whether the launcher sent that signal.
    """

    rank: int
    status: int
    asked: bool = False

    @property
    def exit_code(self) -> int:
        """As a shell would report it: 128 + signal."""
        return self.status if self.status >= 0 else SIGNALLED - self.status

    def __str__(self) -> str:
        if self.status >= 0:
            return f"rank {self.rank} ended with exit code {self.status}"
        name = signal.Signals(-self.status).name
        by = " by the launcher, as it did not end by itself" if self.asked else ""
        return f"rank {self.rank} was ended by {name}{by}"


def explain(endings: Sequence[Ending], processes: int) -> str:
    """One line on the first that failed, and one on each that followed it."""
    first, *others = endings
    lines = [f"{first}, the first of {processes}" if processes > 1 else str(first)]
    return "\n".join([*lines, *(f"  then {other}" for other in others)])
