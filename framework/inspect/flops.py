"""Floating-point operations of a program, counted in its jaxpr: nothing is compiled.

A product of matrices [m, k] x [k, n] counts 2 m k n, a convolution 2 x (outputs) x (products summed for each output), a
reduction one for each element read, any other arithmetic one for each element written; moving data counts nothing. A
loop counts as often as it runs; where only the run tells how often, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import jax

Scope = tuple[str, ...]

_MOVES = """
    broadcast_in_dim reshape transpose squeeze expand_dims slice dynamic_slice dynamic_update_slice gather scatter
    concatenate pad rev iota convert_element_type bitcast_convert_type copy copy_p stop_gradient select_n split device_put
    sharding_constraint optimization_barrier create_token
"""
_COMPARES = """
    eq ne lt le gt ge and or not xor is_finite argmax argmin sort shift_right_logical shift_left shift_right_arithmetic
"""
_DRAWS = """
    random_bits random_seed random_wrap random_unwrap random_fold_in random_split random_clone threefry2x32
"""
_FREE = frozenset((_MOVES + _COMPARES + _DRAWS).split())
"""Primitives that move or compare data, or draw random bits."""

_REDUCTIONS = ("reduce_", "cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")


def count(function: Callable[..., Any], *arguments: Any) -> Counter[Scope]:
    """Operations of a function by the scope that they were traced in (`jax.named_scope`, which Flax opens by module).

    Args:
      function: traceable.
      arguments: arrays, or their shapes and dtypes.

    Returns:
      Scope, outermost name first -> operations. The sum is that of the whole function.
    """
    found: Counter[Scope] = Counter()
    _walk(jax.make_jaxpr(function)(*arguments).jaxpr, (), 1, found)
    return found


def _walk(jaxpr: Any, scope: Scope, times: int, found: Counter[Scope]) -> None:
    for equation in jaxpr.eqns:
        here = scope + _names(equation)
        name = equation.primitive.name
        inner = list(_jaxprs(equation.params))
        if name == "cond":
            found.update(_costliest(inner, here, times))
        elif inner:
            repeats = equation.params.get("length", 1) if name == "scan" else 1
            for body in inner:
                _walk(body, here, times * repeats, found)
        else:
            found[here] += times * _operations(name, equation)


def _costliest(branches: list[Any], scope: Scope, times: int) -> Counter[Scope]:
    counted = []
    for branch in branches:
        counted.append(Counter[Scope]())
        _walk(branch, scope, times, counted[-1])
    return max(counted, key=lambda counter: counter.total())


def _names(equation: Any) -> Scope:
    return tuple(part for part in str(equation.source_info.name_stack).split("/") if part)


def _jaxprs(params: dict[str, Any]) -> Iterator[Any]:
    for value in params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if hasattr(item, "eqns"):
                yield item.jaxpr if hasattr(item, "jaxpr") else item


def _operations(name: str, equation: Any) -> int:
    if not equation.outvars:
        return 0
    shape = getattr(equation.outvars[0].aval, "shape", ())
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        left = equation.invars[0].aval.shape
        return 2 * prod(shape) * prod(left[axis] for axis in contracted)
    if name == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        features = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
        return 2 * prod(shape) * prod(kernel) // features
    if name in _FREE:
        return 0
    if name.startswith(_REDUCTIONS):
        return prod(equation.invars[0].aval.shape)
    return prod(shape)
