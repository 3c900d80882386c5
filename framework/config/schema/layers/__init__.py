"""The layer catalogue: one pydantic class per operation of the network language, by its word. JAX-free."""

from __future__ import annotations

from types import ModuleType

from framework.config.schema.layers import (
    activations,
    arithmetic,
    attention,
    convolution,
    dropout,
    embedding,
    excitation,
    gated,
    linear,
    moe,
    normalization,
    pooling,
    probing,
    recurrent,
    resampling,
    sampling,
    shape,
    state_space,
)
from framework.config.schema.layers.base import LayerSpec


def _declared(modules: tuple[ModuleType, ...]) -> dict[str, type[LayerSpec]]:
    """Every public spec of the modules by its word, in the order in which they are written."""
    found: dict[str, type[LayerSpec]] = {}
    for module in modules:
        for name, value in vars(module).items():
            own = isinstance(value, type) and issubclass(value, LayerSpec) and value.__module__ == module.__name__
            if own and not name.startswith("_"):
                if value.op in found:
                    raise TypeError(f"{value.__name__} and {found[value.op].__name__} are both called {value.op}")
                found[value.op] = value
    return found


LAYERS: dict[str, type[LayerSpec]] = _declared(
    (
        linear,
        convolution,
        pooling,
        resampling,
        normalization,
        dropout,
        excitation,
        embedding,
        attention,
        gated,
        moe,
        recurrent,
        state_space,
        sampling,
        probing,
        shape,
        arithmetic,
        activations,
    )
)
"""Word of the network language -> schema of its arguments."""

__all__ = ["LAYERS", "LayerSpec"]
