"""A pool of decoding processes, started when the first image is asked for."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.decoding.worker import HEADER

_PATIENCE_S = 5.0
_LARGEST_TASK = 16


class DecodingPool:
    """Decodes images in several processes, which load neither JAX nor the program's own main module.

    Each process has at most one task, so what is decoded but not yet taken is bounded. The processes end with the pool,
    with the program, and when the program is killed.

    Args:
      count: how many processes.
      size, mode, fit: as `read_picture` takes them.
    """

    def __init__(self, count: int, size: tuple[int, int] | None, mode: str, fit: str) -> None:
        self._count = count
        self._how = json.dumps({"size": size, "mode": mode, "fit": fit}) + "\n"
        self._lock = threading.Lock()
        self._workers: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None
        self._end = weakref.finalize(self, _end, self._workers)

    def decode(self, files: Sequence[Path]) -> list[np.ndarray]:
        """uint8[height, width, channels] of each file, in order; for any thread.

        Raises:
          DataError: a file is no image, or damaged (the first such in order), or a process ended by itself.
        """
        threads = self._started()
        each = max(1, min(_LARGEST_TASK, -(-len(files) // (4 * self._count))))
        tasks: list[Future[list[np.ndarray | DataError]]] = [
            threads.submit(self._task, files[first : first + each]) for first in range(0, len(files), each)
        ]
        pictures: list[np.ndarray] = []
        for task in tasks:
            for found in task.result():
                if isinstance(found, DataError):
                    raise found
                pictures.append(found)
        return pictures

    def close(self) -> None:
        """End the processes."""
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
        self._end()

    def _started(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                for _ in range(self._count):
                    worker = _start(self._how)
                    self._workers.append(worker)
                    self._idle.put(worker)
                self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="decoding")
            return self._threads

    def _task(self, files: Sequence[Path]) -> list[np.ndarray | DataError]:
        worker = self._idle.get()
        try:
            assert worker.stdin is not None and worker.stdout is not None
            found: list[np.ndarray | DataError] = []
            try:
                worker.stdin.write(json.dumps([os.fspath(file) for file in files]).encode() + b"\n")
                worker.stdin.flush()
                for _ in files:
                    found.append(_answer(worker.stdout))
            except (OSError, EOFError):
                return [*found, _ended(worker, files[len(found)])]
            return found
        finally:
            # One that ended goes back as well: the next task then tells the same, instead of waiting for ever.
            self._idle.put(worker)


def _start(how: str) -> subprocess.Popen[bytes]:
    # Not `multiprocessing`: its children run the main module of the program again before they do anything.
    worker = subprocess.Popen(
        [sys.executable, "-c", "from framework.data.decoding.worker import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(place or str(Path.cwd()) for place in sys.path)},
    )
    assert worker.stdin is not None
    worker.stdin.write(how.encode())
    worker.stdin.flush()
    return worker


def _answer(stream: IO[bytes]) -> np.ndarray | DataError:
    good, *shape, count = HEADER.unpack(_exactly(stream, bytearray(HEADER.size)))
    payload = _exactly(stream, bytearray(count))
    if good:
        return np.frombuffer(payload, np.uint8).reshape(shape)
    problems: list[dict[str, Any]] = json.loads(payload)
    return DataError(Problem(**{**problem, "suspects": tuple(problem["suspects"])}) for problem in problems)


def _exactly(stream: IO[bytes], buffer: bytearray) -> bytearray:
    view = memoryview(buffer)
    while view:
        got = stream.readinto(view)  # type: ignore[attr-defined]  # a pipe's BufferedReader has it
        if not got:
            raise EOFError
        view = view[got:]
    return buffer


def _ended(worker: subprocess.Popen[bytes], file: Path) -> DataError:
    code = worker.wait(_PATIENCE_S)
    how = f"by signal {-code}" if code < 0 else f"with exit status {code}"
    return DataError(
        Problem(
            key="data.workers",
            found=f"a decoding process ended {how} while it read '{file}'",
            expected="processes that go on until the run ends",
            fix="data.workers=0 decodes in the process itself; signal 9 is mostly a lack of memory",
        )
    )


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        if worker.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it is gone already
                worker.stdin.close()
    for worker in workers:
        try:
            worker.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()
    workers.clear()
