"""Characters of text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.alphabets import Alphabet, code_points, require_vocabulary
from framework.data.paths import Files, files_of, own_names
from framework.data.protocol import Collection, Facts, Outline, Source, joined
from framework.data.windows import TextWindows, cut_windows, window_spec


def describe(*, path: Files, context: int, stride: int | None, alphabet: str, vocabulary: int) -> Outline:
    """The outline: `tokens` and `targets` of `context` characters."""
    groups = files_of(path)
    if alphabet != "auto":
        require_vocabulary(vocabulary, _alphabet(alphabet))
    return Outline(window_spec(context), vocabulary=vocabulary, own=own_names(groups), ordered=True)


def text(*, path: Files, context: int, stride: int | None, alphabet: str, vocabulary: int) -> Collection:
    """The files of a split one after another, as windows; line ends of every kind become newlines.

    An alphabet `auto` is the characters of the training split, sorted.
    """
    as_bytes = alphabet == "bytes"
    streams = {
        split: joined([read_characters(file, as_bytes=as_bytes) for file in files])
        for split, files in files_of(path).items()
    }
    windows, own = cut_windows(streams, context, stride)

    def fit(train: np.ndarray) -> tuple[Source, Facts]:
        letters = _observed(windows, train) if alphabet == "auto" else _alphabet(alphabet)
        require_vocabulary(vocabulary, letters)
        encoded = TextWindows(letters.encode(windows.stream), windows.starts, context)
        return encoded, {"alphabet": "bytes" if letters.is_bytes else letters.characters}

    return Collection(windows, own=own, extents=windows.extents(), fit=fit)


def _observed(windows: TextWindows, train: np.ndarray) -> Alphabet:
    return Alphabet("".join(map(chr, np.unique(windows.covered(train)))))


def _alphabet(alphabet: str) -> Alphabet:
    letters = Alphabet.named(alphabet)
    repeated = sorted({letter for letter in letters.characters if letters.characters.count(letter) > 1})
    if repeated:
        raise DataError(
            Problem(
                key="data.alphabet",
                found=f"the alphabet names {', '.join(map(repr, repeated))} more than once",
                expected="each character once, or one of the words printable, bytes, auto",
            )
        )
    return letters


def read_characters(file: Path, *, as_bytes: bool) -> np.ndarray:
    """The code points of a UTF-8 file, or its bytes.

    Raises:
      DataError: the file is not UTF-8; the place of the first wrong byte is told.
    """
    content = file.read_bytes()
    if as_bytes:
        return np.frombuffer(content, np.uint8)
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            Problem(
                key="data.path",
                found=f"'{file}' is not UTF-8 text: byte {content[error.start]:#04x} at offset {error.start}",
                expected="UTF-8, or any bytes with the alphabet `bytes`",
                fix="data.alphabet=bytes data.vocabulary=256",
            )
        ) from None
    return code_points(decoded.replace("\r\n", "\n").replace("\r", "\n"))
