"""State-space layers against their recurrences, one step at a time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from layer_cases import array, computed, init, layer

from framework.network.layers.state_space import accumulated


def test_the_scan_is_the_recurrence() -> None:
    random = np.random.default_rng(0)
    decay, added, start = random.normal(size=(1, 7, 3)), random.normal(size=(2, 7, 3)), random.normal(size=(2, 3))
    state, expected = start, []
    for time in range(7):
        state = decay[:, time] * state + added[:, time]
        expected.append(state)
    found = accumulated(jnp.asarray(decay), jnp.asarray(added), jnp.asarray(start))
    np.testing.assert_allclose(found, np.stack(expected, 1), 1e-4, 1e-5)


def test_a_diagonal_state_space_follows_its_recurrence() -> None:
    x = array((2, 6, 3))
    variables, y = computed("s4d", x, states=4)
    own: Any = variables["params"]
    rate = -np.exp(own["log_decay"]) + 1j * own["frequency"]
    decay = np.exp(np.exp(own["log_step"])[:, None] * rate)
    output = own["output"][..., 0] + 1j * own["output"][..., 1]
    state, given = np.zeros((2, 3, 4), complex), np.asarray(x, np.float64)
    for time in range(6):
        state = decay * state + (decay - 1) / rate * given[:, time, :, None]
        expected = 2 * (state * output).sum(-1).real + own["skip"] * given[:, time]
        np.testing.assert_allclose(y[:, time], expected, 1e-4, 1e-4)


def test_its_oscillators_start_at_multiples_of_pi_with_steps_within_bounds() -> None:
    own = init(layer("s4d", states=3, min_step=0.01, max_step=0.02), array((1, 2, 50)))["params"]
    np.testing.assert_allclose(own["frequency"][0], np.pi * np.arange(3), 1e-6)
    np.testing.assert_allclose(np.exp(own["log_decay"]), 0.5, 1e-6)
    steps = np.exp(own["log_step"])
    assert 0.01 <= steps.min() < 0.013 < 0.016 < steps.max() <= 0.02


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def test_a_selective_state_space_follows_its_recurrence() -> None:
    x = array((1, 5, 4))
    variables, y = computed("mamba", x, states=3, rank=2, kernel=3)
    own: Any = variables["params"]
    given = np.asarray(x[0], np.float64)
    u, z = (given @ own["in"]["kernel"][:, part] for part in range(2))
    padded = np.concatenate([np.zeros((2, 8)), u])
    u = silu(np.stack([(padded[t : t + 3] * own["conv_kernel"]).sum(0) for t in range(5)]) + own["conv_bias"])
    low, entry, reading = np.split(u @ own["select"]["kernel"], [2, 5], axis=-1)
    step = softplus(low @ own["step_kernel"] + own["step_bias"])
    state = np.zeros((8, 3))
    for time in range(5):
        decay = np.exp(step[time][:, None] * -np.exp(own["log_decay"]))
        state = decay * state + (step[time] * u[time])[:, None] * entry[time]
        inner = state @ reading[time] + own["skip"] * u[time]
        np.testing.assert_allclose(y[0, time], (inner * silu(z[time])) @ own["out"]["kernel"], 1e-4, 1e-4)


def test_twenty_four_mixers_with_norms_and_a_tied_embedding_are_mamba_130m() -> None:
    shapes = jax.eval_shape(lambda: init(layer("mamba"), jnp.zeros((1, 2, 768))))
    mixer = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert 24 * (mixer + 768) + 50_280 * 768 + 768 == 129_135_360
