"""Interpolations, `${data.classes}`: read by OmegaConf's own grammar, within bounds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from omegaconf.errors import GrammarParseError
from omegaconf.grammar_parser import parse as parse_grammar

from framework.config.compose.bounds import MAX_BRACKETS, MAX_INTERPOLATION_CHARACTERS, brackets
from framework.core.errors import Problem

MISSING = "???"
"""OmegaConf's word for a value that must still be given."""


class InterpolationError(Exception):
    """A text cannot be read or resolved as an interpolation. Holds the problem; `key` is that of the text at fault."""

    def __init__(self, found: str, expected: str | None = None, fix: str | None = None) -> None:
        super().__init__(found)
        self.found, self.expected, self.fix = found, expected, fix
        self.key: str | None = None

    def problem(self, key: str, origin: str | None = None) -> Problem:
        """The problem of this text at a key."""
        return Problem(key, self.found, self.expected, origin, self.fix)


def holds(value: object) -> bool:
    """Whether a value is a text with an interpolation in it."""
    return isinstance(value, str) and "${" in value


def parse(text: str, rule: str = "configValue", mode: str = "DEFAULT_MODE") -> Any:
    """The parse tree of a text that holds an interpolation.

    Raises:
      InterpolationError: it is longer or deeper than the bounds, or does not follow the grammar.
    """
    if len(text) > MAX_INTERPOLATION_CHARACTERS:
        raise InterpolationError(
            f"a text with an interpolation has {len(text)} characters",
            expected=f"at most {MAX_INTERPOLATION_CHARACTERS}",
            fix="keep long texts free of ${...}, or in a file of their own",
        )
    if brackets(text) > MAX_BRACKETS:
        raise InterpolationError(
            f"an interpolation is nested more than {MAX_BRACKETS} deep",
            expected=f"at most {MAX_BRACKETS} levels",
            fix="give inner parts keys of their own",
        )
    try:
        return _tree(text, rule, mode)
    except GrammarParseError:
        open_brace = text.count("{") > text.count("}")
        raise InterpolationError(
            f"the interpolation {_shortened(text)} {'is not closed' if open_brace else 'cannot be read'}",
            expected="${section.key}, ${.sibling}, or ${oc.env:NAME,default}",
            fix="close the brace; for a literal dollar and brace write \\${" if open_brace else _LITERAL,
        ) from None


@lru_cache(maxsize=1024)
def _tree(text: str, rule: str, mode: str) -> Any:
    """A parse tree, which nobody changes; kept, as the members of a sweep hold the same texts."""
    return parse_grammar(text, rule, mode)


_LITERAL = "name one key; for a literal dollar and brace write \\${"


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
