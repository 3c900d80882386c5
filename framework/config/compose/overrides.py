"""Overrides in Hydra's grammar, read one by one so that all mistakes are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter, Signature
from typing import Any, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException

from framework.config.compose.bounds import MAX_BRACKETS, MAX_OVERRIDE_CHARACTERS, brackets
from framework.config.compose.interpolation import InterpolationError, holds, parse
from framework.config.compose.paths import dotted, leaves, split
from framework.config.compose.source import GROUP
from framework.config.compose.trust import untrusted
from framework.config.compose.unreadable import KINDS, shortened, unreadable
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed


@dataclass(frozen=True)
class Word:
    """One override.

    Attributes:
      text: as typed.
      parsed: what Hydra's grammar makes of it.
      kind: `group` chooses an option of a config group, `hydra` configures Hydra, `set` sets a value, whether or not
        its key was there, `add` only where none was, `delete` removes a key.
    """

    text: str
    parsed: Override
    kind: Literal["group", "hydra", "set", "add", "delete"]

    @property
    def origin(self) -> str:
        """As errors and `fw explain` print it."""
        return f"override {self.text}"

    @property
    def key(self) -> str:
        """The key with dots, also where it was typed with brackets."""
        return self.parsed.key_or_group if self.kind in ("group", "hydra") else dotted(split(self.parsed.key_or_group))

    @property
    def for_hydra(self) -> str:
        """The override to give to Hydra: one that sets a value does so whether or not the key is written somewhere."""
        plain = self.kind == "set" and not self.parsed.is_force_add()
        sweep = self.parsed.value() if self.parsed.is_interval_sweep() else None
        text = self.text
        if isinstance(sweep, IntervalSweep) and "log" in sweep.tags:
            kept = f"interval({sweep.start},{sweep.end})"
            kept = f"int({kept})" if isinstance(sweep.start, int) else kept
            text = f"{text.partition('=')[0]}=tag(log,{kept})"
        return f"++{text}" if plain else text


class Groups:
    """What the overrides' reading asks of the config groups in sight.

    Args:
      is_group: whether a config group of that name exists.
      options: the options of a group.
      known: every group.
    """

    def __init__(
        self,
        is_group: Callable[[str], bool],
        is_option: Callable[[str, str], bool],
        options: Callable[[str], Sequence[str]],
        known: Callable[[], Iterable[str]],
    ) -> None:
        self.is_group, self.is_option, self.options, self.known = is_group, is_option, options, known


def read_overrides(
    texts: Sequence[str], groups: Groups, *, sweep: bool = False, trust: Sequence[str] = ()
) -> list[Word]:
    """Read overrides; `sweep` admits several values in one, `trust` names of code in Hydra's own configuration.

    Raises:
      ConfigError: one does not follow the grammar, breaks a bound, sweeps where no sweep was asked for, chooses an
        option that its group does not have, or makes Hydra import what is not trusted.
    """
    words: list[Word] = []
    problems: list[Problem] = []
    parser = parser_with_log()
    for text in texts:
        try:
            word = _word(text, parser, groups)
            problem = _check(word, groups, sweep) or _check_target(word, trust)
        except _RefusedError as refused:
            problem = refused.problem
        else:
            words.append(word)
        if problem:
            problems.append(problem)
    if problems:
        raise ConfigError(problems)
    return words


def parser_with_log() -> OverridesParser:
    """Hydra's parser, which also knows `log(interval(a,b))`, short for `tag(log,interval(a,b))`."""
    parser = OverridesParser.create()
    parser.functions.register("log", _log)
    return parser


def _log(sweep: Any) -> IntervalSweep:
    sweep.tags = {*sweep.tags, "log"}
    return sweep


# Hydra compares arguments with the annotation itself, which this module's are only the text of.
_log.__signature__ = Signature(  # type: ignore[attr-defined]
    [Parameter("sweep", Parameter.POSITIONAL_OR_KEYWORD, annotation=IntervalSweep)]
)


class _RefusedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.found)
        self.problem = problem


def _word(text: str, parser: OverridesParser, groups: Groups) -> Word:
    origin = f"override {shortened(text)}"
    if len(text) > MAX_OVERRIDE_CHARACTERS:
        found = f"an override has {len(text)} characters"
        raise _RefusedError(
            Problem("override", found, f"at most {MAX_OVERRIDE_CHARACTERS}", origin, "write it into a recipe file")
        )
    if brackets(text) > MAX_BRACKETS:
        found = f"an override is nested more than {MAX_BRACKETS} deep"
        raise _RefusedError(
            Problem("override", found, f"at most {MAX_BRACKETS} levels", origin, "write it into a recipe file")
        )
    try:
        parsed = parser.parse_override(text)
    except HydraException as error:
        raise _RefusedError(unreadable(text, str(error), origin)) from None
    name = parsed.key_or_group
    if not name:
        raise _RefusedError(Problem("override", f"'{text}' has no key", KINDS, origin, f"KEY{text}"))
    if parsed.is_hydra_override() or name == "hydra":
        return Word(text, parsed, "hydra")
    if parsed.package is not None or "/" in name:
        return Word(text, parsed, "group")
    if groups.is_group(name) and (parsed.is_sweep_override() or not isinstance(parsed.value(), dict)):
        return Word(text, parsed, "group")
    return Word(text, parsed, "delete" if parsed.is_delete() else "add" if parsed.is_add() else "set")


def _check(word: Word, groups: Groups, sweep: bool) -> Problem | None:
    parsed, text = word.parsed, word.text
    name = parsed.key_or_group
    if name == GROUP:
        return Problem(
            GROUP,
            "a second recipe is named by an override",
            "one recipe, the first word",
            word.origin,
            f"leave out {text}",
        )
    if parsed.is_sweep_override():
        return _check_sweep(word, groups) if sweep else _swept(word)
    if word.kind == "group" or name.startswith("hydra/"):
        return _check_option(word, groups, parsed.value())
    if word.kind in ("set", "add"):
        for path, value in leaves(parsed.value()):
            if holds(value):
                try:
                    parse(value)
                except InterpolationError as error:
                    return error.problem(dotted((word.key, *path)), word.origin)
    return None


def _check_target(word: Word, trust: Sequence[str]) -> Problem | None:
    """Hydra makes what `_target_` names in its own configuration before we could look at it."""
    if word.kind != "hydra" or word.parsed.is_delete() or word.parsed.is_sweep_override():
        return None
    section, _, last = word.key.rpartition(".")
    for problem in untrusted({last: word.parsed.value()}, trust):
        return replace(problem, key=f"{section}.{problem.key}".lstrip("."), origin=word.origin)
    return None


def _swept(word: Word) -> Problem:
    key, _, value = word.text.partition("=")
    simple = "(" not in value
    return Problem(
        word.key,
        f"{value} is several values",
        expected="one value, or a sweep over them with -m",
        origin=word.origin,
        fix=f'add -m to run each; "{key}=[{value}]" for a list; "{key}=\'{value}\'" for text'
        if simple
        else "add -m to run each",
    )


def _check_sweep(word: Word, groups: Groups) -> Problem | None:
    if word.kind != "group" or not word.parsed.is_choice_sweep():
        return None
    for option in word.parsed.sweep_string_iterator() if "glob(" not in word.text else ():
        problem = _check_option(word, groups, option)
        if problem:
            near = closest(option, groups.options(word.key)) or "OPTION"
            return replace(problem, fix=word.text.replace(option, near))
    return None


def _check_option(word: Word, groups: Groups, value: Any) -> Problem | None:
    parsed = word.parsed
    name = parsed.key_or_group
    if not groups.is_group(name):
        known = list(groups.known())
        near = closest(name, known)
        rest = word.text.partition("=")[2]
        return Problem(
            name,
            f"no config group is called '{name}'",
            listed(known, 30),
            word.origin,
            f"{near}={rest}" if near else None,
        )
    if parsed.is_delete():
        return None
    options = list(groups.options(name))
    if parsed.is_force_add():
        return Problem(
            name,
            "a config group cannot be forced with ++",
            listed(options, 30),
            word.origin,
            word.text.removeprefix("++"),
        )
    chosen = value if isinstance(value, list) else [value]
    for option in chosen:
        if not isinstance(option, str):
            found = f"{'null' if option is None else option} is no option of the config group {name}"
            fix = f"~{name}" if option is None else f"{name}={options[0]}" if options else None
            return Problem(name, found, listed(options, 30), word.origin, fix)
        if not groups.is_option(name, option):
            near = closest(option, options)
            return Problem(
                name,
                f"unknown option '{option}'",
                expected=listed(options, 30),
                origin=word.origin,
                fix=f"{parsed.get_key_element()}={near or (options[0] if options else '')}",
            )
    return None
