"""Recurrent layers against their equations, one example and one step at a time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import Shape, array, call, computed, init, layer, made_up, refusal

from framework.config.schema.layers import LAYERS


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm_step(x: np.ndarray, state: list[np.ndarray], params: Any) -> list[np.ndarray]:
    h, c = state
    gates = x @ params["input"]["kernel"] + params["input"].get("bias", 0.0) + h @ params["recurrent"]["kernel"]
    i, f, g, o = np.split(gates, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(x: np.ndarray, state: list[np.ndarray], params: Any) -> list[np.ndarray]:
    (h,) = state
    now = np.split(x @ params["input"]["kernel"] + params["input"].get("bias", 0.0), 3)
    past = np.split(h @ params["recurrent"]["kernel"], 3)
    r, z = sigmoid(now[0] + past[0]), sigmoid(now[1] + past[1])
    n = np.tanh(now[2] + r * (past[2] + params["recurrent"].get("bias", 0.0)))
    return [(1 - z) * n + z * h]


def rnn_step(x: np.ndarray, state: list[np.ndarray], params: Any) -> list[np.ndarray]:
    (h,) = state
    both = x @ params["input"]["kernel"] + params["input"].get("bias", 0.0) + h @ params["recurrent"]["kernel"]
    return [np.tanh(both + params["recurrent"].get("bias", 0.0))]


STEPS = {"lstm": (lstm_step, 2), "gru": (gru_step, 1), "rnn": (rnn_step, 1)}


def unrolled(op: str, x: np.ndarray, params: Any, mask: np.ndarray, order: range) -> np.ndarray:
    """The output of each step: [batch, time, features]."""
    step, states = STEPS[op]
    features = params["recurrent"]["kernel"].shape[0]
    y = np.zeros((*x.shape[:2], features))
    for row in range(len(x)):
        state = [np.zeros(features)] * states
        for time in order:
            if mask[row, time]:
                state = step(x[row, time].astype(np.float64), state, params)
            y[row, time] = state[0]
    return y


@pytest.mark.parametrize("op", ["lstm", "gru"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_recurrence_follows_its_equations(op: str, reverse: bool, masked: bool) -> None:
    x = array((2, 5, 3))
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]]) if masked else np.ones((2, 5), int)
    variables, y = computed(op, x, jnp.asarray(mask) if masked else None, features=4, reverse=reverse)
    order = range(4, -1, -1) if reverse else range(5)
    np.testing.assert_allclose(y, unrolled(op, np.asarray(x), variables["params"], mask, order), 1e-4, 1e-5)


@pytest.mark.parametrize("op", ["lstm", "gru"])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_last_output_is_that_of_the_last_step_read(op: str, reverse: bool) -> None:
    x = array((2, 5, 3))
    _, every = computed(op, x, features=4, reverse=reverse)
    _, last = computed(op, x, features=4, reverse=reverse, return_sequences=False)
    np.testing.assert_allclose(last, every[:, 0 if reverse else -1], 1e-6, 1e-6)


@pytest.mark.parametrize("op", ["lstm", "gru"])
def test_a_recurrence_without_biases_follows_its_equations(op: str) -> None:
    x = array((2, 5, 3))
    variables, y = computed(op, x, features=4, use_bias=False)
    assert all("bias" not in part for part in variables["params"].values())
    np.testing.assert_allclose(
        y, unrolled(op, np.asarray(x), variables["params"], np.ones((2, 5)), range(5)), 1e-4, 1e-5
    )


@pytest.mark.parametrize(("op", "gates"), [("lstm", 4), ("gru", 3)])
def test_the_recurrent_kernel_of_each_gate_starts_orthogonal(op: str, gates: int) -> None:
    kernel = init(layer(op, features=4), array((2, 5, 3)))["params"]["recurrent"]["kernel"]
    for part in np.split(np.asarray(kernel), gates, axis=1):
        np.testing.assert_allclose(part @ part.T, np.eye(4), atol=1e-5)


def test_the_forget_gate_starts_open() -> None:
    bias = init(layer("lstm", features=2, forget_bias=1.5), array((1, 2, 3)))["params"]["input"]["bias"]
    np.testing.assert_array_equal(bias, [0, 0, 1.5, 1.5, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (((2, 5),), "found rank 2 [batch, 5], a recurrent layer needs [batch, time, features]; put an embed before it"),
        (
            ((2, 5, 3), jax.ShapeDtypeStruct((2, 4), bool)),
            "found mask [batch, 4], a recurrent layer needs [batch, 5]; reshape it",
        ),
        (((2, 5, 3), (2, 5)), "found a mask of float32 [batch, 5], a mask needs booleans or integers"),
    ],
)
def test_an_input_that_does_not_fit_is_told(inputs: tuple[Shape | jax.ShapeDtypeStruct, ...], text: str) -> None:
    for op in ("lstm", "gru"):
        assert refusal(op, *inputs, features=4).startswith(text)


def test_a_plain_recurrence_follows_its_equation() -> None:
    x = array((2, 5, 3))
    variables, y = computed("rnn", x, features=4, recurrent_bias=True)
    assert set(variables["params"]["recurrent"]) == {"kernel", "bias"}
    np.testing.assert_allclose(
        y, unrolled("rnn", np.asarray(x), variables["params"], np.ones((2, 5)), range(5)), 1e-4, 1e-5
    )


@pytest.mark.parametrize(("op", "numbers"), [("rnn", 4 * 2), ("lstm", 16 * 2), ("gru", 12 * 2)])
def test_a_second_bias_makes_as_many_as_pytorch_has(op: str, numbers: int) -> None:
    shapes = jax.eval_shape(lambda: init(layer(op, features=4, recurrent_bias=True), array((2, 5, 3))))
    assert sum(part["bias"].size for part in shapes["params"].values()) == numbers


def test_the_second_bias_of_a_gru_acts_within_the_reset_gate() -> None:
    x = array((1, 1, 3))
    module = layer("gru", features=2, recurrent_bias=True)
    params = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), jax.eval_shape(lambda: init(module, x)))["params"]
    params["recurrent"]["bias"] = jnp.asarray([0.5, 0.5, 1.0, 1.0, 2.0, 2.0])
    expected = (1 - sigmoid(np.array(1.0))) * np.tanh(sigmoid(np.array(0.5)) * 2.0)
    np.testing.assert_allclose(call(module, {"params": params}, x), np.full((1, 1, 2), expected), 1e-5)


@pytest.mark.parametrize("op", ["lstm", "gru"])
def test_a_sequence_can_be_cut_and_its_state_handed_on(op: str) -> None:
    x = array((2, 6, 3))
    module = layer(op, features=4, return_state=True)
    variables = made_up(jax.eval_shape(lambda: init(module, x)))

    @jax.jit
    def both(x: jax.Array) -> Any:
        first = call(module, variables, x[:, :2])
        states = [first[name] for name in LAYERS[op].output_names({"return_state": True})[1:]]
        return call(module, variables, x), first, call(module, variables, x[:, 2:], None, *states)

    whole, first, second = both(x)
    np.testing.assert_allclose(whole["output"][:, :2], first["output"], 1e-5, 1e-6)
    np.testing.assert_allclose(whole["output"][:, 2:], second["output"], 1e-5, 1e-6)
    np.testing.assert_array_equal(whole["output"][:, -1], whole["hidden"])


def test_a_convolutional_recurrence_of_single_pixels_is_a_plain_one() -> None:
    x = array((2, 4, 1, 3))
    module, plain = layer("conv_lstm", features=2, kernel=1), layer("lstm", features=2)
    params = made_up(jax.eval_shape(lambda: init(plain, x[:, :, 0])))["params"]
    spread = {name: {**part, "kernel": part["kernel"][None]} for name, part in params.items()}
    found = call(module, {"params": spread}, x)[:, :, 0]
    np.testing.assert_allclose(found, call(plain, {"params": params}, x[:, :, 0]), 1e-5, 1e-6)


def test_a_convolutional_recurrence_sees_its_neighbours() -> None:
    module = layer("conv_lstm", features=1, kernel=3)
    x = jnp.zeros((1, 3, 7, 1)).at[0, 0, 3, 0].set(1.0)
    variables = made_up(jax.eval_shape(lambda: init(module, x)))
    run = jax.jit(lambda x: call(module, variables, x))
    seen = np.asarray(run(x) != run(jnp.zeros_like(x)))[0, :, :, 0]
    assert [np.flatnonzero(row).tolist() for row in seen] == [[2, 3, 4], [1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize(
    ("op", "inputs", "text"),
    [
        (
            "lstm", ((2, 5, 3), None, (2, 3)),
            "found hidden [batch, 3], a recurrent layer starts from [batch, 4]; put {dense: {features: 4}} before it",
        ),
        (
            "conv_lstm", ((2, 5, 3),),
            "found rank 3 [batch, 5, 3], a convolutional recurrence needs [batch, time, *space, channels] with 1 to 3 "
            "space dimensions; put a reshape before it",
        ),
    ],
)  # fmt: skip
def test_a_state_or_a_picture_that_does_not_fit_is_told(op: str, inputs: Any, text: str) -> None:
    assert refusal(op, *inputs, features=4) == text
