"""Losses and metrics of a user's own: functions of outputs and batch, and classes whose states merge."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from framework.build.wiring import Bound
from framework.core.errors import ConfigError, Problem
from framework.core.importing import imported, refuse_arguments, told
from framework.core.keypaths import flatten
from framework.core.words import closest, listed
from framework.objectives.masks import spread
from framework.objectives.metrics import Metric
from framework.objectives.metrics.base import added
from framework.objectives.metrics.sums import Sum, as_sum, empty_sum, plus
from framework.objectives.shapes import wide

_READS_ALL = ("outputs", "batch")
_METHODS = ("init", "measure", "compute")


class WeightedMean(NamedTuple):
    """The sum of some numbers, each by its weight, and the sum of the weights."""

    total: Sum
    weight: Sum


def own_values(bound: Bound, arrays: Mapping[str, Any]) -> jax.Array:
    """What the user's function gives, float32 [batch] or [batch, ...].

    Raises:
      ConfigError: it cannot be imported or called so, it fails, or it gives no number for each example.
    """
    return _per_example(bound, _called(bound, _function(bound), arrays), arrays)


def own_metric(bound: Bound) -> Metric:
    """The metric of a function that gives a value for each example, or of a class with the methods of a metric.

    The mean of a function's values, over real rows; where it gives values and weights, their weighted mean.

    Raises:
      ConfigError: it cannot be imported or called so, or a method is missing.
    """
    options = dict(bound.plain)
    higher = options.pop("higher_is_better", None)
    found = imported(_name(bound), f"{bound.key}._target_")
    if inspect.isclass(found):
        return _of_class(bound, found, options, higher)

    def measure(mask: jax.Array | None, **wired: Any) -> WeightedMean:
        made = _called(bound, found, wired, options)
        values, weights = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
        values = _per_example(bound, values, wired)
        weighed = spread(mask, values.shape).astype(jnp.float32)
        if weights is not None:
            weighed = weighed * spread(_per_example(bound, weights, wired), values.shape)
        total = jnp.sum(jnp.where(weighed > 0, values, 0) * weighed)
        return WeightedMean(as_sum(total), as_sum(weighed.sum()))

    def merge(one: WeightedMean, other: WeightedMean) -> WeightedMean:
        return WeightedMean(plus(one.total, other.total), plus(one.weight, other.weight))

    def compute(state: WeightedMean) -> jax.Array:
        return state.total.value / state.weight.value

    return Metric(
        lambda: WeightedMean(empty_sum(), empty_sum()), measure, merge, compute, higher_is_better=bool(higher)
    )


def _of_class(bound: Bound, found: Any, options: dict[str, Any], higher: bool | None) -> Metric:
    target = _name(bound)
    refuse_arguments(found, target, bound.key, (), options, named=True)
    try:
        made = found(**options)
    except Exception as error:  # the user's code may raise anything
        raise _failed(bound, error, found, {}) from error
    lacking = [name for name in _METHODS if not callable(getattr(made, name, None))]
    if lacking:
        expected = "init() -> state, measure(outputs, batch, mask) -> state, compute(state) -> value"
        raise ConfigError(Problem(f"{bound.key}._target_", f"{target} has no method '{lacking[0]}'", expected))

    def measure(mask: jax.Array | None, **wired: Any) -> Any:
        given = made.measure(*_in_order(wired), mask) if _reads_all(bound) else made.measure(**wired, mask=mask)
        return _like(bound, given, made.init())

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return method(*arguments, **named)
            except ConfigError:
                raise
            except Exception as error:
                raise _failed(bound, error, found, named) from error

        return call

    merge = getattr(made, "merge", None) or added
    better = getattr(made, "higher_is_better", False) if higher is None else higher
    compute = guarded(lambda state: jnp.asarray(made.compute(state)))
    return Metric(guarded(made.init), guarded(measure), guarded(merge), compute, bool(better))


def _like(bound: Bound, state: Any, empty: Any) -> Any:
    """The state of a batch, after a look at whether it has the structure and shapes of the empty one."""
    here, there = jax.tree.map(_outside, state), jax.tree.map(_outside, empty)
    if here != there:
        found = f"{_name(bound)}.measure gives {here}"
        raise ConfigError(Problem(bound.key, found, f"{there}, as init() does", fix="counts and sums of fixed shape"))
    return state


def _outside(leaf: Any) -> str:
    array = jnp.asarray(leaf)
    return f"{array.dtype}{list(array.shape)}"


def _name(bound: Bound) -> str:
    assert bound.target is not None
    return bound.target


def _reads_all(bound: Bound) -> bool:
    """Whether the recipe wires nothing, so that the function takes all outputs and the whole batch by place."""
    return tuple(bound.wires.items()) == tuple(zip(_READS_ALL, _READS_ALL, strict=True))


def _in_order(arrays: Mapping[str, Any]) -> list[Any]:
    """Outputs and batch, in whatever order a mapping that was mapped over by JAX has them."""
    return [arrays[name] for name in _READS_ALL]


def _function(bound: Bound) -> Callable[..., Any]:
    return imported(_name(bound), f"{bound.key}._target_")


def _called(bound: Bound, function: Any, arrays: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Any:
    options = bound.plain if options is None else options
    named = not _reads_all(bound)
    given = arrays if named else _READS_ALL
    refuse_arguments(function, _name(bound), bound.key, given, options, named=named)
    try:
        return function(**arrays, **options) if named else function(*_in_order(arrays), **options)
    except Exception as error:  # the user's code may raise anything
        raise _failed(bound, error, function, arrays) from error


def _per_example(bound: Bound, values: Any, arrays: Mapping[str, Any]) -> jax.Array:
    rows = next((leaf.shape[0] for leaf in jax.tree.leaves(dict(arrays)) if getattr(leaf, "ndim", 0)), None)
    shape = getattr(values, "shape", None)
    if shape is None or len(shape) == 0 or shape[0] != rows:
        found = (
            f"{_name(bound)} gives {type(values).__name__}" if shape is None else f"{_name(bound)} gives {list(shape)}"
        )
        fix = "the values before their mean: the framework weighs rows and takes it" if shape == () else "one per row"
        raise ConfigError(Problem(bound.key, found, f"one number for each of {rows} examples: [{rows}]", fix=fix))
    try:
        return wide("values", values)
    except ValueError as error:
        raise ConfigError(Problem(bound.key, f"{_name(bound)}: {error}", "real numbers")) from error


def _failed(bound: Bound, error: Exception, function: Any, arrays: Mapping[str, Any]) -> ConfigError:
    """A failure of the user's code, with what it was given."""
    known = flatten(dict(arrays)) if arrays else {}
    given = "code for " + listed((f"{name} {_outside(array)}" for name, array in known.items()), 20)
    fix = None
    if isinstance(error, KeyError):
        names = [name.rpartition(".")[2] for name in known]
        near = closest(str(error.args[0]) if error.args else "", names)
        fix = f"'{near}' instead of {error}" if near else None
    elif isinstance(error, jax.errors.ConcretizationTypeError | jax.errors.TracerArrayConversionError):
        fix = "jnp.where in place of if, and jax.numpy in place of numpy and float(): values are not known yet"
    return ConfigError(
        Problem(bound.key, f"{_name(bound)} fails: {told(error, function)}", given if known else None, fix=fix)
    )
