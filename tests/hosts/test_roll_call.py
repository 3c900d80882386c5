"""Processes meet, or say who is missing; what one says holds for all. Here they are threads with real connections."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from processes import ROOT, free_port

from framework.core.errors import ConfigError, RunError
from framework.parallel.hosts.place import Place
from framework.parallel.hosts.roll_call import Met, meet
from framework.parallel.hosts.team import Alone, Team, TogetherError


def met(count: int, agreed: Callable[[int], dict[str, str]] = lambda _: {}) -> list[Any]:
    """What the roll call gives to, or raises in, each of so many processes."""
    port = free_port()
    return all_at_once([lambda n=n: meet(Place("127.0.0.1", port, count, n), agreed(n), 20.0) for n in range(count)])


@contextmanager
def teams(count: int) -> Iterator[list[Team]]:
    group = [Team(number, count, meeting.lines, 30) for number, meeting in enumerate(met(count))]
    try:
        yield group
    finally:
        for team in group:
            team.close()


def hung_up(meetings: list[Met]) -> None:
    for meeting in meetings:
        for line in meeting.lines.values():
            line.close()


def all_at_once(functions: list[Callable[[], Any]]) -> list[Any]:
    def kept(function: Callable[[], Any]) -> Any:
        try:
            return function()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(kept, functions))


def test_all_meet_and_learn_one_port() -> None:
    found = met(3)
    assert [sorted(meeting.lines) for meeting in found] == [[1, 2], [0], [0]]
    assert len({meeting.port for meeting in found}) == 1
    hung_up(found)


def test_a_stranger_at_the_door_is_turned_away() -> None:
    port = free_port()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(meet, Place("127.0.0.1", port, 2, 0), {}, 20.0)
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port)) as stranger:
                    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                break
            except ConnectionRefusedError:
                continue
        second = pool.submit(meet, Place("127.0.0.1", port, 2, 1), {}, 20.0)
        hung_up([first.result(), second.result()])


def test_who_is_missing_is_told_to_all_who_came() -> None:
    port = free_port()
    calls = [lambda n=n: meet(Place("127.0.0.1", port, 4, n), {}, 0.5) for n in (0, 2)]
    for error in all_at_once(calls):
        assert isinstance(error, ConfigError)
        assert f"2 of 4 processes met at 127.0.0.1:{port} within 0.5 s; missing: 1, 3" in str(error)
        assert "fix:       start process 1 too" in str(error)


def test_two_with_one_number_are_told() -> None:
    port = free_port()
    errors = all_at_once([lambda n=n: meet(Place("127.0.0.1", port, 3, n), {}, 10) for n in (0, 1, 1)])
    assert all("two processes say that they are process 1 of 3" in str(error) for error in errors)


def test_two_counts_are_told() -> None:
    port = free_port()
    errors = all_at_once([lambda n=n: meet(Place("127.0.0.1", port, 2 + n, n), {}, 10) for n in (0, 1)])
    assert all("process 0 counts 2 processes, and process 1 counts 3" in str(error) for error in errors)


def test_another_recipe_is_told_with_its_difference() -> None:
    errors = met(2, lambda number: {"seed": str(number), "jax": "1"})
    for error in errors:
        assert "process 1 does not run what process 0 runs:\n" in str(error)
        assert "seed: 0 -> 1" in str(error) and "jax" not in str(error)


def test_a_coordinator_that_does_not_answer_is_told_in_time() -> None:
    port = free_port()
    words = f"nothing answers at 127.0.0.1:{port} within 0.3 s (Connection refused)"
    with pytest.raises(ConfigError, match=re.escape(words)):
        meet(Place("127.0.0.1", port, 2, 1), {}, 0.3)


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on port {port}: Address already in use"):
            meet(Place("127.0.0.1", port, 2, 0), {}, 0.3)


def test_what_the_first_says_holds_for_all() -> None:
    with teams(3) as group:
        said = all_at_once([lambda t=t: t.tell("a path", lambda: [t.index, None, 0.1]) for t in group])
    assert said == [[0, None, 0.1]] * 3


def test_a_mistake_of_the_first_ends_all() -> None:
    def fail() -> None:
        raise RunError("the disk is full")

    with teams(2) as group:
        first, second = all_at_once([lambda t=t: t.tell("a path", fail) for t in group])
    assert type(first) is RunError
    assert type(second) is TogetherError and second.exit_code == 2
    assert str(second) == "process 0 found a mistake:\nthe disk is full"


def test_a_mistake_of_one_ends_all() -> None:
    def look(team: Team) -> str:
        if team.index == 2:
            raise RunError("no such file here")
        return "fine"

    with teams(3) as group:
        found = all_at_once([lambda t=t: t.together("the data", lambda: look(t)) for t in group])
    assert [str(error) for error in found[:2]] == ["process 2 found a mistake:\nno such file here"] * 2
    assert type(found[2]) is RunError


def test_a_signal_to_one_stops_all_at_one_point() -> None:
    def steps(team: Team) -> int:
        step = 0
        while team.agreed_stop("SIGTERM" if team.index == 1 and step >= 3 else None) is None:
            step += 1
        return step

    with teams(3) as group:
        found = all_at_once([lambda t=t: steps(t) for t in group])
    assert len(set(found)) == 1 and found[0] >= 3


def test_processes_that_are_at_different_places_are_found_out() -> None:
    names = ["one", "another"]
    with teams(2) as group:
        found = all_at_once([lambda t=t: t.tell(names[t.index], lambda: 1) for t in group])
    assert found[0] == 1
    assert str(found[1]) == "process 1 of 2 is at 'another', process 0 at 'one': they do not run alike"


def test_one_process_asks_nobody() -> None:
    alone = Alone()
    assert alone.tell("anything", lambda: (1, 2)) == (1, 2)
    assert alone.agreed_stop("SIGINT") == "SIGINT"


MEMBER = """
    import sys, time
    from framework.parallel.hosts.place import Place
    from framework.parallel.hosts.roll_call import meet
    from framework.parallel.hosts.team import Team
    from framework.core.errors import RunError
    number, port, what = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    team = Team(number, 3, meet(Place("127.0.0.1", port, 3, number), {}, 60).lines, float(sys.argv[4]))
    with team.at_work():
        team.together("start", lambda: None)
        if number == 2 and what == "fault":
            raise RunError("the data is gone")
        if number == 2 and what == "silence":
            import os, signal
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(60)
"""


def members(what: str, heartbeat_s: float) -> list[tuple[int, str]]:
    """How three processes end, of which the last one does `what`."""
    port = str(free_port())
    group = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(MEMBER), str(number), port, what, str(heartbeat_s)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    try:
        found = [process.communicate(timeout=60)[1] for process in group[:2]]
    finally:
        for process in group:
            process.kill()
            process.communicate()
    return [(process.returncode, err) for process, err in zip(group, found, strict=False)]


def test_a_silent_process_ends_the_others_within_the_heartbeat() -> None:
    for number, (code, err) in enumerate(members("silence", 4)):
        assert code == 75
        assert f"process {number} of 3: process 2 is gone (it was silent for 4 s); the job ends here" in err


def test_an_error_of_one_process_ends_the_others_with_its_words() -> None:
    for number, (code, err) in enumerate(members("fault", 30)):
        assert code == 2
        assert err.startswith(f"process {number} of 3: process 2 ended, and so does the job\n")
        assert "it said:   the data is gone" in err
