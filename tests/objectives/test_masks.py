"""Means over the real rows of a padded batch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.objectives import masked_mean, masked_sum


def test_a_mask_of_ones_gives_the_plain_mean() -> None:
    values = jnp.arange(6.0)
    assert masked_mean(values, jnp.ones(6)) == 2.5
    assert masked_mean(values, None) == 2.5


def test_masked_rows_do_not_count_whatever_they_hold() -> None:
    values = jnp.asarray([1.0, 3.0, jnp.nan, jnp.inf])
    assert masked_mean(values, jnp.asarray([1.0, 1.0, 0.0, 0.0])) == 2.0


def test_a_mask_of_zeros_gives_zero() -> None:
    assert masked_mean(jnp.asarray([1.0, jnp.nan]), jnp.zeros(2)) == 0.0


def test_a_mask_of_rows_covers_all_positions_of_a_row() -> None:
    values = jnp.asarray([[1.0, 3.0], [100.0, 100.0]])
    assert masked_mean(values, jnp.asarray([1.0, 0.0])) == 2.0


def test_a_mask_of_positions_counts_positions() -> None:
    values = jnp.asarray([[1.0, 3.0], [5.0, 100.0]])
    total, count = masked_sum(values, jnp.asarray([[1.0, 1.0], [1.0, 0.0]]))
    assert (total, count) == (9.0, 3.0)


def test_boolean_masks_and_half_precision_values_are_summed_in_float32() -> None:
    values = jnp.ones(3000, jnp.bfloat16)
    total, count = masked_sum(values, jnp.ones(3000, bool))
    assert total.dtype == count.dtype == jnp.float32
    assert (total, count) == (3000.0, 3000.0)


def test_the_gradient_of_a_masked_row_is_zero_even_where_its_value_is_nan() -> None:
    gradient = jax.grad(lambda values: masked_mean(values, jnp.asarray([1.0, 0.0])))(jnp.asarray([2.0, jnp.nan]))
    np.testing.assert_array_equal(gradient, [1.0, 0.0])


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the mask has shape \[3\], which does not begin the values' shape \[4, 2\]"):
        masked_mean(jnp.ones((4, 2)), jnp.ones(3))
