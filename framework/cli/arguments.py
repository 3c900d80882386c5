"""The words of one verb: argparse, with help that shows examples and errors that name the closest option."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Any, NoReturn

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed


class VerbParser(argparse.ArgumentParser):
    """The parser of one verb.

    Args:
      verb: its name.
      usage: what follows `fw VERB` in the usage line, without the options.
      about: one paragraph on what the verb does.
      examples: complete commands.
    """

    def __init__(self, verb: str, usage: str, about: str, examples: Sequence[str]) -> None:
        self.verb = verb
        self._spellings: list[str] = ["--help", "--traceback"]
        super().__init__(
            prog=f"fw {verb}",
            usage=f"fw {verb} {usage} [options]".replace("  ", " "),
            description=fill(" ".join(about.split()), width=_help_width()),
            epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
            formatter_class=_HelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )
        self._words = self.add_argument_group("arguments")
        self._own = self.add_argument_group("options")
        common = self.add_argument_group("common options")
        common.add_argument("-h", "--help", action="store_true", help="show this help")
        common.add_argument("--traceback", action="store_true", help="show where an error was raised")

    def option(self, *spellings: str, **settings: Any) -> None:
        """Declare an option, such as `-o`, `--output`."""
        self._spellings += [spelling for spelling in spellings if spelling.startswith("--")]
        self._own.add_argument(*spellings, **settings)

    def word(self, name: str, **settings: Any) -> None:
        """Declare a word that stands by itself, such as RECIPE."""
        self._words.add_argument(name, **settings)

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """The options in `words`; positional words and options may stand in any order.

        Raises:
          ConfigError: a word is missing, unknown or of the wrong kind.
        """
        options, unknown = self.parse_known_intermixed_args(list(words))
        # What follows `--epochs` is its value, and no second mistake.
        values = {index + 1 for index, word in enumerate(unknown) if word.startswith("--") and "=" not in word}
        problems = [
            self._unknown(word)
            for index, word in enumerate(unknown)
            if word != "--" and (word.startswith("-") or index not in values)
        ]
        if problems:
            raise ConfigError(problems)
        return options

    def _unknown(self, word: str) -> Problem:
        known = list(dict.fromkeys(self._spellings))
        if not word.startswith("-"):
            return Problem(f"fw {self.verb}", f"one word too many: '{word}'", expected=self._usage_line())
        name, _, value = word.lstrip("-").partition("=")
        near = closest(word.partition("=")[0], known, cutoff=0.75)
        fix = near or f"fw {self.verb} --help"
        if near is None and "OVERRIDE" in self._usage_line() and word.startswith("--"):
            fix = f"settings have no dashes: {name}={value or 'VALUE'}"
        return Problem(f"fw {self.verb}", f"unknown option '{word}'", expected=listed(known, limit=20), fix=fix)

    def _usage_line(self) -> str:
        return self.format_usage().removeprefix("usage: ").strip()

    def error(self, message: str) -> NoReturn:
        found = message.replace("the following arguments are required: ", "missing: ").removesuffix(", OVERRIDE")
        raise ConfigError(Problem(f"fw {self.verb}", found, expected=self._usage_line(), fix=f"fw {self.verb} --help"))


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=26, width=_help_width(), **settings)


def _help_width() -> int:
    return max(60, min(shutil.get_terminal_size((100, 24)).columns, 110))


def one_of(name: str, *words: str) -> Callable[[str], str]:
    """The type of an option or word called `name` that must be one of a few; the closest is told otherwise."""

    def parse(text: str) -> str:
        if text in words:
            return text
        near = closest(text, words)
        raise ConfigError(Problem(name, f"unknown value '{text}'", expected=listed(words, limit=20), fix=near))

    return parse


def positive(name: str) -> Callable[[str], int]:
    """The type of an option called `name` that is a count."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and int(text) > 0:
            return int(text)
        raise ConfigError(Problem(name, f"unknown value '{text}'", expected="a positive integer", fix=f"{name} 1"))

    return parse
