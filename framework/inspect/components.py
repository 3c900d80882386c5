"""The families of components: every schema class by the word that YAML uses for it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin

from framework.config.schema.base import Component
from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.base import LayerSpec


def members(union: Any) -> dict[str, type[Component]]:
    """The components of a discriminated union, `type` -> class, in the order in which it names them."""
    return {schema.type_name(): schema for schema in _classes(union)}


def _classes(annotation: Any) -> Iterator[type[Component]]:
    if get_origin(annotation) is Annotated:
        yield from _classes(get_args(annotation)[0])
    elif isinstance(annotation, type):
        if issubclass(annotation, Component):
            yield annotation
    else:
        for part in get_args(annotation):
            yield from _classes(part)


_UNIONS = {
    "data": ("data", "DataSection"),
    "loss": ("losses", "Loss"),
    "metric": ("metrics", "Metric"),
    "optimizer": ("optimizers", "Optimizer"),
    "schedule": ("optimizers", "Schedule"),
}
"""Family -> schema module and the union in it."""


def family(name: str) -> dict[str, type[Component] | type[LayerSpec]]:
    """The schema classes of a family by their word in YAML.

    Args:
      name: `data`, `loss`, `metric`, `optimizer`, `schedule` or `layer`.
    """
    if name == "layer":
        return dict(LAYERS)
    module, union = _UNIONS[name]
    return dict(members(getattr(import_module(f"framework.config.schema.{module}"), union)))
