"""Array expressions against NumPy, alone and as nodes: differentiated, vectorized and compiled like anything else."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.config.language.expression import FUNCTIONS
from framework.core.errors import ConfigError
from framework.network import Network
from framework.network.expression import evaluate, function

X = np.linspace(-1.0, 1.0, 8, dtype=np.float32).reshape(2, 4)
Y = np.linspace(2.0, 3.0, 8, dtype=np.float32).reshape(2, 4)

VALUES: list[tuple[str, Any]] = [
    ("x * sigmoid(x)", X / (1 + np.exp(-X))),
    ("2 * x + y ** 2 / 4 - 1", 2 * X + Y**2 / 4 - 1),
    ("where(x > 0, x, exp(x) - 1)", np.where(X > 0, X, np.exp(X) - 1)),
    ("mean(x, axis=-1, keepdims=True)", X.mean(-1, keepdims=True)),
    ("x[:, 1:3]", X[:, 1:3]),
    ("x[..., -1]", X[..., -1]),
    ("x[:, ::2]", X[:, ::2]),
    ("x[:, None] @ y[..., None]", X[:, None] @ Y[..., None]),
    ("x @ y.T", X @ Y.T),
    ("-x", -X),
    ("x // 0.3 % 2", X // np.float32(0.3) % 2),
    ("where((x > 0) & ~(x > 0.5) | (y <= 2), 1.0, 0.0)", np.where((X > 0) & ~(X > 0.5) | (Y <= 2), 1.0, 0.0)),
    ("einsum('bi,bi->b', x, y)", np.einsum("bi,bi->b", X, Y)),
    ("concatenate([x, y], axis=1)", np.concatenate([X, Y], axis=1)),
    ("reshape(x, (x.shape[0], 2, 2))", X.reshape(2, 2, 2)),
    ("x / x.size + x.ndim", X / 8 + 2),
    ("cos(2 * pi * x)", np.cos(2 * np.pi * X)),
    ("clip(x, -0.5, 0.5)", np.clip(X, -0.5, 0.5)),
    ("sum(x)", X.sum()),
    ("2 ** 10 + 3 // 2", 1025),
]


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_expression_agrees_with_numpy(text: str, expected: Any) -> None:
    np.testing.assert_allclose(
        evaluate(text, {"x": jnp.asarray(X), "y": jnp.asarray(Y)}), expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_allowed_function_exists(name: str) -> None:
    assert callable(function(name))


def test_expressions_are_differentiated_and_vectorized() -> None:
    slope = jax.vmap(jax.grad(lambda x: evaluate("x ** 3", {"x": x})))(jnp.array([1.0, 2.0]))
    np.testing.assert_allclose(slope, [3.0, 12.0])


def test_numbers_stay_small() -> None:
    with pytest.raises(ValueError, match="out of range"):
        evaluate("x + 9 ** (9 ** 9)", {"x": jnp.ones(2)})


def test_a_node_computes_its_expression_with_arguments_of_the_network() -> None:
    network = Network(
        {
            "args": {"slope": 0.1, "weights": [1.0, 2.0]},
            "layers": {"a": {"expr": "where(x > 0, x, slope * x)"}, "b": {"expr": "weights[1] * a"}},
        }
    )
    np.testing.assert_allclose(network({}, X), 2 * np.where(X > 0, X, 0.1 * X), rtol=1e-6)


def test_an_expression_that_does_not_fit_is_told_with_its_inputs() -> None:
    network = Network(
        {"layers": {"a": {"dense": {"features": 3}}, "b": {"expr": "x + a", "from": {"x": "input", "a": "a"}}}}
    )
    with pytest.raises(ConfigError) as raised:
        network.init(jax.random.key(0), X)
    text = str(raised.value)
    assert "network.layers.b: 'expr' cannot take float32[2, 4] from the input 'input'" in text
    assert "float32[2, 3] from network.layers.a (dense)" in text
