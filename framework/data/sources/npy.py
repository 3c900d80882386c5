"""Arrays in NPY files, which stay on the disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed
from framework.data.disk.parts import Part, collect, common_spec
from framework.data.disk.stored import StoredArray, read_stored
from framework.data.paths import Files, folders_of
from framework.data.protocol import Collection, Outline


def describe(
    *, path: Files, arrays: Mapping[str, str] | None, classes: int | None, class_names: Sequence[str] | None
) -> Outline:
    """The outline, from the headers of the files."""
    parts = _parts(path, arrays)
    return Outline(
        common_spec(parts, classes),
        classes=classes,
        class_names=None if class_names is None else tuple(class_names),
        examples=sum(part.length for part in parts),
        own=tuple(dict.fromkeys(part.split for part in parts if part.split is not None)),
    )


def npy(
    *, path: Files, arrays: Mapping[str, str] | None, classes: int | None, class_names: Sequence[str] | None
) -> Collection:
    """The examples of the folders, one folder's after another's; a batch reads its rows and nothing else."""
    return collect(_parts(path, arrays), classes, class_names)


def _parts(path: Files, arrays: Mapping[str, str] | None) -> list[Part]:
    problems: list[Problem] = []
    parts: list[Part] = []
    for split, folders in folders_of(path).items():
        for folder in folders:
            named = _named(folder, arrays, problems)
            stored: dict[str, list[StoredArray]] = {}
            for name, files in named.items():
                try:
                    stored[name] = [read_stored(file) for file in files]
                except DataError as error:
                    problems += error.problems
            parts.append(Part(split, f"'{folder}'", stored))
    if problems:
        raise DataError(problems)
    return parts


def _named(folder: Path, arrays: Mapping[str, str] | None, problems: list[Problem]) -> dict[str, list[Path]]:
    """Batch array -> its files."""
    if arrays is None:
        found = {entry.stem: _files(entry) for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")}
        found = {name: files for name, files in found.items() if files}
        if not found:
            problems.append(
                Problem("data.path", f"there is no .npy file in '{folder}'", "files written by np.save, one per array")
            )
        return found
    named: dict[str, list[Path]] = {}
    for name, pattern in arrays.items():
        files = sorted(folder.glob(pattern)) if set(pattern) & set("*?[") else [folder / pattern]
        named[name] = [part for file in files for part in _files(file)]
        if not named[name]:
            problems.append(_missing(folder, name, pattern))
    return named


def _files(place: Path) -> list[Path]:
    """The .npy file at a place, or those in the folder there, in the order of their names."""
    if place.is_dir():
        return sorted(file for file in place.glob("*.npy") if file.is_file())
    return [place] if place.is_file() and place.suffix == ".npy" else []


def _missing(folder: Path, name: str, pattern: str) -> Problem:
    beside = sorted(entry.name for entry in folder.iterdir() if _files(entry))
    near = closest(pattern, beside)
    return Problem(
        f"data.arrays.{name}",
        f"there is no .npy file '{pattern}' in '{folder}'",
        f"one of {listed(beside)}" if beside else "a file written by np.save",
        fix=f"data.arrays.{name}={near}" if near else None,
    )
