"""Boxes of random size, form and place in pictures."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from framework.network.layers.draws import uniform_numbers

Interval = tuple[float, float]
_TRIES = 10
"""With fewer, boxes that hardly fit any picture would be missing too often."""


class Boxes(NamedTuple):
    """A box for each example.

    Attributes:
      size: float32[batch, 2], height and width in pixels.
      corner: float32[batch, 2] in [0, 1): where the first corner lies, of all places at which the box fits.
      fits: bool[batch], whether one was found that fits into the picture.
    """

    size: jax.Array
    corner: jax.Array
    fits: jax.Array


def random_boxes(x: jax.Array, scale: Interval, ratio: Interval, key: jax.Array, axis: str | None) -> Boxes:
    """The first of ten boxes that fits into the picture, for each example.

        area = s · height · width, s ~ U(scale);  height / width of the box = exp(U(log ratio))

    Args:
      x: [batch, height, width, channels].
    """
    height, width = x.shape[1:3]
    drawn = uniform_numbers((x.shape[0], 2 * _TRIES + 2), key, axis)
    area = height * width * (scale[0] + (scale[1] - scale[0]) * drawn[:, :_TRIES])
    low, high = np.log(ratio).astype(np.float32)
    form = jnp.exp(low + (high - low) * drawn[:, _TRIES : 2 * _TRIES])
    sizes = jnp.stack([jnp.sqrt(area * form), jnp.sqrt(area / form)], axis=-1)
    fit = jnp.all(sizes <= jnp.asarray([height, width], jnp.float32), axis=-1)
    chosen = jnp.take_along_axis(sizes, fit.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    return Boxes(chosen, drawn[:, 2 * _TRIES :], fit.any(axis=1))
