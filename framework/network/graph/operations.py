"""Floating point operations of a function, counted in the program that JAX traces for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax

_MOVES = """
    broadcast_in_dim reshape transpose squeeze expand_dims concatenate slice dynamic_slice
    dynamic_update_slice gather scatter convert_element_type bitcast_convert_type stop_gradient copy iota rev
    pad select_n split device_put random_bits random_seed random_wrap random_unwrap random_fold_in
    threefry2x32 shift_right_logical shift_left sharding_constraint optimization_barrier
"""
_FREE = frozenset(_MOVES.split())


def operations(function: Callable[..., Any], *arguments: Any) -> int:
    """How many floating point operations a call takes.

    A matrix product of [m, k] and [k, n] counts 2·m·k·n, a convolution 2·outputs·taps·channels, a reduction one for
    each input, and every other operation one for each output. Moving data counts nothing. Nothing is compiled.

    Args:
      arguments: arrays, or their shapes and dtypes.
    """
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(jaxpr: Any) -> int:
    return sum(_of(equation) for equation in jaxpr.eqns)


def _of(equation: Any) -> int:
    name = equation.primitive.name
    inside = [_count(body) for body in _bodies(equation.params)]
    if name == "scan":
        return equation.params["length"] * sum(inside)
    if name == "cond":
        return max(inside, default=0)
    if inside:
        return sum(inside)
    outputs = sum(math.prod(out.aval.shape) for out in equation.outvars if hasattr(out.aval, "shape"))
    if name in _FREE:
        return 0
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        left = equation.invars[0].aval.shape
        return 2 * outputs * math.prod(left[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        numbers = equation.params["dimension_numbers"]
        return 2 * outputs * math.prod(kernel) // kernel[numbers.rhs_spec[0]]
    if name.startswith(("reduce_", "cum", "arg")):
        return math.prod(equation.invars[0].aval.shape)
    return outputs


def _bodies(params: dict[str, Any]) -> Iterator[Any]:
    """The programs that an operation holds, such as the body of a loop."""
    for value in params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if hasattr(item, "eqns"):
                yield item
            elif hasattr(item, "jaxpr") and hasattr(item.jaxpr, "eqns"):
                yield item.jaxpr
