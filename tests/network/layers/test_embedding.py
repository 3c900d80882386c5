"""Embeddings of integers and of positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, call, computed, init, layer, refusal

from framework.config.schema.layers import LAYERS
from framework.network.layers import module_for


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int8", "uint32"])
def test_an_embedding_looks_rows_up(dtype: str) -> None:
    tokens = jnp.asarray([[0, 3, 6], [6, 6, 1]], dtype)
    variables, y = computed("embed", tokens, vocabulary=7, features=4)
    np.testing.assert_allclose(y, variables["params"]["embedding"][np.asarray(tokens)], 1e-6)


def test_a_vocabulary_may_be_larger_than_the_type_of_the_tokens_holds() -> None:
    variables, y = computed("embed", jnp.asarray([[255]], jnp.uint8), vocabulary=300, features=4)
    np.testing.assert_allclose(y[0, 0], variables["params"]["embedding"][255], 1e-6)


@pytest.mark.parametrize("token", [-1, -7, 7, 1000])
def test_a_token_outside_of_the_vocabulary_gives_nan(token: int) -> None:
    _, y = computed("embed", jnp.asarray([[2, token]], jnp.int32), vocabulary=7, features=4)
    assert np.all(np.isfinite(y[0, 0]))
    assert np.all(np.isnan(y[0, 1]))


def test_the_gradient_counts_how_often_a_token_occurs() -> None:
    tokens = jnp.asarray([[0, 2, 2], [2, 1, 0]])
    module = layer("embed", vocabulary=4, features=2)
    variables = init(module, tokens)
    slope = jax.jit(jax.grad(lambda v: jnp.sum(call(module, v, tokens))))(variables)["params"]["embedding"]
    np.testing.assert_array_equal(slope, [[2, 2], [1, 1], [3, 3], [0, 0]])


def test_learned_positions_are_added() -> None:
    x = array((2, 5, 4))
    variables, y = computed("positional_embedding", x, max_length=8)
    np.testing.assert_allclose(y, np.asarray(x) + variables["params"]["embedding"][:5], 1e-6, 1e-6)


@pytest.mark.parametrize("features", [6, 5])
def test_sinusoidal_positions_are_waves(features: int) -> None:
    variables, y = computed("positional_embedding", jnp.zeros((2, 9, features)), kind="sinusoidal")
    expected = np.zeros((9, features))
    for t in range(9):
        for i in range(features):
            angle = t / 10000 ** ((i - i % 2) / features)
            expected[t, i] = np.cos(angle) if i % 2 else np.sin(angle)
    assert variables == {}
    np.testing.assert_allclose(y, np.broadcast_to(expected, y.shape), 1e-4, 1e-5)


def test_learned_positions_need_a_length() -> None:
    text = "max_length\n  Value error, learned positions need a max_length, sinusoidal ones do not"
    with pytest.raises(ValueError, match=text):
        LAYERS["positional_embedding"]()
    with pytest.raises(ValueError, match="found no max_length, learned positions need one; set it"):
        init(module_for("positional_embedding")(), array((2, 5, 4)))


@pytest.mark.parametrize(
    ("op", "given", "arguments", "text"),
    [
        (
            "embed", (2, 5), {"vocabulary": 9, "features": 4},
            "found float32 [batch, 5], an embedding needs integers in [0, 9), such as batch.tokens; use dense for real "
            "numbers",
        ),
        (
            "positional_embedding", (2, 5, 4), {"max_length": 4},
            "found 5 positions, max_length is 4; set max_length=5 or more",
        ),
        (
            "positional_embedding", jax.ShapeDtypeStruct((2, 5), jnp.int32), {"max_length": 5},
            "found rank 2 [batch, 5], a positional embedding needs [batch, time, features]; put an embed before it for "
            "tokens, or a reshape, e.g. {reshape: {shape: [-1, 1]}}",
        ),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit_is_told(op: str, given: Any, arguments: dict[str, Any], text: str) -> None:
    assert refusal(op, given, **arguments) == text
