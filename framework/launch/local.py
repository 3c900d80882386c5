"""Processes on this machine: started together, watched together, ended together, started again after a loss."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import IO, TextIO

from framework.launch.ending import LOST, Ending, explain, goes_on
from framework.launch.orphans import end_with_parent

TICK_S = 0.05
KILL_S = 10.0
"""Seconds between SIGTERM and SIGKILL for a process that outlived its notice."""


class Group:
    """One command as several processes, which find each other through JAX's environment variables.

    Args:
      command: the words of the program, the same for each.
      processes: how many.
      variables: rank -> environment variables of its own, besides those that name the coordinator.
      notice_s: seconds that the others have to end by themselves after one has failed.
      restarts: how often all are started again after one was killed or lost; a defect or a mistake would be repeated.
      out: where lines of the other ranks go, each with its rank; rank 0 prints by itself.
      err: the same for standard error, and for what the launcher has to say.
    """

    def __init__(
        self,
        command: Sequence[str],
        processes: int,
        *,
        variables: Callable[[int], Mapping[str, str]],
        notice_s: float,
        restarts: int,
        out: TextIO,
        err: TextIO,
    ) -> None:
        self.command, self.processes, self.variables = command, processes, variables
        self.notice_s, self.restarts = notice_s, restarts
        self.out, self.err = out, err
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._starting = False
        self._stop: signal.Signals | None = None

    def run(self) -> int:
        """Start all, wait for all, and give the exit code of the first that failed, or 0.

        SIGINT and SIGTERM that come meanwhile are passed on to every process, and nothing is started again then.
        """
        former = {number: signal.signal(number, self._pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return self._attempts()
        finally:
            for process in self._running.values():
                process.kill()
                process.wait()
            for number, handler in former.items():
                signal.signal(number, handler)

    def _attempts(self) -> int:
        attempt = 0
        while True:
            endings = self._attempt()
            if not endings:
                return 0
            self._say(explain(endings, self.processes))
            code = endings[0].exit_code
            helps = all(goes_on(ending.exit_code) for ending in endings)
            if self._stop is not None or not helps or attempt == self.restarts:
                return code
            attempt += 1
            self._say(f"starting again in the same run directory, {attempt} of {self.restarts}")

    def _attempt(self) -> list[Ending]:
        address = f"127.0.0.1:{free_port()}"
        self._starting = True
        for rank in range(self.processes):
            self._running[rank] = self._start(rank, address)
        self._starting = False
        if self._stop is not None:
            self._send(self._stop)
        # Threads only after the last fork: a child of a process with threads may find a lock held for ever.
        readers = [
            threading.Thread(target=self._relay, args=(rank, source, target), daemon=True)
            for rank, process in self._running.items()
            for source, target in ((process.stdout, self.out), (process.stderr, self.err))
            if source is not None
        ]
        for reader in readers:
            reader.start()
        endings = self._watch()
        for reader in readers:
            reader.join(KILL_S)  # a process of its own that a rank left behind may hold its end open
        return endings

    def _start(self, rank: int, address: str) -> subprocess.Popen[str]:
        found = {
            "JAX_COORDINATOR_ADDRESS": address,
            "JAX_NUM_PROCESSES": str(self.processes),
            "JAX_PROCESS_ID": str(rank),
        }
        buffered = {"PYTHONUNBUFFERED": "1"} if rank else {}
        return subprocess.Popen(
            self.command,
            env={**os.environ, **buffered, **(found if self.processes > 1 else {}), **self.variables(rank)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if rank else None,
            stderr=subprocess.PIPE if rank else None,
            text=True,
            errors="replace",
            # A group of its own: a terminal sends Ctrl-C to its whole foreground group, so that each rank would get it
            # twice, from the terminal and from here, and the second one stops a run without saving.
            process_group=0,
            preexec_fn=end_with_parent(),
        )

    def _watch(self) -> list[Ending]:
        """Wait for all; those that failed, in the order in which they ended."""
        endings: list[Ending] = []
        pushed: dict[int, signal.Signals] = {}
        deadline = float("inf")
        while self._running:
            time.sleep(TICK_S)
            ended = {rank: status for rank, each in self._running.items() if (status := each.poll()) is not None}
            for rank in ended:
                del self._running[rank]
            endings += [Ending(rank, code, asked=-code == pushed.get(rank)) for rank, code in ended.items() if code]
            if endings and deadline == float("inf"):
                deadline = time.monotonic() + self.notice_s
            if time.monotonic() >= deadline:
                number = signal.SIGKILL if pushed else signal.SIGTERM
                deadline = time.monotonic() + KILL_S
                pushed |= dict.fromkeys(self._running, number)
                self._send(number)
        # Whoever lost another failed after it, also where it was seen to end before.
        return sorted(endings, key=lambda ending: ending.status == LOST)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._stop = signal.Signals(number)
        if not self._starting:  # otherwise all of them get it, once, as soon as all are there
            self._send(self._stop)

    def _send(self, number: signal.Signals) -> None:
        for process in list(self._running.values()):
            process.send_signal(number)

    def _relay(self, rank: int, source: IO[str], target: TextIO) -> None:
        with source:
            for line in source:
                target.write(f"[rank {rank}] {line.rstrip()}\n")
                target.flush()

    def _say(self, text: str) -> None:
        self.err.write("".join(f"fw launch: {line}\n" for line in text.splitlines()))
        self.err.flush()


def free_port() -> int:
    """A port on the loopback interface that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
