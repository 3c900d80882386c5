"""The settings of a launch as options, taken from their schema: one option a setting, whichever targets have it."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from framework.cli.arguments import VerbParser
from framework.core.errors import ConfigError, Problem
from framework.launch.reading import option_of, options_of, types_of
from framework.launch.settings import TARGETS

PREFIX = "setting_"


def add_settings(words: VerbParser) -> None:
    """Declare `--settings`, and an option for each setting that is one word."""
    names = ", ".join(target.option for target in TARGETS)
    words.option(
        "--settings", metavar="FILE", type=_file, help=f"YAML with sections {names}, of the settings that follow"
    )
    for name, fields in _fields().items():
        words.option(option_of(name), metavar=_metavar(fields), dest=PREFIX + name, help=_help(fields))


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Setting -> value, of the options that were typed; digits are numbers where a number may stand."""
    fields = _fields()
    typed = {name: getattr(options, PREFIX + name) for name in fields}
    return {name: _value(text, fields[name]) for name, text in typed.items() if text is not None}


def _fields() -> dict[str, dict[str, FieldInfo]]:
    """Setting -> target -> its field; lists and mappings stand in the file alone."""
    found: dict[str, dict[str, FieldInfo]] = {}
    for target in TARGETS:
        for name, field in options_of(target).items():
            found.setdefault(name, {})[target.option] = field
    return found


def _value(text: str, fields: dict[str, FieldInfo]) -> Any:
    wants_number = int in types_of(next(iter(fields.values())))
    return int(text) if wants_number and re.fullmatch("-?[0-9]+", text) else text


def _metavar(fields: dict[str, FieldInfo]) -> str:
    return "N" if int in types_of(next(iter(fields.values()))) else "TEXT"


def _help(fields: dict[str, FieldInfo]) -> str:
    defaults = {option: json.dumps(field.default) for option, field in fields.items() if _is_told(field)}
    values = set(defaults.values())
    shown = ", ".join(defaults.values() if len(values) == 1 else (f"{k} {v}" for k, v in defaults.items()))
    text = "; ".join(dict.fromkeys(_description(field) for field in fields.values()))
    owners = ", ".join(fields)
    return f"{owners}: {text}" + (f" (default: {shown})" if shown else "")


def _description(field: FieldInfo) -> str:
    return (field.description or "").partition("; null:")[0]


def _is_told(field: FieldInfo) -> bool:
    return not field.is_required() and field.default is not None


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise ConfigError(Problem("--settings", f"{text} {found}", "a YAML file", fix="check the path"))
    return path
