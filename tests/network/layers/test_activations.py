"""Activations against their formulas in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import call, layer

from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.fields import Activation
from framework.network.layers.activations import activation

X = np.concatenate([np.linspace(-9, 9, 37), [-1.0, 0.0, 1.0, 3.0, -3.0]])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x))


def hard_silu(x: np.ndarray) -> np.ndarray:
    return x * np.clip(x + 3, 0, 6) / 6


def silu(x: np.ndarray) -> np.ndarray:
    return x * sigmoid(x)


FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "celu": elu,
    "elu": elu,
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "identity": lambda x: x,
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.01 * x),
    "log_sigmoid": lambda x: -softplus(-x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    "sigmoid": sigmoid,
    "silu": silu,
    "soft_sign": lambda x: x / (1 + np.abs(x)),
    "softplus": softplus,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "swish": silu,
    "tanh": np.tanh,
}


def output(op: str, x: np.ndarray, **arguments: float) -> np.ndarray:
    return np.asarray(call(layer(op, **arguments), {}, jnp.asarray(x, jnp.float32)))


@pytest.mark.parametrize("name", get_args(Activation))
def test_an_activation_follows_its_formula(name: str) -> None:
    np.testing.assert_allclose(output(name, X), FORMULAS[name](X), 1e-5, 1e-5)
    np.testing.assert_array_equal(activation(name)(jnp.asarray(X, jnp.float32)), output(name, X))


def test_every_activation_of_jax_has_a_layer() -> None:
    other = {"dot_product_attention", "get_scaled_dot_general_config", "scaled_dot_general", "scaled_matmul"}
    other |= {"initializers", "log1mexp", "logmeanexp", "logsumexp", "one_hot", "standardize"}
    known = """celu elu gelu glu hard_sigmoid hard_silu hard_swish hard_tanh identity leaky_relu log_sigmoid log_softmax
        mish relu relu6 selu sigmoid silu soft_sign softmax softplus sparse_plus sparse_sigmoid squareplus swish tanh"""
    assert set(known.split()) <= set(LAYERS)
    assert set(known.split()) <= set(dir(jax.nn)) - other


@pytest.mark.parametrize(
    ("op", "arguments", "formula"),
    [
        ("leaky_relu", {"negative_slope": 0.3}, lambda x: np.where(x >= 0, x, 0.3 * x)),
        ("elu", {"alpha": 0.5}, lambda x: elu(x, 0.5)),
        ("celu", {"alpha": 2.0}, lambda x: np.maximum(x, 0) + np.minimum(2 * np.expm1(x / 2), 0)),
        ("gelu", {"approximate": False}, lambda x: x * np.vectorize(lambda t: 0.5 * math.erfc(-t / math.sqrt(2)))(x)),
        ("squareplus", {"b": 1.0}, lambda x: (x + np.sqrt(x**2 + 1)) / 2),
    ],
)
def test_an_argument_changes_the_formula(
    op: str, arguments: dict[str, float], formula: Callable[[np.ndarray], np.ndarray]
) -> None:
    np.testing.assert_allclose(output(op, X, **arguments), formula(X), 1e-5, 1e-5)


@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax_sums_to_one_along_its_axis(axis: int) -> None:
    x = np.linspace(-200, 200, 24).reshape(2, 3, 4)
    y = output("softmax", x, axis=axis)
    np.testing.assert_allclose(y.sum(axis), np.ones(y.sum(axis).shape), 1e-6)
    e = np.exp(x - x.max(axis, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(axis, keepdims=True), 1e-5, 1e-7)
    logs = output("log_softmax", x, axis=axis)
    np.testing.assert_allclose(logs, x - x.max(axis, keepdims=True) - np.log(e.sum(axis, keepdims=True)), 1e-5, 1e-5)


def test_a_gated_unit_multiplies_halves() -> None:
    x = np.linspace(-2, 2, 24).reshape(2, 6, 2)
    np.testing.assert_allclose(output("glu", x, axis=1), x[:, :3] * sigmoid(x[:, 3:]), 1e-5)
