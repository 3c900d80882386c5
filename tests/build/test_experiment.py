"""The pure functions of an experiment compose with JAX's own transformations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import framework as fw
from framework.core.errors import ConfigError
from framework.core.trees import named_leaves

SMALL = ["network.layers.hidden1.dense.features=8", "network.layers.hidden2.dense.features=8", "trainer.epochs=1"]


@pytest.fixture(scope="module")
def digits() -> fw.Experiment:
    return fw.load("digits_mlp", SMALL)


def equal(one: object, other: object) -> bool:
    return all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((np.asarray(a) == np.asarray(b)).all()), one, other)))


def test_init_is_a_function_of_the_seed(digits: fw.Experiment) -> None:
    assert equal(digits.init(3), digits.init(3))
    assert not equal(digits.init(3).params, digits.init(4).params)
    assert equal(digits.init(), digits.init(digits.config.seed))


def test_a_step_under_jit_equals_one_without(digits: fw.Experiment) -> None:
    state, batch = digits.init(), digits.batch(0)
    eager, logs = digits.step(state, batch)
    compiled, compiled_logs = jax.jit(digits.step)(state, batch)
    for name, leaf in named_leaves(eager).items():
        np.testing.assert_allclose(leaf, named_leaves(compiled)[name], rtol=2e-5, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(logs["loss"], compiled_logs["loss"], rtol=1e-5)
    assert int(compiled.step) == 1


def test_vmap_over_hyper_is_a_sweep(digits: fw.Experiment) -> None:
    rates = jnp.asarray([1e-4, 1e-2])
    state, batch = digits.init(), digits.batch(0)
    swept, _ = jax.vmap(lambda rate: digits.step(state, batch, {"optimizer.learning_rate": rate}))(rates)
    for index, rate in enumerate(rates):
        alone, _ = digits.step(state, batch, {"optimizer.learning_rate": rate})
        for name, leaf in named_leaves(alone.params).items():
            np.testing.assert_allclose(named_leaves(swept.params)[name][index], leaf, rtol=1e-4, atol=1e-6)


def test_vmap_over_seeds_gives_each_its_own_start(digits: fw.Experiment) -> None:
    many = jax.vmap(digits.init)(jnp.arange(3, dtype=jnp.uint32))
    one = digits.init(2)
    for name, leaf in named_leaves(one.params).items():
        np.testing.assert_array_equal(named_leaves(many.params)[name][2], leaf)


def test_dropout_is_a_traced_scalar_and_zero_of_it_is_compiled_away(digits: fw.Experiment) -> None:
    key = "network.layers.drop1.dropout.rate"
    assert float(digits.hyper[key]) == pytest.approx(0.2)
    without = fw.load("digits_mlp", [*SMALL, f"{key}=0.0"])
    assert key not in without.hyper


def test_the_gradient_can_be_taken_by_the_user(digits: fw.Experiment) -> None:
    state, batch = digits.init(), digits.batch(0)

    def loss(params: object) -> jax.Array:
        logits, _ = digits.network.apply({"params": params}, batch["image"])
        return optax.softmax_cross_entropy_with_integer_labels(logits["logits"], batch["label"]).mean()

    gradient = jax.grad(loss)(state.params)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))


def test_padding_rows_change_nothing(digits: fw.Experiment) -> None:
    """A batch of 64 with 10 masked rows makes the step of the 54 real rows."""
    experiment = fw.load("digits_mlp", [*SMALL, *(f"network.layers.drop{i}.dropout.rate=0.0" for i in (1, 2))])
    state, batch = experiment.init(), experiment.batch(0)
    real = {name: array[:54] for name, array in batch.items()}
    padded = {name: array.copy() for name, array in batch.items()}
    padded["mask"][54:] = 0
    padded["image"][54:] = 1e3
    one, one_logs = experiment.step(state, real)
    other, other_logs = experiment.step(state, padded)
    np.testing.assert_allclose(one_logs["loss"], other_logs["loss"], rtol=1e-6)
    for name, leaf in named_leaves(one.params).items():
        np.testing.assert_allclose(named_leaves(other.params)[name], leaf, rtol=1e-5, atol=1e-7, err_msg=name)


def test_a_moving_average_follows_its_formula() -> None:
    experiment = fw.load("digits_mlp", [*SMALL, "trainer.ema_decay=0.9"])
    state, batch = experiment.init(), experiment.batch(0)
    after, _ = experiment.step(state, batch)
    for name, leaf in named_leaves(after.ema).items():
        expected = 0.9 * named_leaves(state.params)[name] + 0.1 * named_leaves(after.params)[name]
        np.testing.assert_allclose(leaf, expected, rtol=1e-6)


def test_two_losses_add_by_weight_and_are_logged_by_name() -> None:
    experiment = fw.load(
        "digits_mlp", [*SMALL, "+losses.again={type: cross_entropy, weight: 0.5}", "losses.cross_entropy.smoothing=0.0"]
    )
    _, logs = experiment.step(experiment.init(), experiment.batch(0))
    np.testing.assert_allclose(logs["loss"], logs["cross_entropy"] + 0.5 * logs["again"], rtol=1e-6)


def test_two_experiments_live_side_by_side(digits: fw.Experiment) -> None:
    other = fw.load("wine_mlp")
    assert other.batch(0)["features"].shape[1] == 13
    assert digits.batch(0)["image"].shape[1:] == (8, 8, 1)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "losses.cross_entropy.logits=outputs.logit",
            ["losses.cross_entropy.logits", "outputs.logit", "outputs.logits"],
        ),
        ("losses.cross_entropy.labels=batch.image", ["losses.cross_entropy", "image"]),
        ("metrics.accuracy.labels=batch.labels", ["metrics.accuracy.labels", "batch.label"]),
        ("checkpoint.monitor=valid.los", ["checkpoint.monitor", "valid.loss"]),
    ],
)
def test_wiring_mistakes_are_told_without_loading(override: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        fw.load("digits_mlp", [*SMALL, override]).check()
    for word in [*words, f"override {override}"]:
        assert word in str(caught.value)
