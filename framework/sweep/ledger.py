"""The ledger of a sweep: one row a trial, in SQLite, which several processes may write and any may read.

    ledger = Ledger(folder / "ledger.sqlite")
    ledger.trials()                   # every row
    ledger.claim([3, 4], parameters)  # these are mine now, unless another live process has them

A row is queued, running, or as it ended. A running row whose owner is gone counts as queued again.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framework.core.errors import Problem, RunError
from framework.sweep.members import Ending
from framework.sweep.outcome import reason
from framework.sweep.owner import Owner

FILE = "ledger.sqlite"
BUSY_S = 60.0
"""How long a writer waits for another one."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS trials (
    number INTEGER PRIMARY KEY,
    overrides TEXT NOT NULL,
    parameters TEXT NOT NULL DEFAULT '{}',
    traced TEXT NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'queued',
    metrics TEXT NOT NULL DEFAULT '{}',
    objective TEXT,
    seconds REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    path TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    heartbeat REAL,
    created REAL NOT NULL,
    started REAL,
    ended REAL
);
"""


@dataclass(frozen=True)
class Row:
    """A trial as the ledger has it.

    Attributes:
      number: from 0.
      overrides: of its axes, as one would type them.
      parameters: swept key -> value.
      traced: swept key -> whether its program takes it as an input.
      status: queued, running, done, failed, pruned, out_of_memory or non_finite.
      metrics: final values by dotted name.
      objective: the value of each objective; None where there is none.
      seconds: that it took.
      attempts: how often it was started.
      error: what went wrong, in a line; the whole is in the log.
      path: its run directory.
      log: its log.
      owner: host and process that has it, or had it last.
      heartbeat, created, started, ended: seconds since 1970.
    """

    number: int
    overrides: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    traced: dict[str, bool] = field(default_factory=dict)
    status: str = "queued"
    metrics: dict[str, float] = field(default_factory=dict)
    objective: tuple[float, ...] | None = None
    seconds: float | None = None
    attempts: int = 0
    error: str = ""
    path: str = ""
    log: str = ""
    owner: str = ""
    heartbeat: float | None = None
    created: float = 0.0
    started: float | None = None
    ended: float | None = None

    @property
    def open(self) -> bool:
        """Whether it waits for somebody: queued, or left running by a process that is gone."""
        return self.status == "queued" or (
            self.status == "running" and not Owner.parse(self.owner).alive(self.heartbeat)
        )


class Ledger:
    """A sweep's ledger file, made where it is missing.

    Raises:
      RunError: the file is no ledger, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owner = Owner.this()
        try:
            with self._open() as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            found, expected = f"cannot be used as a ledger: {error}", "a ledger of `fw sweep`"
            raise RunError(Problem(str(path), found, expected, fix="sweep.dir=PATH")) from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of this thread's own; what is done with it is one transaction."""
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        # Safe against a killed process; a power failure may undo the last rows, whose trials then run again.
        connection.execute("PRAGMA synchronous=NORMAL")
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            # A transaction that begins by reading could not be made a writing one once another process has written.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def meta(self) -> dict[str, Any]:
        """What the sweep is of."""
        with self._open() as connection:
            rows = connection.execute("SELECT key, value FROM meta").fetchall()
        return {row["key"]: json.loads(row["value"]) for row in rows}

    def describe(self, meta: Mapping[str, Any]) -> None:
        """Keep what the sweep is of, key by key."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in meta.items()]
            )

    def trials(self) -> list[Row]:
        """Every row, by number."""
        with self._open() as connection:
            return _rows(connection)

    def propose(self, count: int, ask: Callable[[Sequence[int]], Sequence[Sequence[str]]]) -> list[Row]:
        """Queue up to `count` new trials with the overrides that `ask` gives for their numbers."""
        with self._writing() as connection:
            (last,) = connection.execute("SELECT COALESCE(MAX(number), -1) FROM trials").fetchone()
            numbers = range(last + 1, last + 1 + count)
            found = [
                Row(number, tuple(overrides), created=time.time())
                for number, overrides in zip(numbers, ask(numbers), strict=False)
            ]
            connection.executemany(
                "INSERT INTO trials (number, overrides, created) VALUES (?, ?, ?)",
                [(row.number, json.dumps(row.overrides), row.created) for row in found],
            )
        return found

    def matched(self, jobs: Sequence[Sequence[str]]) -> list[Row]:
        """The row of each job by its overrides: one that waits, else one that ended, else a new one; each once."""
        with self._writing() as connection:
            rows = _rows(connection)
            free: dict[tuple[str, ...], list[Row]] = {}
            for row in sorted(rows, key=lambda row: (not row.open, row.number)):
                free.setdefault(row.overrides, []).append(row)
            found: list[Row] = []
            following = max((row.number for row in rows), default=-1) + 1
            for overrides in map(tuple, jobs):
                if free.get(overrides):
                    found.append(free[overrides].pop(0))
                    continue
                row = Row(following, overrides, created=time.time())
                following += 1
                connection.execute(
                    "INSERT INTO trials (number, overrides, created) VALUES (?, ?, ?)",
                    (row.number, json.dumps(row.overrides), row.created),
                )
                found.append(row)
        return found

    def claim(self, numbers: Sequence[int]) -> list[int]:
        """Take trials that wait: those of them that nobody else took first."""
        with self._writing() as connection:
            waiting = {row.number for row in _rows(connection) if row.open}
            got = [number for number in numbers if number in waiting]
            connection.executemany(
                "UPDATE trials SET status = 'running', owner = ?, heartbeat = ?, started = NULL, ended = NULL, "
                "error = '' WHERE number = ?",
                [(str(self.owner), time.time(), number) for number in got],
            )
        return got

    def tell(self, columns: Mapping[int, Mapping[str, Any]]) -> None:
        """Write columns of trials: number -> column -> value."""
        with self._writing() as connection:
            for number, values in columns.items():
                names = ", ".join(f"{name} = ?" for name in values)
                plain = [json.dumps(value) if name in _JSON else value for name, value in values.items()]
                connection.execute(f"UPDATE trials SET {names} WHERE number = ?", (*plain, number))

    def start(self, numbers: Sequence[int]) -> None:
        """Trials begin: once more tried."""
        now = time.time()
        with self._writing() as connection:
            connection.executemany(
                "UPDATE trials SET status = 'running', owner = ?, heartbeat = ?, started = ?, attempts = attempts + 1 "
                "WHERE number = ?",
                [(str(self.owner), now, now, number) for number in numbers],
            )

    def end(self, number: int, ending: Ending, objective: tuple[float, ...] | None) -> None:
        """A trial is over."""
        columns = {
            "status": ending.status,
            "metrics": dict(ending.metrics),
            "objective": None if objective is None else list(objective),
            "seconds": ending.seconds,
            "error": reason(ending.error),
            "ended": time.time(),
        }
        self.tell({number: columns})

    def release(self, numbers: Sequence[int], was: str) -> None:
        """Queue trials again that still have a status; another process may have taken one up meanwhile."""
        with self._writing() as connection:
            connection.executemany(
                "UPDATE trials SET status = 'queued', heartbeat = NULL WHERE number = ? AND status = ?",
                [(number, was) for number in numbers],
            )

    def beat(self) -> None:
        """Say that this process is alive, for all that it has."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE trials SET heartbeat = ? WHERE status = 'running' AND owner = ?", (time.time(), str(self.owner))
            )


_JSON = ("overrides", "parameters", "traced", "metrics", "objective")


def _rows(connection: sqlite3.Connection) -> list[Row]:
    found = []
    for row in connection.execute("SELECT * FROM trials ORDER BY number"):
        values = dict(row)
        for name in _JSON:
            values[name] = None if values[name] is None else json.loads(values[name])
        values["overrides"] = tuple(values["overrides"])
        values["objective"] = None if values["objective"] is None else tuple(values["objective"])
        found.append(Row(**values))
    return found
