"""How the processes of a job meet, before JAX starts: process 0 waits, the others call, and each says who it is.

JAX has a meeting of its own, but ends every process with an abort where somebody is missing, or has the wrong number.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.core.words import listed
from framework.parallel.hosts.line import Line
from framework.parallel.hosts.place import KEY, Place

_HELLO_S = 10.0
_RETRY_S = 0.2


@dataclass(frozen=True)
class Met:
    """All processes of a job, met.

    Attributes:
      lines: to each other process by its number: process 0 has one to everybody, everybody has one to process 0.
      port: where JAX's coordination service of process 0 is to listen.
    """

    lines: dict[int, Line]
    port: int


def meet(place: Place, agreed: Mapping[str, str], wait_s: float) -> Met:
    """Wait until every process is there.

    Args:
      agreed: what must be the same everywhere: setting -> its value as text.
      wait_s: how long.

    Raises:
      ConfigError: the address cannot be listened on or nothing answers there; processes are missing after `wait_s`,
        two have the same number, or one runs another recipe. The words are for every process that is there.
    """
    if place.process == 0:
        return _wait_for_all(place, agreed, wait_s)
    return _call(place, agreed, wait_s)


def _wait_for_all(place: Place, agreed: Mapping[str, str], wait_s: float) -> Met:
    listener = _listen(place)
    arrived: queue.SimpleQueue[tuple[Line, dict[str, Any]]] = queue.SimpleQueue()
    threading.Thread(target=_greet, args=(listener, arrived), name="roll call", daemon=True).start()
    lines: dict[int, Line] = {}
    callers: list[Line] = []
    problem: Problem | None = None
    until = time.monotonic() + wait_s
    while problem is None and len(lines) < place.processes - 1:
        try:
            line, hello = arrived.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            problem = _missing(place, set(lines), wait_s)
            break
        problem = _refused(place, agreed, hello, set(lines))
        callers.append(line)
        lines[hello["process"]] = line
    listener.close()
    if problem is not None:
        for line in callers:
            _refuse(line, problem)
        raise ConfigError(problem)
    port = free_port()
    for line in lines.values():
        line.send({"port": port})
    return Met(lines, port)


def _listen(place: Place) -> socket.socket:
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", place.port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
        return socket.create_server(("", place.port), backlog=1024)
    except OSError as error:
        raise ConfigError(
            Problem(
                key=KEY,
                found=f"process 0 cannot listen on port {place.port}: {error.strerror}",
                expected="a port of this machine that no other program uses",
                fix=f"another port in the coordinator's address, in every process: {place.host}:{free_port()}",
            )
        ) from error


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.create_server(("", 0)) as probe:
        return probe.getsockname()[1]


def _greet(listener: socket.socket, arrived: queue.SimpleQueue[tuple[Line, dict[str, Any]]]) -> None:
    """Take in everybody who calls. Whoever says nothing, or something else, is none of us."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            # The roll call is over.
            return
        threading.Thread(target=_hear, args=(connection, arrived), name="roll call", daemon=True).start()


def _hear(connection: socket.socket, arrived: queue.SimpleQueue[tuple[Line, dict[str, Any]]]) -> None:
    line = Line(connection, _HELLO_S)
    try:
        hello = line.receive()
    except OSError:
        hello = None
    if hello is not None and isinstance(hello.get("process"), int) and isinstance(hello.get("processes"), int):
        arrived.put((line, hello))
    else:
        line.close()


def _refuse(line: Line, problem: Problem) -> None:
    try:
        line.send({"refused": [problem.found, problem.expected, problem.fix], "key": problem.key})
    except OSError:
        # It did not wait for the answer.
        line.close()
    line.close()


def _refused(place: Place, agreed: Mapping[str, str], hello: dict[str, Any], present: set[int]) -> Problem | None:
    process, processes = hello["process"], hello["processes"]
    if processes != place.processes:
        return Problem(
            KEY,
            f"process 0 counts {place.processes} processes, and process {process} counts {processes}",
            "the same number in every process",
            fix="the same JAX_NUM_PROCESSES, or parallel.hosts.processes, everywhere",
        )
    if process in present or not 0 < process < processes:
        return Problem(
            KEY,
            f"two processes say that they are process {process} of {processes}",
            f"each of 0 to {processes - 1} once",
            fix="another JAX_PROCESS_ID, or parallel.hosts.process, for each",
        )
    other = hello.get("agreed")
    other = other if isinstance(other, dict) else {}
    differing = [key for key in {**agreed, **other} if agreed.get(key) != other.get(key)]
    if differing:
        told = [f"{key}: {agreed.get(key, 'not set')} -> {other.get(key, 'not set')}" for key in differing[:5]]
        return Problem(
            KEY,
            f"process {process} does not run what process 0 runs:\n" + "\n".join(told),
            "the same command, the same files and the same versions for every process",
            fix="start all of them with one command, as fw launch does",
        )
    return None


def _missing(place: Place, present: set[int], wait_s: float) -> Problem:
    missing = [number for number in range(1, place.processes) if number not in present]
    return Problem(
        key=KEY,
        found=f"{len(present) + 1} of {place.processes} processes met at {place.host}:{place.port} within "
        f"{wait_s:g} s; missing: {listed(missing)}",
        expected="every process within parallel.join_s",
        fix=f"start process {missing[0]} too, or where starting takes longer, parallel.join_s={2 * wait_s:g}",
    )


def _call(place: Place, agreed: Mapping[str, str], wait_s: float) -> Met:
    until = time.monotonic() + wait_s
    line = _connect(place, until, wait_s)
    try:
        line.send({"process": place.process, "processes": place.processes, "agreed": dict(agreed)})
        # Process 0 gives up by itself; this only guards against a stranger at its address.
        line.silent_after(max(1.0, until - time.monotonic()) + wait_s)
        answer = line.receive()
    except OSError:
        answer = None
    if answer is not None and isinstance(answer.get("port"), int):
        return Met({0: line}, answer["port"])
    line.close()
    if answer is not None and "refused" in answer:
        found, expected, fix = answer["refused"]
        raise ConfigError(Problem(answer["key"], found, expected, fix=fix))
    raise ConfigError(
        Problem(
            key=KEY,
            found=f"process 0, or another program at {place.host}:{place.port}, ended the roll call without a word",
            expected="process 0 of the same job",
            fix="see what process 0 says; another port, if a program of another kind listens there",
        )
    )


def _connect(place: Place, until: float, wait_s: float) -> Line:
    """A connection to process 0, which may start later than this process, and whose name may be known later."""
    while True:
        try:
            left = max(_RETRY_S, until - time.monotonic())
            return Line(socket.create_connection((place.host, place.port), timeout=min(left, _HELLO_S)))
        except OSError as error:
            if time.monotonic() + _RETRY_S >= until:
                raise ConfigError(
                    Problem(
                        key=KEY,
                        found=f"nothing answers at {place.host}:{place.port} within {wait_s:g} s ({error.strerror})",
                        expected="process 0, which waits for the others there",
                        fix="the address of process 0 in every process, and a port that its host lets through; where "
                        f"starting takes longer, parallel.join_s={2 * wait_s:g}",
                    )
                ) from error
            time.sleep(_RETRY_S)
