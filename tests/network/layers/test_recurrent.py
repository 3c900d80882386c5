"""Recurrent layers against their equations, one example and one step at a time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import Shape, array, computed, init, layer, refusal


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


STEPS = {"lstm": (lstm_step, 2), "gru": (gru_step, 1)}


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
