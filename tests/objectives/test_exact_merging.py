"""Counts beyond 2**24 and sums over millions of rows: where float32 alone would go wrong."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from framework.objectives import metrics
from framework.objectives.metrics.counts import Hits
from framework.objectives.metrics.sums import Sum, as_sum, empty_sum, plus


def repeated(increment: float, times: int, start: float) -> Sum:
    """The start and then the increment, `times` times, one by one inside one compiled loop."""

    @jax.jit
    def run(start: jax.Array, increment: jax.Array) -> Sum:
        return jax.lax.fori_loop(0, times, lambda _, total: plus(total, as_sum(increment)), as_sum(start))

    return run(jnp.float32(start), jnp.float32(increment))


def test_ones_are_not_lost_beside_a_large_sum() -> None:
    assert np.float32(2**26) + np.float32(1) == np.float32(2**26)
    total = repeated(1.0, 1000, 2.0**26)
    assert float(total.high) + float(total.low) == 2**26 + 1000


def test_a_million_tenths_are_summed_to_the_last_digit() -> None:
    total = repeated(0.1, 1_000_000, 0.0)
    naive = np.cumsum(np.full(1_000_000, 0.1, np.float32), dtype=np.float32)[-1]
    assert abs(naive - 1e5) > 100
    np.testing.assert_allclose(float(total.high) + float(total.low), 1_000_000 * float(np.float32(0.1)), rtol=1e-11)


def test_small_terms_survive_a_cancellation() -> None:
    total = plus(plus(as_sum(1e8), as_sum(0.25)), as_sum(-1e8))
    assert total.value == 0.25


def test_the_order_of_merging_changes_nothing_that_can_be_seen() -> None:
    terms = [as_sum(value) for value in np.random.default_rng(0).lognormal(sigma=4, size=100)]
    forward, backward = empty_sum(), empty_sum()
    for term in terms:
        forward = plus(forward, term)
    for term in reversed(terms):
        backward = plus(term, backward)
    assert forward.value == backward.value == np.float32(math.fsum(float(term.high) for term in terms))


def test_infinite_and_nan_terms_stay_what_they_are() -> None:
    assert plus(as_sum(1.0), as_sum(jnp.inf)).value == jnp.inf
    assert plus(plus(as_sum(-jnp.inf), as_sum(1.0)), as_sum(1.0)).value == -jnp.inf
    assert np.isnan(plus(as_sum(1.0), as_sum(jnp.nan)).value)


def test_counts_go_on_exactly_beyond_the_integers_of_float32() -> None:
    metric = metrics.accuracy()
    state = Hits(jnp.int32(2**24), jnp.int32(2**25))
    for _ in range(3):
        state = metric.update(state, None, logits=jnp.eye(2)[:1], labels=jnp.asarray([0]))
    assert (int(state.right), int(state.asked)) == (2**24 + 3, 2**25 + 3)


def test_f1_of_counts_near_the_end_of_int32_is_finite_and_right() -> None:
    metric = metrics.f1(classes=2, average="binary")
    state = jax.tree.map(lambda _: jnp.full((2,), 2**30, jnp.int32), metric.init())
    assert metric.compute(state) == 1.0
