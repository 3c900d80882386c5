"""Schedules: step -> share of the learning rate, each a closed form of the step alone.

The first step is 0 and the last is `total_steps - 1`. All shapes start after the warm-up, at step `warmup_steps`, with
a share of exactly 1, and meet their final fraction exactly at step `total_steps`, that is just behind the last step;
from there on they stay. During the warm-up, the share at step s is `(s + 1) / (warmup_steps + 1)`: no step is wasted on
a learning rate of zero. A warm-up longer than the run never reaches 1.

Steps are computed in float32, which holds each of them exactly up to 2**24; beyond, the share is off by less than
1e-7 of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

Schedule = Callable[[ArrayLike], jax.Array]


def constant(*, total_steps: int, warmup_steps: int = 0) -> Schedule:
    """`1`."""
    del total_steps
    return _after_warmup(warmup_steps, jnp.ones_like)


def linear(*, total_steps: int, warmup_steps: int = 0, final_fraction: ArrayLike = 0.0) -> Schedule:
    """`1 - p (1 - final_fraction)`, where p goes from 0 at step `warmup_steps` to 1 at step `total_steps`."""

    def share(step: jax.Array) -> jax.Array:
        return _between(_progress(step, total_steps, warmup_steps), final_fraction)

    return _after_warmup(warmup_steps, share)


def cosine(*, total_steps: int, warmup_steps: int = 0, final_fraction: ArrayLike = 0.0) -> Schedule:
    """`final_fraction + (1 - final_fraction) (1 + cos(pi p)) / 2`, with p as for `linear`.

    Source: Loshchilov and Hutter, arXiv:1608.03983, equation 5, without restarts.
    """

    def share(step: jax.Array) -> jax.Array:
        half = (1 - jnp.cos(jnp.pi * _progress(step, total_steps, warmup_steps))) / 2
        return _between(half, final_fraction)

    return _after_warmup(warmup_steps, share)


def exponential(*, total_steps: int, warmup_steps: int = 0, final_fraction: ArrayLike = 0.01) -> Schedule:
    """`final_fraction ** p`, with p as for `linear`."""

    def share(step: jax.Array) -> jax.Array:
        return jnp.power(jnp.asarray(final_fraction, jnp.float32), _progress(step, total_steps, warmup_steps))

    return _after_warmup(warmup_steps, share)


def inverse_sqrt(*, total_steps: int, warmup_steps: int = 0, timescale: int = 1000) -> Schedule:
    """`sqrt(timescale / max(s - warmup_steps, timescale))` at step s.

    Source: Vaswani et al., arXiv:1706.03762, section 5.3, for the decay.
    """
    del total_steps

    def share(step: jax.Array) -> jax.Array:
        return jnp.sqrt(timescale / jnp.maximum(step - warmup_steps, timescale))

    return _after_warmup(warmup_steps, share)


def step(*, total_steps: int, warmup_steps: int = 0, every_steps: int, factor: ArrayLike = 0.1) -> Schedule:
    """`factor ** floor((s - warmup_steps) / every_steps)` at step s."""
    del total_steps

    def share(at: jax.Array) -> jax.Array:
        return jnp.power(jnp.asarray(factor, jnp.float32), jnp.floor((at - warmup_steps) / every_steps))

    return _after_warmup(warmup_steps, share)


def piecewise(
    *, total_steps: int, warmup_steps: int = 0, boundaries: Sequence[int], fractions: Sequence[float]
) -> Schedule:
    """`fractions[i]` from step `boundaries[i]` on, up to the next boundary; 1 before the first one."""
    del total_steps
    shares = jnp.asarray([1.0, *fractions], jnp.float32)
    starts = jnp.asarray(boundaries, jnp.float32)

    def share(at: jax.Array) -> jax.Array:
        return shares[jnp.searchsorted(starts, at, side="right")]

    return _after_warmup(warmup_steps, share)


def _after_warmup(warmup_steps: int, share: Callable[[jax.Array], jax.Array]) -> Schedule:
    def schedule(at: ArrayLike) -> jax.Array:
        now = jnp.asarray(at, jnp.float32)
        if warmup_steps == 0:
            return share(now)
        ramp = (now + 1) / (warmup_steps + 1)
        return jnp.where(now < warmup_steps, ramp, share(jnp.maximum(now, warmup_steps)))

    return schedule


def _progress(at: jax.Array, total_steps: int, warmup_steps: int) -> jax.Array:
    return jnp.clip((at - warmup_steps) / max(total_steps - warmup_steps, 1), 0, 1)


def _between(progress: jax.Array, final_fraction: ArrayLike) -> jax.Array:
    # Not `1 - p (1 - final)`: this form gives 1 at p = 0 and the final fraction at p = 1 without rounding.
    return (1 - progress) + progress * final_fraction
