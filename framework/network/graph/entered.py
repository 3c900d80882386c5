"""How the layers of a combinator are called, where that is more than walking through them once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.config.language.graph import Graph, Wrap
from framework.network.graph.call import Call

Outputs = dict[str, Any]
Walk = Callable[..., Outputs]


def entered(module: nn.Module, graph: Graph, inputs: tuple[Any, ...], call: Call) -> Outputs:
    """The outputs of a graph by name.

    Args:
      module: holds the weights of its nodes; called as `module(*inputs, call=call, graph=graph)`.

    Raises:
      ValueError: the inputs do not have the axes that the combinator needs.
    """
    wrap = graph.wrap
    if wrap is not None and wrap.kind == "steps":
        return _each_step(module, graph, inputs, call)
    if wrap is not None and wrap.kind == "backwards":
        return _backwards(module, graph, inputs, call)
    if wrap is not None and wrap.kind == "members":
        return _members(module, graph, inputs, call, wrap)
    return module(*inputs, call=call, graph=graph)


def _each_step(module: nn.Module, graph: Graph, inputs: tuple[Any, ...], call: Call) -> Outputs:
    """All steps of all examples as one larger batch."""
    given = [value for value in inputs if value is not None]
    if any(value.ndim < 2 or value.shape[:2] != given[0].shape[:2] for value in given):
        raise ValueError("time_distributed needs [batch, time, ...] with one length of time; put a reshape before it")
    batch, time = given[0].shape[:2]
    context = replace(call.context, decoding=None)
    if context.mask is not None:
        context = replace(context, mask=jnp.repeat(context.mask, time))
    folded = (value if value is None else value.reshape(batch * time, *value.shape[2:]) for value in inputs)
    outputs = module(*folded, call=replace(call, context=context), graph=graph)
    return jax.tree.map(lambda value: value.reshape(batch, time, *value.shape[1:]), outputs)


def _backwards(module: nn.Module, graph: Graph, inputs: tuple[Any, ...], call: Call) -> Outputs:
    """The sequence is read from its end; outputs that have a time keep their place in it."""
    if call.context.decoding is not None:
        raise ValueError("a sequence that is read from its end must be given whole, not piece by piece")
    given = [value for value in inputs if value is not None]
    if any(value.ndim < 2 for value in given):
        raise ValueError("bidirectional needs [batch, time, ...]; put an embed or a reshape before it")
    time = given[0].shape[1]
    turned = (value if value is None else jnp.flip(value, 1) for value in inputs)

    def back(value: jax.Array) -> jax.Array:
        return jnp.flip(value, 1) if value.ndim > 2 and value.shape[1] == time else value

    return jax.tree.map(back, module(*turned, call=call, graph=graph))


def _members(module: nn.Module, graph: Graph, inputs: tuple[Any, ...], call: Call, wrap: Wrap) -> Outputs:
    """Members with weights and random numbers of their own, computed together; every collection has an axis of them."""
    inner = replace(call, copies=call.copies * wrap.count, scans=call.scans + 1)
    together = nn.vmap(
        lambda module, *values: module(*values, call=inner, graph=graph),
        in_axes=None,  # pyright: ignore[reportArgumentType]
        variable_axes={True: 0},  # pyright: ignore[reportArgumentType]
        split_rngs={True: True},  # pyright: ignore[reportArgumentType]
        axis_size=wrap.count,
    )
    outputs = together(module, *inputs)
    if wrap.merge == "mean":
        return jax.tree.map(lambda value: value.mean(0), outputs)
    return jax.tree.map(lambda value: _beside(value, wrap.axis), outputs)


def _beside(value: jax.Array, axis: int) -> jax.Array:
    if not -value.ndim < axis < value.ndim:
        last = value.ndim - 1
        raise ValueError(f"found axis {axis}, members that give rank {last} lie along an axis 1 to {last}; set axis=1")
    return jnp.moveaxis(value, 0, axis)
