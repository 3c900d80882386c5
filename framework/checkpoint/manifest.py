"""The manifest of a checkpoint: the size and SHA-256 of every file, and the shape and dtype of every array.

It is written last and atomically, so a checkpoint without a valid manifest does not exist. Orbax itself restores an
array with a flipped bit without a word, and does not miss a file of its own that says the save was complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.core.files import write_atomically

FILE = "manifest.json"
_FORMAT = 1


class DamageError(Exception):
    """Why a checkpoint cannot be trusted, in one line."""


@dataclass(frozen=True)
class Leaf:
    """One array of a state.

    Attributes:
      shape: its shape, as the program sees it.
      dtype: its dtype by name, such as `bfloat16`, or `key<fry>` for typed random keys.
    """

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


def write(folder: Path, step: int, leaves: Mapping[str, Leaf]) -> None:
    """Digests every file in `folder` and writes the manifest.

    Raises:
      RunError: the manifest cannot be written.
    """
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / FILE
    }
    write_atomically(folder / FILE, _signed(step, leaves, files))


def text(step: int, leaves: Mapping[str, Leaf], files: Mapping[str, bytes]) -> str:
    """The manifest of files that are still to be written, by name and content."""
    digests = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    }
    return _signed(step, leaves, digests)


def verify(folder: Path) -> dict[str, Leaf]:
    """Reads every file of the checkpoint and compares it with the manifest.

    Returns:
      The arrays it holds, by dotted path, in the order they were saved.

    Raises:
      DamageError: the manifest is missing or altered, or a file is missing, cut short or altered.
    """
    content = _read(folder)
    for name, expected in content["files"].items():
        path = folder / name
        try:
            size = path.stat().st_size
            if size != expected["bytes"]:
                raise DamageError(f"{name} has {size} bytes instead of {expected['bytes']}")
            if _digest(path) != expected["sha256"]:
                raise DamageError(f"{name} has changed since it was written (its SHA-256 differs)")
        except OSError as error:
            raise DamageError(f"{name} cannot be read: {error.strerror}") from error
    return {name: Leaf(tuple(leaf["shape"]), leaf["dtype"]) for name, leaf in content["leaves"].items()}


def _signed(step: int, leaves: Mapping[str, Leaf], files: Mapping[str, Mapping[str, Any]]) -> str:
    content: dict[str, Any] = {
        "format": _FORMAT,
        "step": step,
        "leaves": {name: {"shape": list(leaf.shape), "dtype": leaf.dtype} for name, leaf in leaves.items()},
        "files": files,
    }
    content["sha256"] = hashlib.sha256(_text(content).encode()).hexdigest()
    return _text(content)


def _read(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DamageError(f"{FILE} is missing, so the save was never finished") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DamageError(f"{FILE} cannot be read: {error}") from error
    try:
        content = json.loads(text)
        unsigned = {key: value for key, value in content.items() if key != "sha256"}
        intact = _text(content) == text and content["sha256"] == hashlib.sha256(_text(unsigned).encode()).hexdigest()
    except (ValueError, AttributeError, KeyError) as error:
        raise DamageError(f"{FILE} has changed since it was written (it is no longer a manifest)") from error
    if not intact:
        raise DamageError(f"{FILE} has changed since it was written (its SHA-256 differs)")
    if content["format"] != _FORMAT:
        raise DamageError(f"{FILE} is of format {content['format']}; this version reads format {_FORMAT}")
    return content


def _text(content: dict[str, Any]) -> str:
    # Written back byte for byte the same, so that a flipped bit in the white space shows as well.
    return json.dumps(content, indent=1) + "\n"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
