"""From pydantic's errors to problems: one for each key, with what was found and expected, and the override to type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from framework.config.schema.base import CrossFieldError
from framework.config.validation.shapes import Shape, field_shape, shape_of, step
from framework.config.validation.suggest import Suggestions
from framework.config.validation.wording import as_override, default_of, expected, found, nearest, placeholder
from framework.core.errors import Problem
from framework.core.familiar import familiar_value
from framework.core.keypaths import flatten
from framework.core.words import closest, listed

_RANGE = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of", "finite_number")
_LENGTH = ("too_short", "too_long", "string_too_short", "string_too_long")
_AGREE = "settings that agree with one another"
_UNREAD = ("yes", "no", "on", "off")


@dataclass(frozen=True)
class _Located:
    """An error with the key that it is about, the shape of that place, and what stands there."""

    key: tuple[str | int, ...]
    shape: Shape | None
    around: Shape
    section: Any
    value: Any
    error: ErrorDetails

    @property
    def kind(self) -> str:
        return self.error["type"]

    @property
    def dotted(self) -> str:
        return ".".join(map(str, self.key))


class Translator:
    """Translates the errors of one validation.

    Args:
      schema: the class that was validated.
      tree: what was validated.
      origins: dotted key -> who set it.
      written: dotted key -> its text in YAML, where the value does not show it.
      groups: config group -> its options, for sections that are missing.
    """

    def __init__(
        self,
        schema: type[BaseModel],
        tree: Mapping[str, Any],
        origins: Mapping[str, str],
        written: Mapping[str, str],
        groups: Mapping[str, Sequence[str]],
    ) -> None:
        self.schema, self.tree, self.origins, self.written, self.groups = schema, tree, origins, written, groups
        self.suggestions = Suggestions(schema, tree)

    def problems(self, error: ValidationError) -> list[Problem]:
        """One problem for each key that an error is about; several for one whose message holds several."""
        by_key: dict[tuple[str | int, ...], list[_Located]] = {}
        for details in error.errors(include_url=False):
            located = self._locate(details)
            by_key.setdefault(located.key, []).append(located)
        return [problem for group in by_key.values() for problem in self._told(group)]

    def _locate(self, error: ErrorDetails) -> _Located:
        """Follow an error's location, which mixes keys with the names of union branches, through schema and tree."""
        shape: Shape | None = shape_of(self.schema)
        around, section, value = shape, None, self.tree
        key: list[str | int] = []
        for part in error["loc"]:
            assert shape is not None
            if not _is_key(shape, part, value):
                continue
            around, section = shape, value
            shape = step(shape, part, value)
            value = _inside(value, part)
            key.append(part)
            if shape is None:
                break
        return _Located(tuple(key), shape, around, section, value, error)

    def _told(self, errors: list[_Located]) -> list[Problem]:
        first = errors[0]
        kinds = {error.kind for error in errors}
        if first.kind == "extra_forbidden":
            return [self._unknown_key(first)]
        if first.kind == "missing":
            return [self._missing(first)]
        if kinds & {"union_tag_invalid", "union_tag_not_found"}:
            return [self._unknown_type(first)]
        told = isinstance(first.error.get("ctx", {}).get("error"), CrossFieldError)
        if first.kind == "value_error" and (told or not isinstance(first.value, bool | int | float | str)):
            return self._crossed(first)
        words = first.shape.words if first.shape else ()
        if words and isinstance(first.value, str):
            return [self._unknown_word(first, words)]
        if kinds & set(_RANGE):
            return [self._out_of_range(first)]
        if kinds <= set(_LENGTH):
            return [self._replace(first, f"found {found(first.value)}")]
        if first.kind == "string_pattern_mismatch":
            return [self._replace(first, f"{found(first.value)}, is no key path")]
        return [self._wrong_type(first)]

    def _unknown_key(self, error: _Located) -> Problem:
        name = str(error.key[-1])
        section = ".".join(map(str, error.key[:-1]))
        word = error.section.get("type") if isinstance(error.section, Mapping) else None
        known = list(error.around.fields(word))
        what = f"type {word} has no setting '{name}'" if word in error.around.types else f"unknown key '{name}'"
        others = [other for other, model in error.around.types.items() if name in model.model_fields]
        hint = f"\n{name} is a setting of {listed(others)}" if others else ""
        better = self.suggestions.instead_of(name, section, known)
        origin = self.origins.get(error.dotted, "")
        if better == name:
            section, _, last = name.rpartition(".")
            fix = f"{name}={as_override(error.value)}, or in a file `{section}: {{{last}: {as_override(error.value)}}}`"
        elif better:
            fix = _under_its_name(better, error.value)
        elif origin.startswith("override "):
            text = origin.removeprefix("override ")
            options = self.groups.get(section.replace(".", "/"), ())
            fix = f"{section}={others[0]} {text}" if len(others) == 1 and others[0] in options else f"leave out {text}"
        else:
            fix = f"~{error.dotted}"
        return Problem(error.dotted, what, listed(known, 30) + hint, fix=fix)

    def _missing(self, error: _Located) -> Problem:
        shape = error.shape
        name = str(error.key[-1])
        options = self.groups.get(error.dotted.replace(".", "/"), ())
        if options:
            near = options[0] if len(options) == 1 else f"<one of {listed(options, 20)}>"
            return Problem(
                error.dotted,
                "nothing is chosen",
                f"a config group's option, or {expected(shape) if shape else 'a section'}",
                fix=f"{error.dotted}={near}",
            )
        place = placeholder(shape)
        return Problem(
            error.dotted,
            f"the required setting '{name}' is missing",
            expected(shape) if shape else None,
            fix=f"{error.dotted}={place}",
        )

    def _unknown_type(self, error: _Located) -> Problem:
        assert error.shape is not None
        known = list(error.shape.types)
        key = f"{error.dotted}.type"
        if not isinstance(error.value, Mapping):
            return self._wrong_type(error)
        word = error.value.get("type")
        if "type" not in error.value:
            options = self.groups.get(error.dotted.replace(".", "/"), ())
            near = self.suggestions.type_for(error.value, error.shape.types) or known[0]
            fix = f"{error.dotted}=<one of {listed(options, 30)}>" if options else f"{key}={near}"
            return Problem(key, "the required setting 'type' is missing", listed(known, 30), fix=fix)
        if not isinstance(word, str):
            return Problem(key, f"{found(word)} is no type", listed(known, 30), fix=f"{key}={known[0]}")
        near = closest(word, known) or self.suggestions.type_for(error.value, error.shape.types)
        return Problem(
            key, f"unknown value '{word}'", listed(known, 30), fix=f"{key}={near or f'<one of {listed(known, 30)}>'}"
        )

    def _unknown_word(self, error: _Located, words: Sequence[Any]) -> Problem:
        near = familiar_value(error.dotted, error.value) or closest(str(error.value), [str(word) for word in words])
        assert error.shape is not None
        fix = f"{error.dotted}={near}" if near else self._default_fix(error.dotted, error.shape)
        return Problem(error.dotted, f"unknown value '{error.value}'", expected(error.shape), fix=fix)

    def _wrong_type(self, error: _Located) -> Problem:
        key, value, shape = error.dotted, error.value, error.shape
        text = self.written.get(key)
        what = f"found {found(value)}" + (f", written {text}" if text and text != as_override(value) else "")
        if shape is None:
            return Problem(key, f"{what}: {error.error['msg']}", fix=f"{key}=<a value>")
        meant = expected(shape)
        if isinstance(value, bool) and shape.annotation is str and text and text.lower() in _UNREAD:
            return Problem(
                key,
                what,
                f"{meant}; YAML reads {text} as {as_override(value)} unless it is quoted",
                fix=f"{key}=\"'{text}'\"",
            )
        if shape.types and not shape.model and isinstance(value, str):
            return Problem(key, what, meant, fix=self._component_fix(key, value, list(shape.types)))
        converted = _converted(value, shape)
        if text and shape.annotation is str and not isinstance(value, str):
            converted = f"'{text}'"
        elif shape.annotation is str and value is not None and not isinstance(value, Mapping | Sequence):
            converted = f"'{as_override(value)}'"
        fix = f"{key}={converted}" if converted is not None else self._default_fix(key, shape)
        if shape.model is not None or "dict" in str(shape.annotation)[:4].lower():
            fix = _mapping_fix(key, value) or fix
        return Problem(key, what, meant or str(error.error["msg"]), fix=fix)

    def _component_fix(self, key: str, word: str, known: list[str]) -> str:
        """A bare word where a component stands: the group's option of that name, or its type."""
        group = key.replace(".", "/")
        option = closest(word, self.groups.get(group, ()))
        return f"{group}={option}" if option else f"{key}={{type: {closest(word, known) or known[0]}}}"

    def _replace(self, error: _Located, what: str) -> Problem:
        assert error.shape is not None
        return Problem(error.dotted, what, expected(error.shape), fix=self._default_fix(error.dotted, error.shape))

    def _out_of_range(self, error: _Located) -> Problem:
        assert error.shape is not None
        near = nearest(error.value, error.shape)
        fix = f"{error.dotted}={near}" if near else self._default_fix(error.dotted, error.shape)
        return Problem(error.dotted, f"{as_override(error.value)} is out of range", expected(error.shape), fix=fix)

    def _default_fix(self, key: str, shape: Shape) -> str:
        default = default_of(shape)
        if default is ... or default is None or isinstance(default, Mapping):
            return f"{key}={placeholder(shape)}"
        return f"{key}={as_override(default)} (the default)"

    def _crossed(self, error: _Located) -> list[Problem]:
        """What a section's own validator found: `CrossFieldError`, or one line `key: message` relative to it."""
        cause = error.error.get("ctx", {}).get("error")
        if isinstance(cause, CrossFieldError):
            return [self._under(error, problem) for problem in cause.problems]
        message = str(cause) if cause is not None else error.error["msg"]
        key, colon, rest = message.partition(": ")
        known = error.shape.fields(error.value.get("type")) if error.shape and isinstance(error.value, Mapping) else {}
        if colon and key.split(".")[0] in known:
            return [self._under(error, Problem(key, rest))]
        mentioned = {word.strip(".,;:()'") for word in message.split()}
        named = [f"{error.dotted}.{name}".lstrip(".") for name in known if name in mentioned]
        origins = dict.fromkeys(origin for name in named if (origin := self.origins.get(name)))
        fix = f"change {listed(named)}" if named else "see what was found"
        return [Problem(error.dotted or "the recipe", message, _AGREE, "\n".join(origins) or None, fix)]

    def _under(self, error: _Located, problem: Problem) -> Problem:
        prefix = f"{error.dotted}." if error.dotted else ""
        suspects = tuple(f"{prefix}{suspect}" for suspect in problem.suspects)
        return replace(problem, key=f"{prefix}{problem.key}".rstrip("."), suspects=suspects)


def _is_key(shape: Shape, part: str | int, value: Any) -> bool:
    """Whether a part of an error's location is a key of the tree, rather than the name of a branch of a union."""
    if isinstance(part, int):
        return True
    if shape.model is not None:
        return True
    if shape.types:
        return part not in shape.types
    return isinstance(value, Mapping) and part in value and step(shape, part, value) is not None


def _under_its_name(key: str, value: Any) -> str:
    """The overrides that set at `key` what was set under another name; a mapping is set leaf by leaf."""
    settings = flatten(value, key) if isinstance(value, Mapping) and value else {key: value}
    if len(settings) > 3:
        return f"call it {key}"
    return " ".join(f"{name}={familiar_value(name, item) or as_override(item)}" for name, item in settings.items())


def _mapping_fix(key: str, value: Any) -> str | None:
    """What mends a section that YAML read as something else than a mapping; None where that is not plain to see."""
    if value is None:
        return f"indent the lines below `{key}:`, or leave the line out"
    if isinstance(value, str) and re.fullmatch(r"\w+:\S+", value):
        name, _, rest = value.partition(":")
        return f"{key}.{name}={rest}, in a file `{name}: {rest}` with a blank after the colon"
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        first = value[0]
        name = next(iter(first)) if isinstance(first, Mapping) and first else "name"
        return f"a name instead of each dash: `{name}1: {as_override(first)}`"
    return None


def _inside(value: Any, part: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(part, int) and isinstance(value, Sequence) and not isinstance(value, str) and part < len(value):
        return value[part]
    return None


def _converted(value: Any, shape: Shape) -> str | None:
    """The value as the expected type, where it plainly means one: '5' for 5, 5.0 for 5."""
    annotations = [shape.annotation, *(option.annotation for option in shape.options)]
    try:
        number = float(value) if isinstance(value, str | float) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is not None and int in annotations and number.is_integer():
        return str(int(number))
    if number is not None and float in annotations:
        return as_override(number)
    if bool in annotations and isinstance(value, int | str):
        truth = {"1": "true", "0": "false", "yes": "true", "no": "false", "true": "true", "false": "false"}
        return truth.get(str(value).lower())
    if shape.item is not None and isinstance(value, str | int | float) and "tuple" in str(shape.annotation):
        return f"[{as_override(value)}]"
    return None


__all__ = ["Translator", "field_shape"]
