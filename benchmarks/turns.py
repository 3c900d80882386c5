"""Processes that wait for their turn: each has a model in memory, trains when told, and sleeps while others do."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

THREADS = 2


class AbsentError(Exception):
    """A side cannot be measured here; its words say why."""


@dataclass(frozen=True)
class Turn:
    """What one turn came to."""

    steps: int
    seconds: float
    loss: float

    @property
    def rate(self) -> float:
        """Steps per second."""
        return self.steps / self.seconds


class Side:
    """A process that speaks the protocol of benchmarks/peers/protocol.py.

    Attributes:
      parameters: how many trained numbers its model has, once it is ready.
      version: what trains it, in its own words, once it is ready.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.parameters, self.version = 0, ""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **limits(), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait_ready(self) -> None:
        """Wait until the model stands.

        Raises:
          AbsentError: the process ended before.
        """
        _, parameters, *words = self._answer()
        self.parameters, self.version = int(parameters), " ".join(words)

    def run(self, steps: int) -> Turn:
        """Train for about so many steps.

        Raises:
          AbsentError: the process ended.
        """
        _, taken, seconds, loss = self._ask(f"run {steps}")
        return Turn(int(taken), float(seconds), float(loss))

    def memory(self) -> int:
        """The most bytes that the process had resident so far."""
        return int(self._ask("memory")[1])

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def _ask(self, line: str) -> list[str]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise AbsentError(self._last_words()) from None
        return self._answer()

    def _answer(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AbsentError(self._last_words())
        return line.split()

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"ended with {self._process.returncode}: {lines[-1] if lines else 'nothing on stderr'}"


def limits() -> dict[str, str]:
    """Environment variables that give every library the same two threads, and keep each on the CPU."""
    threads = str(THREADS)
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    here = Path(__file__).parent
    return {
        **dict.fromkeys(names, threads),
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)]),
    }


def pin() -> None:
    """Keep this process and those that it starts on two processors: XLA and TensorFlow make a thread for each."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def turns(names: Sequence[str], rounds: int) -> list[tuple[str, ...]]:
    """Who runs when: everybody once a round, each round beginning with another one, every second one backwards."""
    orders = []
    for index in range(rounds):
        step = 1 if index % 2 == 0 else -1
        orders.append(tuple(names[(index + step * place) % len(names)] for place in range(len(names))))
    return orders
