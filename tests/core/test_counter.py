"""Random bits by position: uniform, independent of each other as far as masks can tell, and free of the layout."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.core.counter import counter_bits, keep_mask
from framework.core.random import base_key, derive

KEY = jax.random.key(3)
SIGMAS = 4.5


def _chi_squared(counts: np.ndarray) -> float:
    """How many standard deviations the statistic of equal chances lies from its mean."""
    expected = counts.sum() / counts.size
    freedom = counts.size - 1
    return float(abs(((counts - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shift", [0, 8, 24])
def test_every_byte_has_the_same_chance(seed: int, shift: int) -> None:
    bits = np.asarray(counter_bits(jax.random.key(seed), (512, 512)))
    assert _chi_squared(np.bincount((bits.ravel() >> shift) & 255, minlength=256)) < SIGMAS


@pytest.mark.parametrize("distance", [1, 2, 3, 8, 64, 128, 256, 512])
def test_masks_at_a_distance_are_independent(distance: int) -> None:
    mask = np.asarray(keep_mask(KEY, 0.5, (512, 512))).ravel()
    pairs = 2 * mask[:-distance].astype(int) + mask[distance:]
    assert _chi_squared(np.bincount(pairs, minlength=4)) < SIGMAS


def test_ten_consecutive_values_show_every_pattern_equally_often() -> None:
    mask = np.asarray(keep_mask(KEY, 0.5, (400, 1000))).reshape(-1, 10)
    assert _chi_squared(np.bincount(mask @ (1 << np.arange(10)), minlength=1024)) < SIGMAS


@pytest.mark.parametrize("other", [jax.random.key(4), jax.random.fold_in(KEY, 0), jax.random.fold_in(KEY, 1)])
def test_masks_of_two_keys_are_independent(other: jax.Array) -> None:
    one, two = (np.asarray(keep_mask(key, 0.5, (512, 512))).astype(int).ravel() for key in (KEY, other))
    assert _chi_squared(np.bincount(2 * one + two, minlength=4)) < SIGMAS


@pytest.mark.parametrize("word", [0, 1])
@pytest.mark.parametrize("bit", [0, 1, 7, 15, 23, 31])
def test_one_bit_of_the_key_changes_half_of_a_mask(word: int, bit: int) -> None:
    """Also for keys that differ in one word alone, the masks are independent."""
    data = np.array([123456789, 987654321], np.uint32)
    changed = data.copy()
    changed[word] ^= np.uint32(1 << bit)
    one, two = (np.asarray(keep_mask(jnp.asarray(key), 0.5, (512, 512))).astype(int).ravel() for key in (data, changed))
    assert _chi_squared(np.bincount(2 * one + two, minlength=4)) < SIGMAS


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.8, 0.999])
def test_the_share_that_is_kept_is_the_probability(probability: float) -> None:
    kept = np.asarray(keep_mask(KEY, probability, (1000, 1000))).mean()
    assert abs(kept - probability) < SIGMAS * np.sqrt(probability * (1 - probability) / 1e6)


def test_a_probability_of_one_keeps_everything_and_of_zero_nothing() -> None:
    assert bool(keep_mask(KEY, 1.0, (1000, 1000)).all())
    assert not bool(keep_mask(KEY, 0.0, (1000, 1000)).any())


@pytest.mark.parametrize("shape", [(12,), (12, 5), (12, 1, 5), (12, 3, 4, 2)])
def test_a_part_of_the_rows_is_drawn_as_in_the_whole(shape: tuple[int, ...]) -> None:
    whole = counter_bits(KEY, shape)
    part = counter_bits(KEY, (4, *shape[1:]), first_row=jnp.int32(8))
    np.testing.assert_array_equal(part, whole[8:])


def test_no_two_positions_of_an_array_are_drawn_alike() -> None:
    """The hash is a bijection of the position."""
    assert np.unique(np.asarray(counter_bits(KEY, (64, 8, 8, 16)))).size == 64 * 8 * 8 * 16


def test_mapped_over_keys_is_as_each_alone() -> None:
    keys = jax.random.split(KEY, 3)
    mapped = jax.vmap(lambda key: counter_bits(key, (4, 5)))(keys)
    for row, key in zip(mapped, keys, strict=True):
        np.testing.assert_array_equal(row, counter_bits(key, (4, 5)))


def test_a_key_and_its_raw_data_draw_the_same() -> None:
    np.testing.assert_array_equal(counter_bits(KEY, (7,)), counter_bits(jax.random.key_data(KEY), (7,)))


def _step_key() -> jax.Array:
    return derive(base_key(7), "step", 11)


def test_keys_that_are_folded_or_split_draw_independent_masks() -> None:
    keys = [*jax.random.split(_step_key(), 3), *(jax.random.fold_in(_step_key(), number) for number in range(3))]
    masks = [np.asarray(jax.random.bernoulli(key, 0.5, (512, 512))).astype(int).ravel() for key in keys]
    for first in range(len(masks)):
        for second in range(first):
            assert _chi_squared(np.bincount(2 * masks[first] + masks[second], minlength=4)) < SIGMAS


def test_keys_of_consecutive_steps_and_seeds_are_all_different() -> None:
    def draw(seed: jax.Array, step: jax.Array) -> jax.Array:
        return jax.random.key_data(derive(base_key(seed), "step", step))

    seeds, steps = (part.ravel() for part in jnp.meshgrid(jnp.arange(30, dtype=jnp.uint32), jnp.arange(30)))
    drawn = np.asarray(jax.vmap(draw)(seeds, steps))
    assert len(np.unique(drawn[:, 0])) == len(np.unique(drawn[:, 1])) == 900


def test_normal_numbers_have_their_moments() -> None:
    drawn = np.asarray(jax.random.normal(_step_key(), (1000, 1000)), np.float64)
    moments = [(drawn**power).mean() for power in (1, 2, 3, 4)]
    # Standard errors of the first four moments of n normal numbers: sqrt(1, 2, 15, 96) / sqrt(n).
    errors = np.sqrt([1, 2, 15, 96]) / 1000
    np.testing.assert_array_less(np.abs(moments - np.array([0, 1, 0, 3])) / errors, SIGMAS)


@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.uint16, jnp.uint32])
def test_bits_of_every_width_are_uniform(dtype: Any) -> None:
    bits = np.asarray(jax.random.bits(_step_key(), (512, 512), dtype)).astype(np.uint64)
    for shift in range(0, 8 * dtype.dtype.itemsize, 8):
        assert _chi_squared(np.bincount((bits.ravel() >> np.uint64(shift)).astype(int) & 255, minlength=256)) < SIGMAS


def test_a_step_key_means_the_same_alone_and_mapped() -> None:
    def draw(seed: jax.Array) -> jax.Array:
        return jax.random.uniform(derive(base_key(seed), "step", 5), (3,))

    seeds = jnp.arange(4, dtype=jnp.uint32)
    np.testing.assert_array_equal(jax.vmap(draw)(seeds), jnp.stack([draw(seed) for seed in seeds]))
