"""Code that a recipe names by `_target_`, imported. Whether a name may be is decided where the recipe is composed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed

_EXPECTED = "a function or class in an installed package or in the working directory"


def found_at(target: str, key: str) -> Any:
    """What a dotted name stands for.

    Args:
      key: the config key that holds the name, for the error.

    Raises:
      ConfigError: it cannot be imported.
    """
    path, _, attribute = target.rpartition(".")
    try:
        return getattr(import_module(path), attribute)
    except Exception as error:  # the user's module runs here, and may raise anything
        told = f"'{target}' cannot be imported: {_said(error)}{where(error, None)}"
        raise ConfigError(Problem(key, told, _EXPECTED)) from error


def imported(target: str, key: str) -> Any:
    """The function or class that a dotted name stands for; see `found_at`.

    Raises:
      ConfigError: it cannot be imported, or is nothing that can be called.
    """
    found = found_at(target, key)
    if not callable(found):
        raise ConfigError(Problem(key, f"'{target}' is {type(found).__name__}, which cannot be called", _EXPECTED))
    return found


def refuse_arguments(
    function: Callable[..., Any],
    target: str,
    key: str,
    given: Iterable[str],
    options: Mapping[str, Any],
    *,
    named: bool,
) -> None:
    """Refuse a call that a function's signature does not take.

    Args:
      key: the config key of the section, whose words are the options.
      given: the arguments that the framework passes.
      options: those that the recipe passes, by keyword.
      named: whether the framework passes its own by keyword.

    Raises:
      ConfigError: an argument is unknown, or one that is needed is missing; all of them are told.
    """
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    takes = [name for name, item in known.items() if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL)]
    free = any(item.kind is item.VAR_KEYWORD for item in known.values())
    own = tuple(given)
    by_place = set() if named else set(takes[: len(own)])
    problems = (
        []
        if free
        else [
            _unknown(name, target, key, value, [word for word in takes if word not in by_place])
            for name, value in options.items()
            if name not in takes or name in by_place
        ]
    )
    passed = {*options, *(own if named else by_place)}
    problems += [
        Problem(f"{key}.{name}", f"{target} needs the argument '{name}'", fix=f"+{key}.{name}=<a value>")
        for name in takes
        if name not in passed and known[name].default is inspect.Parameter.empty
    ]
    problems = problems or _misfit(function, target, key, own, options, named)
    if problems:
        raise ConfigError(problems)


def _misfit(
    function: Callable[..., Any], target: str, key: str, own: tuple[str, ...], options: Mapping[str, Any], named: bool
) -> list[Problem]:
    signature = inspect.signature(function)
    try:
        signature.bind(*(() if named else own), **dict.fromkeys(own) if named else {}, **options)
    except TypeError as error:
        return [Problem(key, f"{target} does not take ({', '.join(own)}): {error}", f"{target}{signature}")]
    return []


def _unknown(name: str, target: str, key: str, value: Any, known: list[str]) -> Problem:
    near = closest(name, known)
    fix = f"~{key}.{name}" + (f" +{key}.{near}={value}" if near else "")
    return Problem(f"{key}.{name}", f"{target} has no argument '{name}'", f"arguments: {listed(known)}", fix=fix)


def where(error: BaseException, function: Any) -> str:
    """` (losses.py, line 12)`: the last place in the file of a function, or in any but ours, that an error passed."""
    try:
        file = None if function is None else inspect.getsourcefile(inspect.unwrap(function))
    except TypeError:
        file = None
    found, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code.co_filename
        ours = str(Path(__file__).parents[1]) in code or code.startswith("<frozen")
        if code == file or (file is None and not ours and "importlib" not in code):
            found = f" ({Path(code).name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return found


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def told(error: BaseException, function: Any) -> str:
    """An error of a user's function, in one line: `KeyError: 'logit' (losses.py, line 12)`."""
    return f"{_said(error)}{where(error, function)}"
