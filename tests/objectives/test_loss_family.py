"""What every loss promises, checked on every type that the schema knows."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from framework.config.schema.base import TracedMark, WireMark, has_mark
from framework.config.schema.losses import Loss, LossSpec
from framework.objectives import losses, masked_mean

EVERY: list[type[LossSpec]] = list(get_args(get_args(Loss)[0]))
# A formula has whatever inputs it names; `test_expressions.py` has its claims.
TYPES = [spec for spec in EVERY if spec.type_name() != "expr"]
KEY = jax.random.key(0)

ARRAYS: dict[str, tuple[jax.Array, jax.Array]] = {
    "cross_entropy": (jax.random.normal(KEY, (8, 4)), jnp.arange(8) % 4),
    "bce": (jax.random.normal(KEY, (8,)), jnp.arange(8) % 2),
}
REGRESSION = (jax.random.normal(KEY, (8, 3)), jnp.ones((8, 3)))

family = pytest.mark.parametrize("spec", TYPES, ids=lambda spec: spec.type_name())


def function(spec: type[LossSpec]) -> Any:
    return getattr(losses, spec.type_name())


@cache
def compiled(spec: type[LossSpec]) -> Any:
    return jax.jit(function(spec))


@cache
def compiled_mean(spec: type[LossSpec]) -> Any:
    """The masked mean of the costs and its gradient, as a function of both arrays and the mask."""
    return jax.jit(jax.value_and_grad(lambda first, second, mask: masked_mean(function(spec)(first, second), mask)))


def arrays(spec: type[LossSpec]) -> tuple[jax.Array, jax.Array]:
    return ARRAYS.get(spec.type_name(), REGRESSION)


def fields(spec: type[LossSpec], mark: type) -> list[str]:
    return [name for name, field in spec.model_fields.items() if has_mark(field, mark) and name != "weight"]


def test_the_schema_and_the_room_know_the_same_losses() -> None:
    assert sorted(spec.type_name() for spec in EVERY) == sorted(losses.__all__)


@family
def test_schema_and_function_have_the_same_arguments_and_defaults(spec: type[LossSpec]) -> None:
    instance = spec.model_validate({"type": spec.type_name()})
    parameters = inspect.signature(function(spec)).parameters
    wires = fields(spec, WireMark)
    assert [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == wires
    keywords = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    assert keywords == {n: v for n, v in instance.arguments().items() if n not in (*wires, "weight")}


@family
def test_one_finite_cost_per_example_in_float32(spec: type[LossSpec]) -> None:
    for dtype in (jnp.float32, jnp.bfloat16):
        first, second = arrays(spec)
        cost = compiled(spec)(first.astype(dtype), second)
        assert cost.shape == (8,)
        assert cost.dtype == jnp.float32
        assert np.isfinite(cost).all()


@family
def test_jit_gives_the_same_costs(spec: type[LossSpec]) -> None:
    np.testing.assert_allclose(compiled(spec)(*arrays(spec)), function(spec)(*arrays(spec)), rtol=1e-6)


@family
def test_vmap_over_traced_scalars_gives_what_each_gives_alone(spec: type[LossSpec]) -> None:
    values = jnp.asarray([0.1, 0.5])

    @jax.jit
    def cost(value: Any) -> jax.Array:
        return function(spec)(*arrays(spec), **dict.fromkeys(fields(spec, TracedMark), value))

    together = jax.vmap(lambda _, value: cost(value))(jnp.arange(2), values)
    for index, value in enumerate((0.1, 0.5)):
        np.testing.assert_allclose(together[index], cost(value), rtol=2e-6, atol=1e-7)


@family
def test_masked_rows_change_neither_the_mean_nor_any_gradient(spec: type[LossSpec]) -> None:
    first, second = arrays(spec)
    mask = jnp.asarray([1.0] * 5 + [0.0] * 3)
    junk = first.at[5:].set(1e20)

    value, gradient = compiled_mean(spec)(junk, second, mask)
    expected, expected_gradient = compiled_mean(spec)(first[:5], second[:5], None)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient[:5], expected_gradient, rtol=1e-6)
    np.testing.assert_array_equal(gradient[5:], 0.0)


@family
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e4, 1e18])
def test_values_and_gradients_stay_finite_at_extremes(spec: type[LossSpec], size: float) -> None:
    first, second = arrays(spec)
    extreme = size * jnp.sign(first)
    value, gradient = compiled_mean(spec)(extreme, second, None)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@family
def test_arrays_of_other_lengths_are_refused(spec: type[LossSpec]) -> None:
    first, second = arrays(spec)
    with pytest.raises(ValueError, match=r"must (have one|be the labels') shape"):
        jax.eval_shape(function(spec), first, second[:7])


@family
def test_each_loss_has_a_summary_and_wires_with_defaults(spec: type[LossSpec]) -> None:
    assert spec.summary().endswith(".")
    instance = spec.model_validate({"type": spec.type_name()})
    for name in fields(spec, WireMark):
        assert getattr(instance, name).split(".")[0] in ("batch", "outputs")


@pytest.mark.parametrize(
    ("declared", "where", "sentence"),
    [
        ({"type": "cross_entropi"}, (), "does not match any of the expected tags"),
        ({"type": "cross_entropy", "smoothing": 1.0}, ("cross_entropy", "smoothing"), "less than 1"),
        ({"type": "cross_entropy", "smoothing": -0.1}, ("cross_entropy", "smoothing"), "greater than or equal to 0"),
        ({"type": "cross_entropy", "class_weights": [1]}, ("cross_entropy", "class_weights"), "at least 2 items"),
        ({"type": "cross_entropy", "class_weights": [1, 1, -1]}, ("cross_entropy", "class_weights", 2), "equal to 0"),
        ({"type": "cross_entropy", "labels": "batch."}, ("cross_entropy", "labels"), "should match pattern"),
        ({"type": "mse", "delta": 1.0}, ("mse", "delta"), "Extra inputs are not permitted"),
        ({"type": "huber", "delta": 0.0}, ("huber", "delta"), "greater than 0"),
        ({"type": "huber", "delta": "1"}, ("huber", "delta"), "valid number"),
        ({"type": "bce", "positive_weight": True}, ("bce", "positive_weight"), "not a boolean"),
    ],
)
def test_the_schema_refuses_what_no_loss_takes(declared: dict[str, Any], where: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        TypeAdapter(Loss).validate_python(declared)
    assert [error["loc"] for error in caught.value.errors()] == [where]
