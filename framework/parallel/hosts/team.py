"""The processes of a job as one: what process 0 says holds for all, and nobody waits for one that is gone.

Process 0 has a line to each of the others. Its word is taken where processes must not differ: paths, numbers of steps,
whether to stop. Every process beats its heart on each line; one whose line closes, or that is silent for the heartbeat,
is lost, and then every other process ends with words. Nothing here is computed with JAX.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from framework.core.errors import ConfigError, FrameworkError
from framework.parallel.hosts.line import Line

LOST = 75
"""The exit code where another process is gone: the temporary failure of sysexits.h, after which one tries again."""

_GRACE_S = 5.0
_BEATS = 4
_BROKEN = ("Gloo", "NCCL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "onnection", "coordination service")


class TogetherError(FrameworkError):
    """Another process found a mistake, so this one ends as well."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Company(Protocol):
    """The processes that compute one thing, as one of them sees them."""

    index: int
    count: int

    @property
    def first(self) -> bool:
        """Whether this is process 0: the one that writes and speaks."""
        ...

    def tell(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` gives in process 0, where alone it is called; JSON."""
        ...

    def together(self, what: str, function: Callable[[], Any]) -> Any:
        """Call a function in every process; where it finds a mistake in one of them, every process ends."""
        ...

    def agreed_stop(self, asked: str | None) -> str | None:
        """The signal that asked any process to stop, as all of them know it at this point."""
        ...

    def at_work(self) -> AbstractContextManager[None]:
        """Work that all processes do: an error that ends it in one of them ends it in all."""
        ...


class Alone:
    """One process, which need not ask anybody."""

    index, count, first = 0, 1, True

    def tell(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` gives."""
        del what
        return make()

    def together(self, what: str, function: Callable[[], Any]) -> Any:
        """What the function gives."""
        del what
        return function()

    def agreed_stop(self, asked: str | None) -> str | None:
        """The signal that asked this process to stop."""
        return asked

    def at_work(self) -> AbstractContextManager[None]:
        """Nothing: nobody else has to know of an error."""
        return nullcontext()


class Team:
    """Several processes.

    Args:
      index: the number of this one.
      lines: process 0: to each of the others, by number; the others: to process 0.
      heartbeat_s: after so many seconds of silence a process is lost.
    """

    def __init__(self, index: int, count: int, lines: Mapping[int, Line], heartbeat_s: float) -> None:
        self.index = index
        self.count = count
        self.where: str | None = None
        self._lines = dict(lines)
        self._heartbeat_s = heartbeat_s
        self._inbox: dict[int, queue.SimpleQueue[dict[str, Any]]] = {other: queue.SimpleQueue() for other in lines}
        self._leaving = threading.Event()
        self._ended = False
        self._speaking = threading.Lock()
        self._stop: str | None = None
        self._told_stop = False
        self.failed: int | None = None
        for other, line in self._lines.items():
            line.silent_after(heartbeat_s)
            threading.Thread(target=self._listen, args=(other, line), name=f"process {other}", daemon=True).start()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    @property
    def first(self) -> bool:
        """Whether this is process 0: the one that writes and speaks."""
        return self.index == 0

    @property
    def name(self) -> str:
        """`process 1 of 4`."""
        return f"process {self.index} of {self.count}"

    def tell(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` gives in process 0, where alone it is called; in every process it is what JSON makes of it.

        Args:
          what: a word for it, by which a process that waits for something else is found out.

        Raises:
          TogetherError: `make` found a mistake in process 0; there that is raised itself.
        """
        if not self.first:
            return self._heard(what)
        try:
            value = json.loads(json.dumps(make()))
        except FrameworkError as error:
            self._say({"say": what, "error": str(error), "code": error.exit_code})
            raise
        self._say({"say": what, "value": value})
        return value

    def together(self, what: str, function: Callable[[], Any]) -> Any:
        """Call a function in every process.

        Raises:
          FrameworkError: what it found wrong here.
          TogetherError: what it found wrong elsewhere.
        """
        value, found = None, None
        try:
            value = function()
        except FrameworkError as error:
            found = error
        mine = None if found is None else [self.index, str(found), found.exit_code]
        worst = self._first_of(what, mine)
        if found is not None:
            raise found
        if worst is not None:
            process, text, code = worst
            raise TogetherError(f"process {process} found a mistake:\n{text}", code)
        return value

    def agreed_stop(self, asked: str | None) -> str | None:
        """The signal that asked any process to stop. All processes must ask at the same points, and get one answer."""
        if asked is not None and not self.first and not self._told_stop:
            self._told_stop = True
            self._send(0, {"stop": asked})
        return self.tell("stop", lambda: asked or self._stop)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work that all processes do. An error that ends it in one of them ends it in all.

        Raises:
          FrameworkError: with the number of this process in its words, where it is not process 0.
        """
        try:
            yield
        except FrameworkError as error:
            self._leave(str(error), error.exit_code)
            raise self._signed(error) from error.__cause__
        except Exception as error:
            if any(word in str(error) for word in _BROKEN):
                # The devices notice a lost process as soon as its line closes; who it is comes over the lines.
                threading.Event().wait(self._heartbeat_s)
                message = f"{self.name} lost touch with the others: {str(error).splitlines()[0]}"
                self._leave(message, LOST)
                raise TogetherError(message + self._advice(), LOST) from error
            self._leave(f"{type(error).__name__}: {error}", 1)
            raise
        except BaseException:
            self._leave("interrupted", 130)
            raise

    def part(self) -> bool:
        """The end of the job: wait until every process is here. Whether they part as agreed."""
        if self.failed is not None:
            return False
        self._first_of("the end", None)
        return True

    def close(self) -> None:
        """Let go of the lines."""
        self._leaving.set()
        self._say({"bye": True})
        for line in self._lines.values():
            line.close()

    def _first_of(self, what: str, value: Any) -> Any:
        """The value of the first process that has one."""
        if not self.first:
            self._send(0, {"give": what, "value": value})
            return self._heard(what)
        values = [value]
        for process in sorted(self._lines):
            message = self._inbox[process].get()
            self._check(what, message.get("give"), process)
            values.append(message["value"])
        worst = next((item for item in values if item is not None), None)
        self._say({"say": what, "value": worst})
        return worst

    def _heard(self, what: str) -> Any:
        message = self._inbox[0].get()
        self._check(what, message.get("say"), 0)
        if "error" in message:
            raise TogetherError(f"process 0 found a mistake:\n{message['error']}", message["code"])
        return message["value"]

    def _check(self, what: str, said: Any, process: int) -> None:
        if what != said:
            raise RuntimeError(f"{self.name} is at '{what}', process {process} at '{said}': they do not run alike")

    def _say(self, message: dict[str, Any]) -> None:
        for process in self._lines:
            self._send(process, message)

    def _send(self, process: int, message: dict[str, Any]) -> None:
        try:
            self._lines[process].send(message)
        except OSError:
            # Whoever listens on this line finds out why, and ends the job.
            self._lines[process].close()

    def _beat(self) -> None:
        while not self._leaving.wait(self._heartbeat_s / _BEATS):
            self._say({"beat": True})

    def _listen(self, process: int, line: Line) -> None:
        while True:
            try:
                message, why = line.receive(), "its connection closed"
            except TimeoutError:
                message, why = None, f"it was silent for {self._heartbeat_s:g} s"
            except OSError as error:
                message, why = None, f"its connection broke: {error.strerror}"
            if message is None:
                self._lost(process, why)
                return
            if "say" in message or "give" in message:
                self._inbox[process].put(message)
            elif "stop" in message:
                self._stop = self._stop or message["stop"]
            elif "lost" in message:
                self._lost(message["lost"], message["why"])
            elif "fault" in message:
                self._ended = True
                self._fault(message)
            elif "bye" in message:
                return

    def _lost(self, process: int, why: str) -> None:
        """Another process is gone: tell the others, say so, and end, whatever the main thread waits for."""
        if self._leaving.is_set() or self._ended:
            # Where one process ended with an error, others follow it, each at its own time.
            return
        with self._speaking:
            if self.first:
                self._say({"lost": process, "why": why})
            self._end(f"{self.name}: process {process} is gone ({why}); the job ends here{self._advice()}", LOST)

    def _fault(self, message: dict[str, Any]) -> None:
        """Another process ended with an error. Most errors come in all processes alike, so there is time for that."""
        process, text, code = message["process"], message["fault"], message["code"]
        if self.first:
            self._say(message)
        if self._leaving.wait(_GRACE_S):
            return
        with self._speaking:
            self._end(f"{self.name}: process {process} ended, and so does the job\n  it said:   {text}", code)

    def _end(self, words: str, code: int) -> None:
        # Not `sys.exit`: the main thread may wait inside of a collective that will never come back, and JAX's own
        # shutdown waits for every process. What is on the disk is whole at each instant, also for a process that is
        # killed.
        print(words, file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(code)

    def _advice(self) -> str:
        place = f"run.dir={self.where}" if self.where else "the same run.dir"
        return f"\n  fix:       the same command with {place} goes on from the last checkpoint"

    def _leave(self, text: str, code: int) -> None:
        self.failed = code
        self._leaving.set()
        self._say({"fault": text.splitlines()[0] if text else "", "process": self.index, "code": code})

    def _signed(self, error: FrameworkError) -> FrameworkError:
        """The same error with the number of this process before it, unless it is the one that speaks for all."""
        if self.first:
            return error
        if isinstance(error, ConfigError):
            error.subject = f"{self.name}: {error.subject or 'the recipe'}"
            error.args = (str(error),)
        else:
            error.args = (f"{self.name}: {error}",)
        return error
