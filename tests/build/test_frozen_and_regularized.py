"""Nodes with `freeze` stay as they are, and nodes with `kernel_regularizer` add to the loss."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import framework as fw
from framework.config.compose import load
from framework.core.errors import ConfigError
from framework.core.trees import named_leaves
from framework.inspect.layer_table import layer_table
from framework.train.setup import Setup

LAYERS = (
    "network.layers={flat: flatten, hidden1: {dense: {features: 4}%s}, norm: {batch_norm: {}%s}, "
    "hidden2: {dense: {features: 4}, repeat: 2%s}, logits: {dense: {features: 10}%s}}"
)
SETTINGS = ["trainer.epochs=1", "optimizer=adamw", "optimizer.weight_decay=0.1"]


def experiment(*words: str, optimizer: tuple[str, ...] = ()) -> fw.Experiment:
    """The words of hidden1, norm, hidden2 and logits; what is left out has none."""
    given = tuple(f", {word}" if word else "" for word in (*words, *("",) * (4 - len(words))))
    return fw.load("digits_mlp", ["~network.layers", f"+{LAYERS % given}", *SETTINGS, *optimizer])


def stepped(made: fw.Experiment) -> tuple[Any, Any, dict[str, Any]]:
    """The state at the start, after one step, and what the step logs."""
    state = made.init()
    after, logs = jax.jit(made.step)(state, made.batch(0))
    return state, after, logs


def test_frozen_nodes_keep_parameters_and_statistics_and_need_no_optimizer_state() -> None:
    before, after, _ = stepped(experiment("freeze: true", "freeze: true", "", ""))
    start, end = named_leaves(before.params), named_leaves(after.params)
    changed = {name for name in start if np.any(start[name] != end[name])}
    assert changed == {name for name in start if name.startswith(("hidden2.", "logits."))}
    assert not np.any(before.collections["batch_stats"]["norm"]["mean"])
    for name, leaf in named_leaves(before.collections).items():
        np.testing.assert_array_equal(leaf, named_leaves(after.collections)[name])
    held = {name for name in named_leaves(after.opt_state) if ".hidden1." in name or ".norm." in name}
    assert held == set()
    assert any(".logits.kernel" in name for name in named_leaves(after.opt_state))


def test_what_is_not_frozen_is_trained_as_it_would_be_with_no_rate_for_the_rest() -> None:
    """Gradients do not depend on what is frozen behind them: the last layer moves alike."""
    sgd = ("optimizer=sgd",)
    _, frozen, _ = stepped(experiment("freeze: true", optimizer=sgd))
    _, free, _ = stepped(experiment(optimizer=sgd))
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(frozen.params["logits"][name], free.params["logits"][name])


def test_the_penalty_is_counted_in_the_loss_and_told_apart() -> None:
    made = experiment("kernel_regularizer: {l2: 0.5}", "", "kernel_regularizer: {l1: 0.25}")
    plain = experiment()
    before, after, logs = stepped(made)
    _, bare, free = stepped(plain)
    first, stack = before.params["hidden1"]["kernel"], before.params["hidden2"]["kernel"]
    expected = 0.5 * float((first**2).sum()) + 0.25 * float(abs(stack).sum())
    np.testing.assert_allclose(logs["kernel_regularizer"], expected, rtol=1e-5)
    np.testing.assert_allclose(logs["loss"], free["loss"] + expected, rtol=1e-5)
    assert set(logs) == {*free, "cross_entropy", "kernel_regularizer"}
    np.testing.assert_array_equal(after.params["hidden1"]["bias"], bare.params["hidden1"]["bias"])


def test_the_gradient_of_the_penalty_reaches_the_kernel() -> None:
    sgd = ("optimizer=sgd", "optimizer.learning_rate=0.1", "optimizer.momentum=0")
    before, after, _ = stepped(experiment("kernel_regularizer: {l2: 0.5}", optimizer=sgd))
    _, free, _ = stepped(experiment(optimizer=sgd))
    kernel = before.params["hidden1"]["kernel"]
    rate = float(np.float32(0.1))
    np.testing.assert_allclose(
        after.params["hidden1"]["kernel"] - free.params["hidden1"]["kernel"], -rate * 2 * 0.5 * kernel, atol=1e-6
    )


def test_the_weight_of_a_penalty_is_a_traced_scalar() -> None:
    made = experiment("kernel_regularizer: {l2: 0.5}")
    key = "network.layers.hidden1.kernel_regularizer.l2"
    assert made.hyper[key] == np.float32(0.5)
    logs = jax.eval_shape(made.step, jax.eval_shape(made.init), made.batch(0), {key: np.float32(0)})[1]
    assert logs["kernel_regularizer"].shape == ()


def test_evaluation_tells_the_penalty_too() -> None:
    layers = LAYERS % (", kernel_regularizer: {l2: 0.5}", "", "", "")
    made = Setup(load("digits_mlp", ["~network.layers", f"+{layers}", *SETTINGS])).experiment
    state = jax.jit(made.init)()
    batch = {"image": np.ones((2, 8, 8, 1), np.float32), "label": np.zeros(2, np.int32)}
    told = jax.jit(lambda: made.summarise(made.evaluate(state, batch, made.evaluation())))()
    assert made.result_names[:3] == ("loss", "cross_entropy", "kernel_regularizer")
    np.testing.assert_allclose(told["kernel_regularizer"], 0.5 * (state.params["hidden1"]["kernel"] ** 2).sum(), 1e-5)
    np.testing.assert_allclose(told["loss"], told["cross_entropy"] + told["kernel_regularizer"], rtol=1e-5)


def test_a_word_that_reaches_nothing_is_refused() -> None:
    told = "network.layers.norm.kernel_regularizer: 'norm' has no kernel of its own"
    with pytest.raises(ConfigError, match=told):
        experiment("", "kernel_regularizer: {l2: 0.1}").check()


def test_a_loss_of_the_same_name_is_refused() -> None:
    layers = LAYERS % (", kernel_regularizer: {l2: 0.5}", "", "", "")
    more = "+losses.kernel_regularizer={type: cross_entropy}"
    with pytest.raises(ConfigError, match="a loss has the name under which"):
        fw.load("digits_mlp", ["~network.layers", f"+{layers}", more, *SETTINGS]).check()


def test_the_summary_counts_what_is_frozen_apart() -> None:
    layers = LAYERS % (", freeze: true", "", "", "")
    found = layer_table(load("digits_mlp", ["~network.layers", f"+{layers}", *SETTINGS]))
    assert found.frozen == 64 * 4 + 4
    assert [row.op for row in found.rows if "frozen" in row.op] == ["dense, frozen"]
