"""The Optuna study behind a sweep: where it lies, and what can be wrong with that."""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Problem

FILE = "study.sqlite"
MARK = "study.id"
HEARTBEAT_S, GONE_S = 20, 120
"""A process on another machine says so often that it is alive, and counts as gone after so long."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from logging each trial, and from warning of what it calls experimental and we rely on."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed to be used")
        level = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(logging.ERROR)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(level)


def open_storage(section: Sweep, folder: Path) -> Any:
    """The storage of a sweep's study, made where it is missing.

    Raises:
      ConfigError: it cannot be opened.
    """
    from optuna.storages import RDBStorage

    with quiet(), _alone(folder):
        if section.storage is None:
            path = (folder / FILE).absolute()
            return RDBStorage(f"sqlite:///{path}", engine_kwargs={"creator": lambda: _connected(path)})
        check_storage(section.storage, None)
        return RDBStorage(driven(section.storage), heartbeat_interval=HEARTBEAT_S, grace_period=GONE_S)


def check_storage(url: str, origin: str | None) -> None:
    """See that a storage can be reached; nothing is written.

    Raises:
      ConfigError: the text is no URL, its driver is missing, or the database does not answer.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    expected = "a database's URL, as SQLAlchemy takes it"
    fix = "sweep.storage=postgresql://USER:PASSWORD@HOST:5432/DATABASE, or sweep.storage=null for a file in the folder"
    try:
        engine = create_engine(driven(url))
    except ArgumentError:
        raise ConfigError(Problem("sweep.storage", f"'{url}' is no URL of a database", expected, origin, fix)) from None
    except ImportError as error:
        found = f"the driver of {url.partition(':')[0]} is not installed: {error}"
        fix = "pip install 'framework[postgresql]'" if url.startswith("postgresql") else fix
        raise ConfigError(Problem("sweep.storage", found, expected, origin, fix)) from None
    try:
        with engine.connect():
            pass
    except SQLAlchemyError as error:
        found = f"cannot be opened: {str(error.__cause__ or error).strip().splitlines()[0]}"
        raise ConfigError(Problem("sweep.storage", found, expected, origin, fix)) from None
    finally:
        engine.dispose()


def driven(url: str) -> str:
    """The URL with the driver that is installed: of PostgreSQL's two, SQLAlchemy asks for the older one."""
    head, sign, rest = url.partition("://")
    newer = head == "postgresql" and find_spec("psycopg2") is None and find_spec("psycopg") is not None
    return f"postgresql+psycopg{sign}{rest}" if newer else url


def mark_of(folder: Path) -> str:
    """What tells this folder's trials from those of other folders in one study; made on first use."""
    with _alone(folder):
        path = folder / MARK
        if not path.exists():
            path.write_text(uuid.uuid4().hex + "\n", encoding="utf-8")
        return path.read_text(encoding="utf-8").strip()


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60.0, check_same_thread=False)  # the pool hands it to one at a time
    # A disk that is waited for at each of ten transactions a trial takes 0.3 s of it. A power failure may undo the
    # last ones: the ledger has them, and tells the study again.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: two that make the same tables meet half-made ones."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".study.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
