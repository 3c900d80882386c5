"""Files that a recipe names: found, or told apart from what does exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed

Files = str | Sequence[str] | Any
"""One file, several, or those of each split: a mapping or an object with `train`, `valid` and `test`."""


def by_split(value: Any) -> dict[str, Any] | None:
    """Split -> what is given for it, where something is given for each split; else None."""
    if isinstance(value, Mapping):
        given = value
    elif hasattr(value, "train"):
        given = {name: getattr(value, name) for name in ("train", "valid", "test")}
    else:
        return None
    return {name: item for name, item in given.items() if item is not None}


def existing(path: str | Path, *, key: str = "data.path", folder: bool = False) -> Path:
    """The path, when there is a file (or a folder) of that name.

    Raises:
      DataError: there is none; the closest name beside it is suggested.
    """
    asked = Path(path).expanduser()
    if asked.is_dir() if folder else asked.is_file():
        return asked
    kind = "folder" if folder else "file"
    parent = asked.parent
    if not str(path):
        found, near, expected = f"no {kind} is named", None, f"the path of a {kind}"
    elif asked.exists():
        found, near = f"'{path}' is a {'file' if folder else 'folder'}, not a {kind}", None
        expected = f"a {kind}"
    elif not parent.is_dir():
        found, near = f"there is no {kind} '{path}': the folder '{parent}' does not exist", None
        expected = f"a path below {Path.cwd() if not asked.is_absolute() else asked.anchor}"
    else:
        beside = sorted(
            entry.name for entry in parent.iterdir() if entry.is_dir() == folder and not entry.name.startswith(".")
        )
        beside = [name for name in beside if Path(name).suffix == asked.suffix] or beside
        near = closest(asked.name, beside)
        found = f"there is no {kind} '{path}'"
        expected = f"one of {listed(beside)}" if beside else f"a {kind}; the folder '{parent}' holds none"
    raise DataError(
        Problem(key, found, expected, fix=f"{key}={parent / near}" if near else None if str(path) else f"{key}=PATH")
    )


def files_of(path: Files, *, folders: bool = False) -> dict[str | None, list[Path]]:
    """Split name -> its files, in order; all under None where the recipe names none.

    Raises:
      DataError: a file does not exist; all missing ones are told.
    """
    named = by_split(path)
    groups: list[tuple[str | None, str | Sequence[str]]] = [(None, path)] if named is None else list(named.items())
    found: dict[str | None, list[Path]] = {}
    problems: list[Problem] = []
    for split, names in groups:
        found[split] = []
        for name in [names] if isinstance(names, str) else names:
            try:
                key = "data.path" if split is None else f"data.path.{split}"
                found[split].append(existing(name, key=key, folder=folders))
            except DataError as error:
                problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    return found


def folders_of(path: Files) -> dict[str | None, list[Path]]:
    """As `files_of`, of folders.

    Raises:
      DataError: a folder does not exist; all missing ones are told.
    """
    return files_of(path, folders=True)


def all_files(groups: Mapping[str | None, list[Path]]) -> list[Path]:
    """The files of all splits, in order."""
    return [path for paths in groups.values() for path in paths]


def own_names(groups: Mapping[str | None, list[Path]]) -> tuple[str, ...]:
    """The splits that a recipe names files for."""
    return tuple(name for name in groups if name is not None)
