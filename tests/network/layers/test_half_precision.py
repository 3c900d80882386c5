"""Layers that compute in bfloat16 sum in float32 what many steps or many rows add to. A bfloat16 stays at 256 when ones
are added to it one by one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import call, layer

MANY = 1001


def test_the_gradient_of_a_frequent_integer_counts_each_time_it_is_read() -> None:
    embed = layer("embed", vocabulary=2, features=1, dtype="bfloat16")
    tokens = jnp.zeros((1, MANY), jnp.int32)

    def total(table: jax.Array) -> jax.Array:
        vectors = call(embed, {"params": {"embedding": table}}, tokens)
        assert vectors.dtype == jnp.bfloat16
        return vectors.astype(jnp.float32).sum()

    np.testing.assert_array_equal(jax.jit(jax.grad(total))(jnp.ones((2, 1))), [[MANY], [0]])


def test_the_gradient_of_a_frequent_distance_counts_each_pair_of_positions() -> None:
    bias = layer("relative_bias", heads=1, buckets=4, causal=True, dtype="bfloat16")

    def total(table: jax.Array) -> jax.Array:
        x = jnp.zeros((1, 64, 1), jnp.bfloat16)
        return call(bias, {"params": {"embedding": table}}, x).astype(jnp.float32).sum()

    assert jax.jit(jax.grad(total))(jnp.zeros((4, 1))).sum() == 64 * 64


def test_a_recurrent_kernels_gradient_sums_over_all_steps() -> None:
    """h_t = relu(w h_{t-1} + 1) with w = 0: every step but the first adds h = 1 to the derivative by w."""
    rnn = layer("rnn", features=1, activation="relu", dtype="bfloat16")
    params = {"input": {"kernel": jnp.zeros((1, 1)), "bias": jnp.ones(1)}, "recurrent": {"kernel": jnp.zeros((1, 1))}}

    def total(params: Any) -> jax.Array:
        return call(rnn, {"params": params}, jnp.zeros((1, MANY, 1))).astype(jnp.float32).sum()

    found = jax.jit(jax.grad(total))(params)["recurrent"]["kernel"]
    np.testing.assert_array_equal(found, [[MANY - 1]])


def test_a_memory_adds_up_terms_smaller_than_its_own_rounding() -> None:
    """Gates open and a candidate of 1/256: after T steps the cell holds T / 256, and not 1, where bfloat16 stays."""
    lstm = layer("lstm", features=1, return_state=True, dtype="bfloat16")
    bias = jnp.asarray([100.0, 100.0, np.arctanh(1 / 256), 0.0])
    zeros = jnp.zeros((1, 4))
    params = {"input": {"kernel": zeros, "bias": bias}, "recurrent": {"kernel": zeros}}
    states = jax.jit(lambda x: call(lstm, {"params": params}, x))(jnp.zeros((1, 768, 1)))
    np.testing.assert_allclose(np.asarray(states["cell"], np.float32), 768 / 256, rtol=0.01)
    assert {name: state.dtype.name for name, state in states.items()} == dict.fromkeys(states, "bfloat16")


@pytest.mark.parametrize(("dtype", "given"), [(None, "float32"), ("bfloat16", "bfloat16")])
def test_one_hot_vectors_are_of_the_format_asked_for(dtype: str | None, given: str) -> None:
    found = jax.eval_shape(lambda x: call(layer("one_hot", classes=3, dtype=dtype), {}, x), jnp.zeros((2,), jnp.int32))
    assert found.dtype == given
