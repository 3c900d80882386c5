"""The arguments of a built-in operation: formulas evaluated, then checked by the operation's schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from framework.config.language.formula import is_formula
from framework.config.language.graph import REGULARIZER
from framework.config.language.report import Report
from framework.config.language.scope import FAILED, Scope, Value
from framework.config.schema.base import TracedMark, has_mark
from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.parametrised import NormedKernelSpec
from framework.core.familiar import familiar_argument
from framework.core.words import closest, listed

TracedField = tuple[str, str, float]
_ARGUMENTS = re.compile(r"arguments of '(\w+)': (.*)")
_EXAMPLES = {"64": 64, "0.1": 0.1}
_WORDS_OF_NODES = ("repeat", "remat", "share", "freeze", REGULARIZER)


def layer(
    schema: type[LayerSpec], raw: Mapping[str, Any], key: str, instance: str, scope: Scope, report: Report
) -> tuple[LayerSpec, tuple[TracedField, ...]] | None:
    """The validated arguments of one use of an operation, and those that the compiled program takes as inputs.

    Args:
      raw: arguments by name, formulas included.
      key: the config key under which they are set, e.g. `network.layers.stem.conv`.
      instance: a key of this very use, for traced scalars that a formula computed, e.g. `network.layers.b1.drop`.

    Returns:
      None, with the mistakes reported, where the arguments do not fit.
    """
    values: dict[str, Value] = {name: scope.resolve(item, f"{key}.{name}", report) for name, item in raw.items()}
    for name, value in values.items():
        if name not in schema.model_fields or not has_mark(schema.model_fields[name], TracedMark):
            scope.structural.add(value.key)
    failed = {name for name, value in values.items() if value.value is FAILED}
    try:
        spec = schema.model_validate({name: value.value for name, value in values.items() if name not in failed})
    except ValidationError as error:
        grouped = _by_argument(error)
        renamed = {_meant(schema, name) for name in grouped if name not in schema.model_fields}
        for name, errors in grouped.items():
            # `featurs` is one mistake, although `features` is missing too.
            if name not in failed and not (errors[0]["type"] == "missing" and name in renamed):
                _tell(schema, name, errors, raw, values, key, scope, report)
        return None
    if failed:
        return None
    return spec, tuple(_traced(spec, values, key, instance))


def _traced(spec: LayerSpec, values: Mapping[str, Value], key: str, instance: str) -> list[TracedField]:
    """A zero that switches a mechanism off stays a plain zero, so that it is compiled away."""
    found: list[TracedField] = []
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if value is None or not has_mark(field, TracedMark):
            continue
        extra = field.json_schema_extra
        if value == 0 and isinstance(extra, dict) and extra.get("zero_is_off"):
            continue
        source = values[name].key if name in values else f"{key}.{name}"
        found.append((name, source or f"{instance}.{name}", float(value)))
    return found


def _meant(schema: type[LayerSpec], name: str) -> str | None:
    """The argument that was meant by one that there is not."""
    near = closest(name, schema.model_fields, cutoff=0.8)
    return near or familiar_argument(name, schema.model_fields) or closest(name, schema.model_fields)


def _own_first(schema: type[LayerSpec]) -> list[str]:
    """The arguments of an operation; those that all layers with kernels have come last."""
    return sorted(schema.model_fields, key=lambda name: name in NormedKernelSpec.model_fields)


def _by_argument(error: ValidationError) -> dict[str, list[ErrorDetails]]:
    grouped: dict[str, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        grouped.setdefault(str(detail["loc"][0]) if detail["loc"] else "", []).append(detail)
    return grouped


def _tell(
    schema: type[LayerSpec],
    name: str,
    errors: list[ErrorDetails],
    raw: Mapping[str, Any],
    values: Mapping[str, Value],
    key: str,
    scope: Scope,
    report: Report,
) -> None:
    first = errors[0]
    full = f"{key}.{name}" if name else key
    if first["type"] == "extra_forbidden" and name in _WORDS_OF_NODES:
        node = key.rpartition(".")[0]
        report.problem(
            full,
            f"'{name}' is a word of the node and no argument of '{schema.op}'",
            f"{{{schema.op}: {{...}}, {name}: {shown(raw[name])}}}",
            f"~{full} +{node}.{name}={shown(raw[name])}",
        )
    elif first["type"] == "extra_forbidden":
        near = _meant(schema, name)
        report.problem(
            full,
            f"'{schema.op}' has no argument '{name}'" + (f" (did you mean '{near}'?)" if near else ""),
            f"arguments: {listed(_own_first(schema))}",
            f"~{full} +{key}.{near}={shown(raw[name])}" if near else f"~{full}",
        )
    elif first["type"] == "missing":
        report.problem(
            full,
            f"'{schema.op}' needs the argument '{name}'",
            _described(schema, name),
            # A bare word, `hidden: dense`, is no mapping that an argument could be added to.
            f"+{full}={_example(schema, name)}"
            if key.endswith(f".{schema.op}")
            else f"{key}={{{schema.op}:{{{name}:{_example(schema, name)}}}}}",
        )
    else:
        _tell_value(schema, name, errors, raw, values, full, scope, report)


def _tell_value(
    schema: type[LayerSpec],
    name: str,
    errors: list[ErrorDetails],
    raw: Mapping[str, Any],
    values: Mapping[str, Value],
    key: str,
    scope: Scope,
    report: Report,
) -> None:
    """A wrong value is told where it was set: a block's user, who set it, can mend it there."""
    expected = " or ".join(dict.fromkeys(_reason(detail) for detail in errors))
    if name not in values:
        sentence, _, mend = expected.partition("; ")
        report.problem(key, f"'{schema.op}': {sentence}", _described(schema, name) if name else None, mend or None)
        return
    value = values[name].value
    plain = shown(value) if isinstance(value, Mapping | list | tuple) else repr(value)
    found = f"{plain} is not right" if len(plain) > 40 else f"found {plain}"
    fix = None
    if is_formula(raw[name]):
        found += f", which is {raw[name]} in {scope.owner}"
        if values[name].key:
            found += f" (read by {key})"
            key = values[name].key
        elif isinstance(value, float) and value.is_integer() and "/" in raw[name]:
            fix = f"divide whole numbers with //: {key}='{raw[name].replace('/', '//')}'"
    choice = errors[0].get("ctx", {}).get("expected") if errors[0]["type"] == "literal_error" else None
    if choice and isinstance(value, str):
        near = closest(value, [word.strip(" '") for word in str(choice).replace(" or ", ",").split(",")])
        fix = f"{key}={near}" if near else None
    elif fix is None and not is_formula(raw[name]):
        fix = _within(schema, name, {word: item.value for word, item in values.items()}, key, expected)
    report.problem(key, found, expected, fix)


def _within(schema: type[LayerSpec], name: str, values: dict[str, Any], key: str, expected: str) -> str | None:
    """An override to a value near the wrong one, or else a usual one, with which the schema takes the arguments."""
    value = values[name]
    if isinstance(value, Mapping):
        return _renamed(value, expected, key)
    near = [abs(value), [value]] if isinstance(value, int | float) and not isinstance(value, bool) else []
    for candidate in (*near, schema.model_fields[name].get_default(), _EXAMPLES.get(_example(schema, name))):
        try:
            schema.model_validate(values | {name: candidate})
        except (ValidationError, TypeError):
            continue
        return f"{key}={shown(candidate)}"
    return None


def _renamed(value: Mapping[str, Any], expected: str, key: str) -> str | None:
    """An initialiser's arguments with the misspelt ones under the names that they have."""
    told = _ARGUMENTS.search(expected)
    given = value.get(told[1]) if told else None
    if told is None or not isinstance(given, Mapping):
        return None
    known = told[2].split(", ")
    near = {word: closest(str(word), known, cutoff=0.4) for word in given if word not in known}
    if None in near.values():
        return None
    return " ".join(
        f"~{key}.{told[1]}.{word} +{key}.{told[1]}.{right}={shown(given[word])}" for word, right in near.items()
    )


def _reason(detail: ErrorDetails) -> str:
    """Pydantic's sentence in our words: what is expected, without its prefixes."""
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if text.startswith("found "):  # a check of ours: `found 0; expected a positive integer`
        text = text.partition("; ")[2].removeprefix("expected ") or text
    for prefix in ("Input should be a valid ", "Input should be "):
        if text.startswith(prefix):
            rest = text.removeprefix(prefix)
            article = "an" if rest[:1] in "aeiou" else "a"
            return f"{article} {rest}" if prefix.endswith("valid ") and not rest.startswith(("a ", "an ")) else rest
    return text[:1].lower() + text[1:]


def _described(schema: type[LayerSpec], name: str) -> str | None:
    field = schema.model_fields.get(name)
    return field.description if field is not None and field.description else None


def _example(schema: type[LayerSpec], name: str) -> str:
    """A value to type: one that the schema would take where that is easy to tell."""
    annotation = schema.model_fields[name].annotation
    plain = {annotation, *get_args(annotation)}
    if int in plain:
        return "64"
    if float in plain:
        return "0.1"
    return "..."


def shown(value: Any) -> str:
    """A value as one would type it in an override."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ",".join(shown(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{name}:{shown(item)}" for name, item in value.items()) + "}"
    return f"'{value}'" if is_formula(value) else str(value)
