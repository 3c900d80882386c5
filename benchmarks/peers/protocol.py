"""What every peer speaks: it is ready, then takes as many steps as it is told, and tells how long they took.

    -> ready PARAMETERS NAME AND VERSION     once, when the model stands
    <- run STEPS
    -> done STEPS SECONDS LOSS               how many steps were taken, and their latest loss
    <- memory
    -> memory BYTES                          the most memory that the process had resident
The end of the input ends the process.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import Protocol


class Peer(Protocol):
    """A model with its training loop."""

    @property
    def parameters(self) -> int:
        """How many trained numbers the model has."""
        ...

    @property
    def version(self) -> str:
        """What trains it, in words."""
        ...

    def run(self, steps: int) -> tuple[int, float]:
        """Take about so many steps, wait for the last; how many they were, and a loss near the end of them."""
        ...


def channel() -> int:
    """A descriptor for the answers; whatever libraries print goes to stderr from now on."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def serve(peer: Peer, answers: int) -> None:
    """Answer until the input ends."""
    _say(answers, f"ready {peer.parameters} {peer.version}")
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "memory":
            _say(answers, f"memory {peak_bytes()}")
            continue
        started = time.perf_counter()
        steps, loss = peer.run(int(rest[0]))
        _say(answers, f"done {steps} {time.perf_counter() - started!r} {loss!r}")


def peak_bytes() -> int:
    """The most bytes that this process had resident.

    On Linux it is not taken from getrusage, which counts the process that started this one too (getrusage(2): the value
    is kept across execve).
    """
    if not sys.platform.startswith("linux"):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak  # macOS tells bytes, others kibibytes
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _say(answers: int, text: str) -> None:
    os.write(answers, (text + "\n").encode())
