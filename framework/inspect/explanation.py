"""All about one key of a recipe: its value, its rules, who set it, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.compose.loaded import Loaded
from framework.config.schema.base import Spec, WireMark, has_mark
from framework.core.errors import ConfigError, Problem
from framework.core.keypaths import flatten
from framework.core.words import closest, listed
from framework.inspect.annotated import choice_of, origin_of
from framework.inspect.defaults import with_defaults
from framework.inspect.fields import Argument, arguments
from framework.inspect.implementation import implementation, schema_place
from framework.inspect.optional import Possible, possible_sections
from framework.inspect.placing import Place, place
from framework.inspect.readers import methods, readers

_ELABORATION = "framework/config/language/elaborate.py: elaborate"
"""Reads everything below `network` that is no argument of a layer."""

_WIRING = "framework/build/wiring.py: Bound.read"
"""Resolves key paths, and hands what they name to losses and metrics."""

TRACED = "traced: an input of the compiled program; a sweep over it compiles once"


@dataclass(frozen=True)
class Explanation:
    """What there is to say of one key.

    Attributes:
      key: the dotted key.
      value: its value in the resolved recipe.
      origin: who set it.
      choice: for a section, the option chosen out of its config group, and by whom.
      argument: its rules, where it is a field of a schema class.
      members: the fields of a section, with their rules.
      history: every (origin, value) that set it, first to last; empty where only the schema did.
      written: the text as written, where it held an interpolation.
      schema: the schema class and field that check it.
      readers: the functions and modules that read it.
      mentions: other keys whose interpolation or formula reads it, as `key: text`.
      possible: of a key that is null, the sections that it could hold.
    """

    key: str
    value: Any
    origin: str
    choice: str
    argument: Argument | None
    members: tuple[Argument, ...]
    history: tuple[tuple[str, Any], ...]
    written: str | None
    schema: str | None
    readers: tuple[str, ...]
    mentions: tuple[str, ...]
    possible: tuple[Possible, ...]

    @property
    def role(self) -> str:
        """Whether changing the value compiles the program anew."""
        if self.argument is not None and self.argument.traced:
            return TRACED
        if self.key == "seed":
            return TRACED
        return "structural: no input of the compiled program"


def explain(loaded: Loaded, key: str) -> Explanation:
    """Explain one key of a loaded recipe.

    Args:
      key: dotted, e.g. `optimizer.schedule.type`; a section is explained with all its members.

    Raises:
      ConfigError: the recipe has no such key; the closest is named.
    """
    full = with_defaults(loaded.tree, loaded.config)
    value = _value(full, key, loaded)
    where = place(loaded.config, full, key)
    fields = {argument.name: argument for argument in arguments(where.schema)} if where.schema else {}
    section = isinstance(value, Mapping) and where.inner is not None
    return Explanation(
        key=key,
        value=value,
        origin=origin_of(loaded, key),
        choice=choice_of(loaded, key),
        argument=fields.get(where.field or ""),
        members=arguments(where.inner) if section and where.inner else (),
        history=tuple(loaded.history.get(key, ())),
        written=loaded.interpolations.get(key),
        schema=_schema(where),
        readers=_readers(where, key),
        mentions=tuple(_mentions(loaded, key)),
        possible=_possible(where, key) if value is None else (),
    )


def _keys(tree: Mapping[str, Any]) -> set[str]:
    leaves = flatten(tree)
    return {".".join(leaf.split(".")[: depth + 1]) for leaf in leaves for depth in range(leaf.count(".") + 1)}


def _value(tree: Mapping[str, Any], key: str, loaded: Loaded) -> Any:
    node: Any = tree
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            known = sorted(_keys(tree))
            near = closest(key, known)
            top = [name for name in tree if isinstance(name, str)]
            raise ConfigError(
                Problem(
                    key=key,
                    found=f"{loaded.subject} has no such key",
                    expected=_siblings(tree, key) or listed(top, limit=20),
                    fix=f"fw explain {loaded.name} {near}" if near else f"fw show {loaded.name} --defaults",
                )
            )
        node = node[part]
    return node


def _siblings(tree: Mapping[str, Any], key: str) -> str:
    """The keys of the deepest section on the way to `key` that exists."""
    node: Any = tree
    path = ""
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            break
        node, path = node[part], f"{path}{part}."
    return listed([f"{path}{name}" for name in node], limit=16) if isinstance(node, Mapping) and path else ""


def _schema(where: Place) -> str | None:
    if where.schema is None:
        return schema_place(where.inner) if where.inner else None
    return f"{schema_place(where.schema)}.{where.field}"


def _possible(where: Place, key: str) -> tuple[Possible, ...]:
    return possible_sections(where.schema, where.field, key) if where.schema and where.field else ()


def _readers(where: Place, key: str) -> tuple[str, ...]:
    if where.schema is None or where.field is None:
        own = _code(where.inner_family, where.inner_word, where.inner)
        return own or ((_ELABORATION,) if key.startswith("network.") else ())
    if key.count(".") and where.family:
        code = implementation(where.family, (where.word, where.schema.__name__))
        if code is not None and where.field in code.arguments:
            return (code.place,)
    if has_mark(where.schema.model_fields[where.field], WireMark):
        return (_WIRING,)
    schemas = tuple(base.__name__ for base in where.schema.__mro__ if issubclass(base, Spec) and base is not Spec)
    found = readers(where.section, schemas, where.field, where.family)
    found = found or methods(where.schema.__module__, schemas, where.section, where.field)
    return tuple(dict.fromkeys(_code(where.inner_family, where.inner_word, where.inner) + found))


def _code(family: str, word: str, schema: type[Spec] | None) -> tuple[str, ...]:
    found = implementation(family, (word, schema.__name__)) if family and schema else None
    return (found.place,) if found else ()


def _mentions(loaded: Loaded, key: str) -> list[str]:
    found = [f"{other}: {text}" for other, text in loaded.interpolations.items() if f"${{{key}}}" in text]
    if key.startswith("network.args."):
        name = key.removeprefix("network.args.")
        for other, value in flatten(loaded.tree.get("network", {}), "network").items():
            if isinstance(value, str) and value.startswith("=") and name in value[1:]:
                found.append(f"{other}: {value}")
    return found
