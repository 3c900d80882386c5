"""The settings of one target: its section of the team's YAML file, and over it the options of the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from framework.config.compose.document import Document, read
from framework.config.validation.check import frozen
from framework.config.validation.problems import Translator
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.launch.settings import TARGETS, Target

Chosen = TypeVar("Chosen", bound=Target)


def option_of(field: str) -> str:
    """How `fw launch` spells a setting: `tasks_per_node` is `--tasks-per-node`, `notice_s` is `--notice`."""
    return "--" + field.removesuffix("_s").replace("_", "-")


def options_of(target: type[Target]) -> dict[str, FieldInfo]:
    """The settings of a target that an option can give: those of one word. Lists and mappings stand in the file."""
    return {name: field for name, field in target.model_fields.items() if types_of(field) & {int, str}}


def types_of(field: FieldInfo) -> set[Any]:
    """The plain types that a setting may have, out of `Annotated` and unions."""
    waiting, found = [field.annotation], set()
    while waiting:
        each = waiting.pop()
        if hasattr(each, "__metadata__"):
            waiting.append(get_args(each)[0])
        elif get_origin(each) in (Union, UnionType):
            waiting += get_args(each)
        else:
            found.add(each)
    return found


def settings_for(target: type[Chosen], file: Path | None, given: Mapping[str, Any]) -> Chosen:
    """The validated settings of a target.

    Args:
      target: which.
      file: the YAML file after `--settings`, with a section for each target.
      given: setting -> value, of the options that were typed.

    Raises:
      ConfigError: the file or an option is wrong; all problems at once.
    """
    problems = _strangers(target, given)
    section, origins, written = _section(target, file)
    own = {name: value for name, value in given.items() if name in target.model_fields}
    tree = {**section, **own}
    origins |= {name: f"option {option_of(name)}" for name in own}
    try:
        settings = target.model_validate(frozen(tree))
    except ValidationError as error:
        told = Translator(target, tree, origins, written, {}).problems(error)
        problems += [_spelled(target, problem, origins.get(problem.key), file) for problem in told]
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return settings


def _section(target: type[Target], file: Path | None) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """The target's part of the file; its keys with the lines they stand on; and with their text as written."""
    if file is None:
        return {}, {}, {}
    document = read(file, str(file))
    value = {} if document.value is None else document.value
    known = [each.option for each in TARGETS]
    if not isinstance(value, dict) or not all(isinstance(item, dict | None) for item in value.values()):
        raise ConfigError(Problem(str(file), "is no mapping of sections", f"sections {listed(known)}", fix="slurm: {}"))
    unknown = [_unknown_section(document, name, known) for name in value if name not in known]
    if unknown:
        raise ConfigError(unknown)
    section = value.get(target.option) or {}
    paths = {name: (target.option, name) for name in section}
    written = {name: document.texts[path] for name, path in paths.items() if path in document.texts}
    return section, {name: document.origin(path) for name, path in paths.items()}, written


def _unknown_section(document: Document, name: str, known: list[str]) -> Problem:
    near = closest(name, known) or known[0]
    return Problem(name, f"unknown section '{name}'", listed(known), document.origin((name,)), f"{near}: ...")


def _strangers(target: type[Target], given: Mapping[str, Any]) -> list[Problem]:
    """Options that only another target has."""
    return [
        Problem(
            option_of(name),
            f"--{target.option} has no such setting",
            f"options of --{target.option}: {listed(map(option_of, options_of(target)), 30)}",
            fix=f"leave out {option_of(name)}",
        )
        for name in given
        if name not in target.model_fields
    ]


def _spelled(target: type[Target], problem: Problem, origin: str | None, file: Path | None) -> Problem:
    """A problem of a setting in the words of whoever has to mend it: an option, or a line of the file."""
    key, fix = problem.key, problem.fix
    value = fix.removeprefix(f"{key}=") if fix and fix.startswith(f"{key}=") else None
    if origin is None and key in target.model_fields:
        meant = target.model_fields[key].description
        typed = f"{option_of(key)} {key.upper()}"
        if file is None:
            return replace(problem, key=option_of(key), expected=meant, fix=typed)
        fix = f"{typed}, or in {file} `{key}: {key.upper()}`"
        return replace(problem, key=f"{target.option}.{key}", expected=meant, fix=fix)
    if origin and origin.startswith("option "):
        return replace(problem, key=option_of(key), origin=None, fix=f"{option_of(key)} {value}" if value else fix)
    renamed = fix.replace("=", ": ", 1) if fix and "=" in fix else fix
    return replace(problem, key=f"{target.option}.{key}", origin=origin, fix=renamed)
