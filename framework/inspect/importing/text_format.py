"""Protocol buffers' text format: `name: value` and `name { ... }`, with the line of each.

Source: the Protocol Buffers text format language specification; here without extensions and `Any` messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from framework.core.errors import ConfigError, Problem


class Word(str):
    """A bare word: the name of an enum's value."""


@dataclass(frozen=True)
class Entry:
    """One field: its name, its value, and the line where its name stands."""

    name: str
    value: Scalar | Message
    line: int


@dataclass(frozen=True)
class Message:
    """The fields of a message in order; a repeated one has several entries."""

    entries: tuple[Entry, ...]
    line: int


Scalar = int | float | bool | str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\f\v]+|\#[^\n]*)
      | (?P<line>\n)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[fF]?)(?![\w.])|-(?:inf|nan)\b)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<mark>[{}<>:;,\[\]])""",
    re.VERBOSE,
)
_CLOSING = {"{": "}", "<": ">"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)")
_WORDS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_DEEPEST = 64  # messages within each other; a network needs five


def parse(text: str, file: str) -> Message:
    """The message that a text declares.

    Args:
      file: what errors call the text.

    Raises:
      ConfigError: it is not in the text format; the line is told.
    """
    tokens = _Tokens(list(_scan(text, file)), file)
    return Message(tuple(_fields(tokens, "", 0)), 1)


def _scan(text: str, file: str) -> Iterator[_Token]:
    place, line = 0, 1
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _wrong(f"unexpected '{text[place]}'", "a field: `name: value` or `name { ... }`", file, line)
        kind = match.lastgroup or ""
        if kind == "line":
            line += 1
        elif kind != "space":
            yield _Token(kind, match.group(), line)
        place = match.end()
    yield _Token("end", "", line)


@dataclass
class _Tokens:
    """What is left to read."""

    tokens: list[_Token]
    file: str
    place: int = 0

    @property
    def first(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.first
        self.place += token.kind != "end"
        return token

    def skip(self, *marks: str) -> bool:
        """Whether the next token is one of these marks, which is then behind us."""
        found = self.first.kind == "mark" and self.first.text in marks
        self.place += found
        return found

    def wrong(self, expected: str) -> ConfigError:
        found = f"unexpected '{self.first.text}'" if self.first.text else "the file ends early"
        return _wrong(found, expected, self.file, self.first.line)


def _wrong(found: str, expected: str, file: str, line: int) -> ConfigError:
    return ConfigError(Problem(file, found, expected, f"{file}:{line}"))


def _fields(tokens: _Tokens, closing: str, depth: int) -> Iterator[Entry]:
    while not (closing and tokens.skip(closing)):
        if tokens.first.kind == "end" and not closing:
            return
        if tokens.first.kind != "word":
            raise tokens.wrong(f"the name of a field{f' or {closing}' if closing else ''}")
        name = tokens.take()
        colon = tokens.skip(":")
        for value in _values(tokens, colon, depth):
            yield Entry(name.text, value, name.line)
        tokens.skip(",", ";")


def _values(tokens: _Tokens, colon: bool, depth: int) -> Iterator[Scalar | Message]:
    if not tokens.skip("["):
        yield _value(tokens, colon, depth)
        return
    while not tokens.skip("]"):
        yield _value(tokens, colon, depth)
        if not tokens.skip(",") and tokens.first.text != "]":
            raise tokens.wrong(", or ]")


def _value(tokens: _Tokens, colon: bool, depth: int) -> Scalar | Message:
    opening = tokens.first
    if tokens.skip("{", "<"):
        if depth == _DEEPEST:
            raise tokens.wrong(f"at most {_DEEPEST} messages within each other")
        return Message(tuple(_fields(tokens, _CLOSING[opening.text], depth + 1)), opening.line)
    if not colon or opening.kind not in ("string", "number", "word"):
        raise tokens.wrong("a value" if colon else ": or {")
    tokens.take()
    if opening.kind == "string":
        parts = [opening.text]
        while tokens.first.kind == "string":  # neighbours are one string
            parts.append(tokens.take().text)
        return "".join(_ESCAPE.sub(_unescaped, part[1:-1]) for part in parts)
    if opening.kind == "word":
        return _WORDS.get(opening.text, Word(opening.text))
    return _number(opening.text)


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1)
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code[0] in "01234567" else _ESCAPES.get(code, code)


def _number(text: str) -> int | float:
    if re.fullmatch(r"[-+]?0[xX][0-9a-fA-F]+", text):
        return int(text, 16)
    if re.fullmatch(r"[-+]?\d+", text):
        return int(text, 8) if re.fullmatch(r"[-+]?0[0-7]+", text) else int(text)
    return float(text.rstrip("fF") if "inf" not in text else text)
