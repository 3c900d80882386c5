"""What every optimizer promises once it is built from a section: sweeps, clipping, accumulation, the learning rate."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from pydantic import TypeAdapter, ValidationError

from framework.config.schema.base import TracedMark, has_mark, traced_values
from framework.config.schema.optimizers import Optimizer, OptimizerSpec
from framework.optim import learning_rate_at, make_optimizer, optimizers
from framework.optim.building import SHARED

TYPES: list[type[OptimizerSpec]] = list(get_args(get_args(Optimizer)[0]))
PARAMS = {"kernel": jnp.asarray([[1.0, -2.0], [0.5, 3.0]]), "bias": jnp.asarray([0.5, -0.5])}

family = pytest.mark.parametrize("spec", TYPES, ids=lambda spec: spec.type_name())


def declared(spec: type[OptimizerSpec], **arguments: Any) -> OptimizerSpec:
    return spec.model_validate({"type": spec.type_name()} | arguments)


def plain_sgd(**arguments: Any) -> OptimizerSpec:
    """Updates are the clipped, accumulated gradient times minus the learning rate."""
    return TypeAdapter(Optimizer).validate_python({"type": "sgd", "momentum": None, "learning_rate": 1.0} | arguments)


def own_traced(spec: type[OptimizerSpec]) -> list[str]:
    return [name for name, field in spec.model_fields.items() if has_mark(field, TracedMark)]


def scaled(params: Any, factor: float) -> Any:
    return jax.tree.map(lambda p: factor * p, params)


def described(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


def updates_of(spec: OptimizerSpec, gradients: list[Any], params: Any, total_steps: int = 100) -> list[Any]:
    optimizer = make_optimizer(spec, {}, total_steps=total_steps)
    state, found = optimizer.init(params), []
    for gradient in gradients:
        updates, state = optimizer.update(gradient, state, params)
        found.append(updates)
    return found


@family
def test_schema_and_function_have_the_same_arguments_and_defaults(spec: type[OptimizerSpec]) -> None:
    first, *rest = inspect.signature(getattr(optimizers, spec.type_name())).parameters.values()
    assert first.name == "learning_rate"
    assert {p.kind for p in rest} == {inspect.Parameter.KEYWORD_ONLY}
    arguments = declared(spec).arguments()
    assert {p.name: p.default for p in rest} == {n: v for n, v in arguments.items() if n not in SHARED}
    assert arguments.keys() >= SHARED


@family
def test_the_state_is_structured_alike_for_all_values(spec: type[OptimizerSpec]) -> None:
    def state(hyper: Any, **arguments: Any) -> Any:
        return jax.eval_shape(
            lambda hyper: make_optimizer(declared(spec, **arguments), hyper, total_steps=10).init(PARAMS), hyper
        )

    plain = described(state({}))
    many = {"clip_norm": 1.0, "clip_value": 0.5, "schedule": {"type": "cosine", "warmup_steps": 3}}
    decays = "weight_decay" in spec.model_fields
    assert described(state({}, **many, **({"weight_decay": 0.5} if decays else {}))) == plain
    assert described(state({}, **({"weight_decay": 0.0} if decays else {}))) == plain
    instance = declared(spec, **many)
    traced = {key: jnp.float32(value) for key, value in traced_values(instance, "optimizer").items()}
    assert described(state(traced, **many)) == plain


@family
def test_a_sweep_over_every_traced_scalar_gives_what_each_gives_alone(spec: type[OptimizerSpec]) -> None:
    names = own_traced(spec)
    instance = declared(spec, clip_norm=1.0, clip_value=1.0)
    swept = [name for name in names if getattr(instance, name) is not None or name == "weight_decay"]

    def after_three(hyper: dict[str, jax.Array]) -> Any:
        optimizer = make_optimizer(instance, hyper, total_steps=10)
        params, state = PARAMS, optimizer.init(PARAMS)
        for scale in (1.0, -0.3, 0.7):
            updates, state = optimizer.update(scaled(params, scale), state, params)
            params = optax.apply_updates(params, updates)
        return params

    values = {f"optimizer.{name}": jnp.asarray([0.25, 0.75]) for name in swept}
    together = jax.jit(jax.vmap(after_three))(values)
    alone = jax.jit(after_three)
    results = [alone({key: value[index] for key, value in values.items()}) for index in range(2)]
    for index, result in enumerate(results):
        jax.tree.map(lambda a, b, i=index: np.testing.assert_allclose(a[i], b, rtol=1e-5, atol=1e-6), together, result)
    assert not np.allclose(results[0]["kernel"], results[1]["kernel"])


@family
def test_a_quadratic_decreases(spec: type[OptimizerSpec]) -> None:
    optimizer = make_optimizer(declared(spec, learning_rate=0.05), {}, total_steps=60)

    def loss(params: Any) -> jax.Array:
        return sum((jnp.sum(jnp.square(params[name] - PARAMS[name] - 1)) for name in PARAMS), jnp.zeros(()))

    @jax.jit
    def run(params: Any) -> Any:
        def step(carry: Any, _: None) -> tuple[Any, None]:
            params, state = carry
            updates, state = optimizer.update(jax.grad(loss)(params), state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, optimizer.init(params)), None, length=60)[0][0]

    assert loss(run(PARAMS)) < 0.3 * loss(PARAMS)


@family
def test_a_gradient_of_zero_at_zero_moves_nothing_and_stays_finite(spec: type[OptimizerSpec]) -> None:
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    (updates,) = updates_of(declared(spec, clip_norm=1.0), [zeros], zeros)
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0.0), updates)


@family
def test_the_learning_rate_of_the_log_is_the_one_that_is_applied(spec: type[OptimizerSpec]) -> None:
    schedule = {"type": "cosine", "warmup_steps": 2, "final_fraction": 0.1}
    rates = []
    for rate in (1e-3, 3e-3):
        instance = declared(spec, learning_rate=rate, schedule=schedule, **_without_decay(spec))
        rates.append(updates_of(instance, [PARAMS] * 2, PARAMS, total_steps=8))
    for step in range(2):
        np.testing.assert_allclose(rates[1][step]["kernel"], 3 * rates[0][step]["kernel"], rtol=1e-5)
    plain = plain_sgd(schedule=schedule)
    for step, updates in enumerate(updates_of(plain, [PARAMS] * 9, PARAMS, total_steps=8)):
        expected = learning_rate_at(plain, {}, step, 8)
        np.testing.assert_allclose(updates["kernel"], -expected * PARAMS["kernel"], rtol=1e-6)


def _without_decay(spec: type[OptimizerSpec]) -> dict[str, float]:
    return {"weight_decay": 0.0} if "weight_decay" in spec.model_fields else {}


def test_hyper_wins_over_the_section_and_other_keys_are_ignored() -> None:
    spec = plain_sgd(schedule={"type": "linear"})
    hyper = {"optimizer.learning_rate": jnp.float32(0.5), "losses.a.weight": jnp.float32(7.0), "seed": jnp.uint32(1)}
    assert learning_rate_at(spec, hyper, 5, 10) == 0.25
    assert learning_rate_at(spec, {}, 5, 10) == 0.5
    hyper |= {"optimizer.schedule.final_fraction": jnp.float32(1.0)}
    assert learning_rate_at(spec, hyper, 5, 10) == 0.5
    assert learning_rate_at(spec, {"second.learning_rate": 0.1}, 0, 10, key="second") == np.float32(0.1)


def test_values_are_clipped_before_the_norm() -> None:
    gradient = {"kernel": jnp.asarray([[30.0, 0.0], [0.0, 0.4]]), "bias": jnp.zeros(2)}
    (updates,) = updates_of(plain_sgd(clip_value=0.3, clip_norm=0.5), [gradient], PARAMS)
    np.testing.assert_allclose(updates["kernel"], [[-0.3, 0.0], [0.0, -0.3]], rtol=1e-6)
    (updates,) = updates_of(plain_sgd(clip_value=3.0, clip_norm=0.3), [gradient], PARAMS)
    norm = np.sqrt(sum(np.sum(np.square(leaf)) for leaf in updates.values()))
    np.testing.assert_allclose(norm, 0.3, rtol=1e-6)


def test_a_gradient_within_the_norm_is_left_alone() -> None:
    (updates,) = updates_of(plain_sgd(clip_norm=100.0), [PARAMS], PARAMS)
    jax.tree.map(lambda u, p: np.testing.assert_array_equal(u, -p), updates, PARAMS)


def test_clipping_does_not_reach_the_weight_decay() -> None:
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    (updates,) = updates_of(plain_sgd(clip_norm=1e-3, weight_decay=0.5), [zeros], PARAMS)
    np.testing.assert_allclose(updates["kernel"], -0.5 * PARAMS["kernel"], rtol=1e-6)


def test_accumulated_steps_make_one_update_with_their_mean_gradient() -> None:
    gradients = [scaled(PARAMS, factor) for factor in (1.0, 2.0, 6.0, 1.0, 1.0, 1.0)]
    updates = updates_of(plain_sgd(accumulate_steps=3), gradients, PARAMS)
    for silent in (0, 1, 3, 4):
        jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0.0), updates[silent])
    np.testing.assert_allclose(updates[2]["kernel"], -3 * PARAMS["kernel"], rtol=1e-6)
    np.testing.assert_allclose(updates[5]["kernel"], -PARAMS["kernel"], rtol=1e-6)


def test_the_schedule_of_accumulated_steps_runs_over_steps_not_updates() -> None:
    spec = plain_sgd(accumulate_steps=2, schedule={"type": "linear"})
    updates = updates_of(spec, [PARAMS] * 8, PARAMS, total_steps=8)
    applied = [-float(u["kernel"][0, 0] / PARAMS["kernel"][0, 0]) for u in updates[1::2]]
    np.testing.assert_allclose(applied, [1.0, 0.75, 0.5, 0.25], rtol=1e-6)
    logged = [float(learning_rate_at(spec, {}, step, 8)) for step in range(8)]
    np.testing.assert_allclose(logged, np.repeat(applied, 2), rtol=1e-6)


@family
def test_half_precision_parameters_are_updated_in_float32_inside_a_scan(spec: type[OptimizerSpec]) -> None:
    every = 2 if spec.type_name() == "adamw" else 1
    instance = declared(spec, clip_norm=1.0, accumulate_steps=every, learning_rate=0.1)
    half = jax.tree.map(lambda p: p.astype(jnp.bfloat16), PARAMS)

    @jax.jit
    def run(params: Any, hyper: dict[str, jax.Array]) -> Any:
        optimizer = make_optimizer(instance, hyper, total_steps=4)

        def step(carry: Any, _: None) -> tuple[Any, None]:
            params, state = carry
            updates, state = optimizer.update(params, state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, optimizer.init(params)), None, length=4)[0]

    hyper = {key: jnp.float32(value) for key, value in traced_values(instance, "optimizer").items()}
    params, state = run(half, hyper)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype(jnp.bfloat16)}
    assert jnp.bfloat16 not in {leaf.dtype for leaf in jax.tree.leaves(state)}
    wide, _ = run(PARAMS, hyper)
    for name in PARAMS:
        np.testing.assert_allclose(params[name].astype(jnp.float32), wide[name], rtol=0.03, atol=0.02)


def test_zero_weight_decay_is_compiled_away_and_a_traced_zero_is_the_same() -> None:
    spec = plain_sgd(weight_decay=0.0)

    def updates(hyper: dict[str, Any]) -> Any:
        optimizer = make_optimizer(spec, hyper, total_steps=1)
        return optimizer.update(PARAMS, optimizer.init(PARAMS), PARAMS)[0]

    jax.tree.map(np.testing.assert_array_equal, updates({}), updates({"optimizer.weight_decay": jnp.float32(0.0)}))
    assert "optimizer.weight_decay" not in traced_values(spec, "optimizer")


@pytest.mark.parametrize(
    ("declaration", "where", "sentence"),
    [
        ({"type": "adm"}, (), "does not match any of the expected tags"),
        ({"type": "adam", "momentum": 0.9}, ("adam", "momentum"), "Extra inputs are not permitted"),
        ({"type": "adam", "weight_decay": 0.1}, ("adam", "weight_decay"), "Extra inputs are not permitted"),
        ({"type": "adam", "learning_rate": -1.0}, ("adam", "learning_rate"), "greater than or equal to 0"),
        ({"type": "adam", "learning_rate": float("inf")}, ("adam", "learning_rate"), "finite number"),
        ({"type": "adam", "b1": 1.0}, ("adam", "b1"), "less than 1"),
        ({"type": "adam", "clip_norm": 0.0}, ("adam", "clip_norm"), "greater than 0"),
        ({"type": "adam", "accumulate_steps": 0}, ("adam", "accumulate_steps"), "greater than or equal to 1"),
        ({"type": "adam", "learning_rate": "1e-3"}, ("adam", "learning_rate"), "valid number"),
        ({"type": "sgd", "momentum": None, "nesterov": True}, ("sgd",), "nesterov needs a momentum"),
        ({"type": "adamw", "decay_mask": "none"}, ("adamw", "decay_mask"), "'kernels' or 'all'"),
    ],
)
def test_the_schema_refuses_what_no_optimizer_takes(
    declaration: dict[str, Any], where: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        TypeAdapter(Optimizer).validate_python(declaration)
    assert [error["loc"] for error in caught.value.errors()] == [where]
