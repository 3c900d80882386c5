"""The layers of a combinator as the body of a method: read backwards, step by step, as members, or by phase."""

from __future__ import annotations

from typing import Any

import jax

from framework.config.language.combinators import PHASES
from framework.config.language.graph import Wrap

_INDENT = " " * 8


def backwards(inputs: list[str], body: list[str], outputs: dict[str, str], shapes: dict[str, Any]) -> list[str]:
    """The sequence is read from its end; outputs that have a time keep their place in it.

    Args:
      inputs: variables that hold [batch, time, ...].
      body: the statements between.
      outputs: name -> what holds it.
      shapes: of the outputs.
    """
    turned = [f"{_INDENT}{one} = jnp.flip({one}, 1)" for one in inputs]
    time = f"{inputs[0]}.shape[1]"
    given = {}
    for name, value in outputs.items():
        timed = [leaf.ndim > 2 for leaf in jax.tree.leaves(shapes[name])]
        if isinstance(shapes[name], jax.ShapeDtypeStruct):
            given[name] = f"jnp.flip({value}, 1)" if timed[0] else value
        else:
            back = f"jnp.flip(value, 1) if value.ndim > 2 and value.shape[1] == {time} else value"
            given[name] = f"jax.tree.map(lambda value: {back}, {value})" if any(timed) else value
    return [f"{_INDENT}# The sequence is read from its end.", *turned, *body, returned(given)]


def steps(inputs: list[str], body: list[str], outputs: dict[str, str], shapes: dict[str, Any]) -> list[str]:
    """All steps of all examples as one larger batch; arguments as for `backwards`."""
    folded = [f"{_INDENT}{one} = {one}.reshape(batch * time, *{one}.shape[2:])" for one in inputs]
    given = {}
    for name, value in outputs.items():
        if isinstance(shapes[name], jax.ShapeDtypeStruct):
            given[name] = f"{value}.reshape(batch, time, *{value}.shape[1:])"
        else:
            given[name] = f"jax.tree.map(lambda value: value.reshape(batch, time, *value.shape[1:]), {value})"
    return [
        f"{_INDENT}# All steps of all examples are one larger batch.",
        f"{_INDENT}batch, time = {inputs[0]}.shape[:2]",
        f"{_INDENT}if context.mask is not None:",
        f"{_INDENT}    context = replace(context, mask=jnp.repeat(context.mask, time))",
        *folded,
        *body,
        returned(given),
    ]


def members(wrap: Wrap, inputs: list[str], body: list[str], outputs: dict[str, str]) -> list[str]:
    """Members with weights and random numbers of their own, whose collections have an axis of them."""
    signature = ", ".join(["self: Any", *(f"{one}: Any" for one in inputs)])
    called = f"together({', '.join(['self', *inputs])})"
    merge = ("value.mean(0)", ".mean(0)")
    if wrap.merge == "stack":
        merge = (f"jnp.moveaxis(value, 0, {wrap.axis})", None)
    if len(outputs) > 1:
        result = f"jax.tree.map(lambda value: {merge[0]}, {called})"
    else:
        result = f"{called}{merge[1]}" if merge[1] else merge[0].replace("value", called)
    return [
        f"{_INDENT}def member({signature}) -> Any:",
        *(f"    {line}" for line in [*body, returned(outputs)]),
        "",
        f"{_INDENT}together = nn.vmap(",
        f"{_INDENT}    member,",
        f"{_INDENT}    in_axes=None,",
        f"{_INDENT}    variable_axes={{True: 0}},",
        f"{_INDENT}    split_rngs={{True: True}},",
        f"{_INDENT}    axis_size={wrap.count},",
        f"{_INDENT})",
        f"{_INDENT}return {result}",
    ]


def phases(branches: dict[str, list[str]], outputs: dict[str, str]) -> list[str]:
    """One node in training and another one otherwise; both have variables.

    Args:
      branches: `train` and `eval` -> the statements of each.
      outputs: the same -> what holds its result.
    """
    lines = []
    for name, test in zip(PHASES, ("context.train", "not context.train"), strict=True):
        if branches[name]:
            inside = [f"    {line}" for line in branches[name]]
            lines += [f"{_INDENT}if {test} or self.is_initializing():", *inside]
    return [*lines, f"{_INDENT}return {outputs['train']} if context.train else {outputs['eval']}"]


def returned(outputs: dict[str, str], *, whole: bool = False) -> str:
    """The statement that gives the outputs: the one there is, or all by name."""
    if not whole and len(outputs) == 1:
        return f"{_INDENT}return {next(iter(outputs.values()))}"
    inside = ", ".join(f'"{name}": {value}' for name, value in outputs.items())
    return f"{_INDENT}return {{{inside}}}"
