"""Characters as numbers: an alphabet gives each of its characters a number, and all others the one after the last."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from framework.core.errors import DataError, Problem

PRINTABLE = "\n" + "".join(map(chr, range(32, 127)))
"""Newline and the 95 printable characters of ASCII."""

NAMED = {"printable": PRINTABLE, "bytes": ""}
"""Alphabets with a name; `bytes` needs no table, and `auto` is known only from data."""


@dataclass(frozen=True)
class Alphabet:
    """A table of characters, or the bytes of a file as they are.

    Attributes:
      characters: character number 0, 1, ...; empty for bytes.
    """

    characters: str

    @classmethod
    def named(cls, alphabet: str) -> Alphabet:
        """The alphabet that a recipe's word or characters stand for."""
        return cls(NAMED.get(alphabet, alphabet))

    @property
    def is_bytes(self) -> bool:
        """Whether tokens are bytes; then all 256 exist, and there are no others."""
        return not self.characters

    @property
    def size(self) -> int:
        """How many different tokens there are: the characters and one for all others, or 256 bytes."""
        return 256 if self.is_bytes else len(self.characters) + 1

    @cached_property
    def _numbers(self) -> np.ndarray:
        """uint16 or int32 [highest code point + 2]: number of each code point."""
        codes = np.array([ord(character) for character in self.characters])
        table = np.full(codes.max() + 2, len(codes), np.uint16 if len(codes) < 2**16 else np.int32)
        table[codes] = np.arange(len(codes))
        return table

    def encode(self, codes: np.ndarray) -> np.ndarray:
        """Token numbers of code points, or of bytes."""
        if self.is_bytes:
            return codes
        return self._numbers[np.minimum(codes, len(self._numbers) - 1)]

    def decode(self, tokens: np.ndarray) -> str:
        """The text of tokens; U+FFFD stands for a character outside the alphabet, and for what is not UTF-8."""
        if self.is_bytes:
            return np.asarray(tokens, np.uint8).tobytes().decode("utf-8", errors="replace")
        letters = self.characters + "\ufffd"
        return "".join(letters[min(int(token), len(self.characters))] for token in np.ravel(tokens))


def code_points(text: str) -> np.ndarray:
    """uint32: the Unicode code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), np.uint32)


def require_vocabulary(vocabulary: int, alphabet: Alphabet) -> None:
    """Refuse a vocabulary that cannot hold an alphabet; a larger one has tokens that never occur.

    Raises:
      DataError: `vocabulary` is below the alphabet's size.
    """
    if vocabulary < alphabet.size:
        kind = (
            "256 bytes" if alphabet.is_bytes else f"{len(alphabet.characters)} characters and one token for all others"
        )
        raise DataError(
            Problem(
                key="data.vocabulary",
                found=f"a vocabulary of {vocabulary} cannot hold the alphabet's {kind}",
                expected=f"at least {alphabet.size}",
                fix=f"data.vocabulary={alphabet.size}",
            )
        )
