"""Which schema class and which field a dotted key belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.config.schema.base import Component, Spec
from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.base import LayerSpec


@dataclass(frozen=True)
class Place:
    """Where a key stands.

    Attributes:
      schema: the schema class that declares the key as a field; None for a name that the user chose.
      field: the field's name.
      inner: the schema class of the value itself, where that is a section.
      section: what code calls the section that holds the field, e.g. `trainer`.
      family: `loss`, `optimizer`, `layer` ... where the field belongs to a component.
      word: that component's word in YAML.
      inner_family, inner_word: likewise, where the value itself is a component.
    """

    schema: type[Spec] | None = None
    field: str | None = None
    inner: type[Spec] | None = None
    section: str = ""
    family: str = ""
    word: str = ""
    inner_family: str = ""
    inner_word: str = ""


def place(config: Spec, tree: Mapping[str, Any], key: str) -> Place:
    """Where a key stands.

    Args:
      config: the validated recipe.
      tree: the recipe as a plain tree with defaults, in which the key exists.
    """
    typed: Any = config
    node: Any = tree
    found = Place(inner=type(config))
    section = "config"
    for part in key.split("."):
        holder = _holder(typed)
        node = node[part]
        typed = _step(typed, part, node)
        inner = _holder(typed)
        field = part if holder is not None and part in holder.model_fields else None
        found = Place(holder if field else None, field, inner, section, *_component(holder), *_component(inner))
        # Code calls a named loss by its family's section: f"losses.{name}.weight".
        section = part if holder is not None else section
    return found


def _holder(typed: Any) -> type[Spec] | None:
    if isinstance(typed, Spec):
        return type(typed)
    return typed if isinstance(typed, type) and issubclass(typed, Spec) else None


def _step(typed: Any, part: str, node: Any) -> Any:
    """The typed thing below: an instance where the config holds one, a layer's class where a node names one."""
    if isinstance(typed, Spec):
        return getattr(typed, part, None)
    if isinstance(typed, Mapping) and part in typed and not isinstance(node, Mapping):
        return typed[part]
    if isinstance(typed, Mapping) and isinstance(typed.get(part), Spec):
        return typed[part]
    # The layers of a network are plain mappings in the config: an operation is known by its word.
    return LAYERS.get(part) if isinstance(node, Mapping) and part in LAYERS else node


def _component(schema: type[Spec] | None) -> tuple[str, str]:
    if schema is not None and issubclass(schema, Component):
        return schema.family, schema.type_name()
    if schema is not None and issubclass(schema, LayerSpec):
        return "layer", schema.op
    return "", ""
