"""An override that does not follow Hydra's grammar: where it breaks, and what was probably meant."""

from __future__ import annotations

from typing import Any

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from hydra.grammar.gen.OverrideLexer import OverrideLexer
from hydra.grammar.gen.OverrideParser import OverrideParser

from framework.config.compose.paths import dotted, split
from framework.core.errors import Problem

KINDS = "KEY=VALUE, GROUP=OPTION, +KEY=VALUE or ~KEY"


class _Listener(ErrorListener):
    def __init__(self) -> None:
        self.column: int | None = None

    def syntaxError(self, recognizer: Any, offendingSymbol: Any, line: int, column: int, msg: str, e: Any) -> None:  # noqa: N802, N803
        if self.column is None:
            self.column = column


def unreadable(text: str, reason: str, origin: str) -> Problem:
    """The problem of such an override; `reason` is what Hydra says of it."""
    column = _column(text)
    where = f"at character {column + 1}" if column is not None and column < len(text) else "at its end"
    shown = shortened(text)
    caret = f"\n{' ' * (column if column is not None else len(text))}^" if "\n" not in text and len(text) <= 60 else ""
    return Problem(
        "override",
        f"'{shown}' cannot be read {where}",
        expected=f"{KINDS}\n{shown}{caret}" if caret else KINDS,
        origin=origin,
        fix=_hint(text, reason),
    )


def _column(text: str) -> int | None:
    """The place of the first mistake, counted from 0: the grammar is run again with a listener that keeps it."""
    listener = _Listener()
    lexer = OverrideLexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.addErrorListener(listener)
    parser = OverrideParser(CommonTokenStream(lexer))
    parser.removeErrorListeners()
    parser.addErrorListener(listener)
    try:
        parser.override()
    except Exception as error:
        if str(error) != "Empty Stack":  # ANTLR's lexer says so of a closing bracket without an opening one
            raise
    return listener.column


def _hint(text: str, reason: str) -> str:
    key, equals, value = text.partition("=")
    if not equals:
        return f"{key.strip()}=VALUE"
    if "[" in key:
        return f"indices stand behind dots: {dotted(split(key))}={value}"
    if " " in key.strip():
        return f"a key holds no spaces: {key.strip().replace(' ', '_')}={value}"
    if key != key.strip() or value != value.lstrip():
        return f"no spaces around the equals sign: {key.strip()}={value.strip()}"
    if value.count("'") % 2 or value.count('"') % 2:
        return "close the quote"
    for opening, closing in ("[]", "{}", "()"):
        if value.count(opening) != value.count(closing):
            return (
                f"close the bracket: {opening}...{closing}"
                if value.count(opening) > value.count(closing)
                else f"remove the last {closing}"
            )
    if "(" in value and "unknown function" in reason.lower():
        return (
            "functions are choice, range, interval, glob, sort, shuffle, tag, int, float, str, bool; or quote the text"
        )
    quoted = value.replace("'", "\\'")
    return f"quote the value, also for the shell: \"{key}='{quoted}'\""


def shortened(text: str) -> str:
    """At most a hundred characters of an override."""
    return text if len(text) <= 100 else f"{text[:97]}..."
