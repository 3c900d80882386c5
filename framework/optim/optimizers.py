"""Optimizers: from a schedule of learning rates and numbers or traced scalars to an Optax transformation.

Every one is built the same way: the direction, then decoupled weight decay, then the learning rate. Building one draws
on no value of its scalars, so it can happen inside a traced function, and the structure of its state is the same for
all values: what is switched off leaves an empty state in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from framework.optim.decay import decayed

LearningRate = Callable[[ArrayLike], ArrayLike]
DecayMask = Literal["kernels", "all"]


def sgd(
    learning_rate: LearningRate,
    *,
    momentum: ArrayLike | None = 0.9,
    nesterov: bool = False,
    weight_decay: ArrayLike = 0.0,
    decay_mask: DecayMask = "kernels",
) -> optax.GradientTransformation:
    """`m <- g + momentum m;  p <- p - lr (m + weight_decay p)`; with Nesterov, `g + momentum m` in place of m.

    Source: Sutskever et al., ICML 2013, as Optax writes it; weight decay as in arXiv:1711.05101, algorithm 1.
    """
    direction = optax.identity() if momentum is None else optax.trace(momentum, nesterov)  # pyright: ignore[reportArgumentType]
    return _stepping(direction, learning_rate, weight_decay, decay_mask)


def adam(
    learning_rate: LearningRate, *, b1: ArrayLike = 0.9, b2: ArrayLike = 0.999, eps: ArrayLike = 1e-8
) -> optax.GradientTransformation:
    """`m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  p <- p - lr m^ / (sqrt(v^) + eps)`.

    Here `m^ = m / (1 - b1^t)` and `v^ = v / (1 - b2^t)` at step t, counted from 1.

    Source: Kingma and Ba, arXiv:1412.6980, algorithm 1.
    """
    return _stepping(optax.scale_by_adam(b1, b2, eps), learning_rate)


def adamw(
    learning_rate: LearningRate,
    *,
    b1: ArrayLike = 0.9,
    b2: ArrayLike = 0.999,
    eps: ArrayLike = 1e-8,
    weight_decay: ArrayLike = 0.01,
    decay_mask: DecayMask = "kernels",
) -> optax.GradientTransformation:
    """`p <- p - lr (d + weight_decay p)`, where d is the direction of `adam`.

    Source: Loshchilov and Hutter, arXiv:1711.05101, algorithm 2.
    """
    return _stepping(optax.scale_by_adam(b1, b2, eps), learning_rate, weight_decay, decay_mask)


def lion(
    learning_rate: LearningRate,
    *,
    b1: ArrayLike = 0.9,
    b2: ArrayLike = 0.99,
    weight_decay: ArrayLike = 0.1,
    decay_mask: DecayMask = "kernels",
) -> optax.GradientTransformation:
    """`p <- p - lr (sign(b1 m + (1 - b1) g) + weight_decay p);  m <- b2 m + (1 - b2) g`.

    Source: Chen et al., arXiv:2302.06675, algorithm 2.
    """
    return _stepping(optax.scale_by_lion(b1, b2), learning_rate, weight_decay, decay_mask)


def rmsprop(
    learning_rate: LearningRate,
    *,
    decay: ArrayLike = 0.9,
    eps: ArrayLike = 1e-8,
    momentum: ArrayLike | None = None,
) -> optax.GradientTransformation:
    """`v <- decay v + (1 - decay) g^2;  m <- g / (sqrt(v) + eps) + momentum m;  p <- p - lr m`.

    Source: Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012.
    """
    scaled = optax.scale_by_rms(decay, eps, eps_in_sqrt=False)
    trace = optax.identity() if momentum is None else optax.trace(momentum)  # pyright: ignore[reportArgumentType]
    return _stepping(optax.chain(scaled, trace), learning_rate)


def adagrad(
    learning_rate: LearningRate, *, initial_accumulator: ArrayLike = 0.1, eps: ArrayLike = 1e-7
) -> optax.GradientTransformation:
    """`v <- v + g^2;  p <- p - lr g / sqrt(v + eps)`, with v starting from `initial_accumulator`.

    Source: Duchi, Hazan and Singer, JMLR 12, 2011.
    """
    return _stepping(optax.scale_by_rss(initial_accumulator, eps), learning_rate)


def lamb(
    learning_rate: LearningRate,
    *,
    b1: ArrayLike = 0.9,
    b2: ArrayLike = 0.999,
    eps: ArrayLike = 1e-6,
    weight_decay: ArrayLike = 0.0,
    decay_mask: DecayMask = "kernels",
) -> optax.GradientTransformation:
    """`u = d + weight_decay p;  p <- p - lr u |p| / |u|` for each array, where d is the direction of `adam`.

    The norms are of one array; the ratio is 1 where either is zero.

    Source: You et al., arXiv:1904.00962, algorithm 2, with phi the identity.
    """
    decay_then_scale = optax.chain(decayed(weight_decay, decay_mask), optax.scale_by_trust_ratio())
    return _stepping(optax.chain(optax.scale_by_adam(b1, b2, eps), decay_then_scale), learning_rate)


def adafactor(
    learning_rate: LearningRate,
    *,
    decay_exponent: ArrayLike = 0.8,
    clip_threshold: ArrayLike = 1.0,
    factor_from: int = 128,
    weight_decay: ArrayLike = 0.0,
    decay_mask: DecayMask = "kernels",
) -> optax.GradientTransformation:
    """`v <- (1 - t^-c) v + t^-c g^2;  u = g / sqrt(v);  p <- p - lr (u / max(1, rms(u) / clip) + weight_decay p)`.

    t counts steps from 1, c is `decay_exponent`, and rms is over one array. Of an array whose two longest axes both
    have at least `factor_from` entries, v is kept as the outer product of its row and column means. The step is not
    scaled by the parameter's norm: `learning_rate` is absolute, as for every other optimizer here.

    Source: Shazeer and Stern, arXiv:1804.04235, algorithms 4 and 5.
    """

    def rate(at: ArrayLike, exponent: ArrayLike) -> jax.Array:
        return 1 - jnp.power(jnp.asarray(at, jnp.float32) + 1, -jnp.asarray(exponent))

    direction = optax.chain(
        optax.scale_by_factored_rms(decay_rate=decay_exponent, min_dim_size_to_factor=factor_from, decay_rate_fn=rate),
        optax.clip_by_block_rms(clip_threshold),
    )
    return _stepping(direction, learning_rate, weight_decay, decay_mask)


def _stepping(
    direction: optax.GradientTransformation,
    learning_rate: LearningRate,
    weight_decay: ArrayLike = 0.0,
    decay_mask: DecayMask = "kernels",
) -> optax.GradientTransformation:
    # The order must not change: decay behind the direction is what makes it decoupled, and the rate scales both.
    return optax.chain(
        direction,
        decayed(weight_decay, decay_mask),
        optax.scale_by_schedule(lambda count: -jnp.asarray(learning_rate(count))),
    )
