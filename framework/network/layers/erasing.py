"""Boxes that are blanked at random while training: [batch, height, width, channels] -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from framework.network.context import Context, TracedValue
from framework.network.layers.boxes import Interval, random_boxes
from framework.network.layers.draws import drawn_mask, normal_numbers
from framework.network.layers.dropout import is_off
from framework.network.layers.pictures import check_picture


class RandomErasing(nn.Module):
    """A blank box in some pictures while training; see the schema of the same name."""

    probability: float | TracedValue = 0.5
    scale: Interval = (0.02, 0.33)
    ratio: Interval = (0.3, 3.3)
    fill: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_erasing")
        probability = context.value(self.probability)
        if not context.train or is_off(probability):
            return x
        rows, height, width, _ = x.shape
        erased = drawn_mask((rows,), probability, self.make_rng("dropout"), context.axis)
        boxes = random_boxes(x, self.scale, self.ratio, self.make_rng("dropout"), context.axis)
        space = jnp.asarray([height, width], jnp.float32)
        size = jnp.clip(jnp.round(boxes.size), 1, space)
        first = jnp.minimum(jnp.floor(boxes.corner * (space - size + 1)), space - size)
        inside = (erased & boxes.fits)[:, None, None, None]
        for axis in (0, 1):
            place = lax.broadcasted_iota(jnp.float32, (1, height, width, 1), axis + 1)
            start = first[:, axis, None, None, None]
            inside &= (place >= start) & (place < start + size[:, axis, None, None, None])
        if self.fill == "noise":
            return jnp.where(inside, normal_numbers(x.shape, self.make_rng("dropout"), context.axis).astype(x.dtype), x)
        return jnp.where(inside, jnp.asarray(self.value, x.dtype), x)
