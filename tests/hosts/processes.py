"""Starts the processes of a job on this machine, as a launcher does, and waits for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
TIMEOUT_S = 240


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def start(
    words: Sequence[str], count: int, *, devices: int = 1, cwd: Path | None = None
) -> list[subprocess.Popen[str]]:
    """Start `python words...` as so many processes, each with so many virtual devices of the CPU."""
    address = f"127.0.0.1:{free_port()}"
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    common = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
    meeting = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": str(count)} if count > 1 else {}
    return [
        subprocess.Popen(
            [sys.executable, *words],
            env={**common, **meeting, **({"JAX_PROCESS_ID": str(number)} if count > 1 else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
        )
        for number in range(count)
    ]


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[Ended]:
    """Wait for all of them; one that hangs is killed, and the test fails."""
    found = []
    try:
        for process in processes:
            out, err = process.communicate(timeout=TIMEOUT_S)
            found.append(Ended(process.returncode, out, err))
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return found


def run(words: Sequence[str], count: int, *, devices: int = 1) -> list[Ended]:
    """Start and wait; every process must end well."""
    done = ended(start(words, count, devices=devices))
    for number, process in enumerate(done):
        assert process.code == 0, f"process {number} ended with {process.code}\n{process.err[-6000:]}"
    return done
