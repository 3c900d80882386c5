"""One YAML file, read within bounds: its value, and the line on which each key stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from framework.config.compose.bounded_loader import BoundedLoader
from framework.config.compose.bounds import MAX_FILE_BYTES
from framework.config.compose.paths import Parts
from framework.config.compose.syntax import syntax_problem
from framework.config.compose.values import Reader
from framework.core.errors import ConfigError, Problem


@dataclass(frozen=True)
class Document:
    """A YAML file as read.

    Attributes:
      shown: the file's name as errors print it.
      value: plain dicts, lists and scalars.
      lines: path of keys and indices -> line, counted from 1.
      texts: path of a boolean, number or null -> its text as written, where that is not how we would write it.
      header: the leading block of comments, without the `#` signs.
    """

    shown: str
    value: Any
    lines: dict[Parts, int] = field(default_factory=dict)
    texts: dict[Parts, str] = field(default_factory=dict)
    header: str = ""

    def origin(self, path: Parts = ()) -> str:
        """`file.yaml:12` of the key at `path`, or of the nearest key around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.shown}:{self.lines.get(path, 1)}"


def read(path: Path, shown: str) -> Document:
    """Read a YAML file as OmegaConf would, but within bounds and refusing what it would silently take.

    The file's size is checked before it is read; depth, count of nodes and expansion of aliases while the parser's
    events stream in, before any value is made. Duplicate keys, keys that are no text, and tags that name Python
    objects are refused.

    Raises:
      ConfigError: the file cannot be read, breaks a bound, or is not such YAML. All of the latter at once.
    """
    return _parsed(_text(path, shown), shown)


def read_shared(path: Path, shown: str) -> Document:
    """As `read`, but a text that was read before gives the same document, which is not to be changed.

    A composition reads a dozen files, a program composes many times, and parsing takes a fifth of that.
    """
    return _parsed_before(_text(path, shown), shown)


@lru_cache(maxsize=256)
def _parsed_before(text: str, shown: str) -> Document:
    return _parsed(text, shown)


def _parsed(text: str, shown: str) -> Document:
    try:
        root = BoundedLoader(text, shown).get_single_node()
    except yaml.YAMLError as error:
        raise ConfigError(syntax_problem(error, shown)) from None
    reader = Reader(shown)
    value = reader.value(root, ()) if root is not None else None
    if reader.problems:
        raise ConfigError(reader.problems)
    return Document(shown, value, reader.lines, reader.texts, comment_header(text))


def comment_header(text: str) -> str:
    """The comment lines at the top of a file, without `#`; Hydra's `@package` and an editor's directives left out."""
    lines = []
    for line in text.lstrip("\ufeff").splitlines():
        stripped = line.strip()
        if not stripped.startswith("#"):
            break
        content = stripped[1:]
        if not content.strip().startswith(("@", "yaml-language-server:")):
            lines.append(content.removeprefix(" ").rstrip())
    return "\n".join(lines).strip("\n")


def _text(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            Problem(shown, f"cannot be read: {reason}", fix="check the path and its permissions")
        ) from None
    if len(data) > MAX_FILE_BYTES:
        size = path.stat().st_size
        raise ConfigError(
            Problem(
                shown,
                f"the file has {size} bytes",
                expected=f"at most {MAX_FILE_BYTES} bytes of YAML",
                fix="keep data in data files and name them in the recipe",
            )
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            Problem(
                shown,
                f"byte {error.start} is not UTF-8",
                expected="UTF-8 text",
                origin=f"{shown}:{line}",
                fix="save the file as UTF-8",
            )
        ) from None
