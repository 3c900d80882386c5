"""What a traced function is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr


def primitives(function: Callable[..., Any], *arguments: Any, skip: Collection[str] = ()) -> frozenset[str]:
    """The names of all primitives that a call of `function` executes, inner functions and loops included.

    Args:
      arguments: arrays or `jax.ShapeDtypeStruct`; nothing is computed.
      skip: primitives whose inner functions are left out.
    """
    return frozenset(_names(jax.make_jaxpr(function)(*arguments).jaxpr, skip))


def _names(jaxpr: Jaxpr, skip: Collection[str]) -> Iterator[str]:
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        if equation.primitive.name in skip:
            continue
        for parameter in equation.params.values():
            for inner in parameter if isinstance(parameter, list | tuple) else (parameter,):
                if isinstance(inner, ClosedJaxpr):
                    yield from _names(inner.jaxpr, skip)
                elif isinstance(inner, Jaxpr):
                    yield from _names(inner, skip)
