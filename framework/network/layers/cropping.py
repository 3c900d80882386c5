"""Random mirror images and crops of pictures while training: pixels move, and keep their values."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from framework.network.context import Context, TracedValue
from framework.network.layers.boxes import Interval, random_boxes
from framework.network.layers.draws import drawn_mask, uniform_numbers
from framework.network.layers.dropout import is_off
from framework.network.layers.pictures import check_picture, check_real
from framework.network.layers.space import per_dimension

Sizes = tuple[int, ...]
_AXES = {"horizontal": (2,), "vertical": (1,), "both": (1, 2)}


class RandomFlip(nn.Module):
    """Random mirror images while training; see the schema of the same name."""

    axis: str = "horizontal"
    probability: float | TracedValue = 0.5

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_flip")
        probability = context.value(self.probability)
        if not context.train or is_off(probability):
            return x
        axes = _AXES[self.axis]
        turned = drawn_mask((x.shape[0], len(axes)), probability, self.make_rng("dropout"), context.axis)
        for place, axis in enumerate(axes):
            x = jnp.where(turned[:, place, None, None, None], jnp.flip(x, axis), x)
        return x


class RandomCrop(nn.Module):
    """Crops at random places while training; see the schema of the same name."""

    padding: int = 0
    size: int | Sizes | None = None
    mode: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_crop")
        space = x.shape[1:3]
        size = space if self.size is None else per_dimension(self.size, 2, "size")
        if any(kept > n for kept, n in zip(size, space, strict=True)):
            raise ValueError(
                f"found space {list(space)}, random_crop to {list(size)} needs as much; "
                f"set size to {list(space)} or less"
            )
        if self.mode == "reflect" and self.padding >= min(space):
            raise ValueError(
                f"found space {list(space)}, mode reflect has {min(space) - 1} pixels to add at a side; "
                f"set padding to {min(space) - 1} or less, or mode=edge"
            )
        if not context.train:
            first = [(n - kept) // 2 for n, kept in zip(space, size, strict=True)]
            return x[:, first[0] : first[0] + size[0], first[1] : first[1] + size[1]]
        places = [n + 2 * self.padding - kept + 1 for n, kept in zip(space, size, strict=True)]
        if max(places) == 1:
            return x
        if self.padding:
            widths = [(0, 0), (self.padding, self.padding), (self.padding, self.padding), (0, 0)]
            filled = {"constant_values": self.value} if self.mode == "constant" else {}
            x = jnp.pad(x, widths, mode=self.mode, **filled)
        drawn = uniform_numbers((x.shape[0], 2), self.make_rng("dropout"), context.axis)
        limit = jnp.asarray(places)
        # A number just below 1 may be rounded up to the count of places when it is multiplied by it.
        first = jnp.minimum((drawn * limit).astype(jnp.int32), limit - 1)
        # Slices, because products with one-hot matrices take 9 times as long on the CPU for [128, 32, 32, 3], and 30
        # times for [16, 224, 224, 3].
        cut = jax.vmap(lambda x, first: lax.dynamic_slice(x, (first[0], first[1], 0), (*size, x.shape[-1])))
        return cut(x, first)


class RandomResizedCrop(nn.Module):
    """Crops of random size and place, resized to one size; see the schema of the same name."""

    size: int | Sizes
    scale: Interval = (0.08, 1.0)
    ratio: Interval = (0.75, 4 / 3)

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_resized_crop")
        check_real(x, "random_resized_crop")
        height, width = x.shape[1:3]
        size = per_dimension(self.size, 2, "size")
        # The largest box in the middle that has the form of the result.
        shrink = min(height / size[0], width / size[1])
        middle = jnp.asarray([size[0] * shrink, size[1] * shrink], jnp.float32)
        box, corner = jnp.broadcast_to(middle, (x.shape[0], 2)), jnp.full((x.shape[0], 2), 0.5, jnp.float32)
        if context.train:
            drawn = random_boxes(x, self.scale, self.ratio, self.make_rng("dropout"), context.axis)
            box = jnp.where(drawn.fits[:, None], drawn.size, box)
            corner = jnp.where(drawn.fits[:, None], drawn.corner, corner)
        first = corner * (jnp.asarray([height, width], jnp.float32) - box)
        # Sums of products lose digits in half precision.
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        down, across = (_weights(first[:, i], box[:, i], size[i], x.shape[1 + i]).astype(wide.dtype) for i in (0, 1))
        rows = jnp.einsum("bih,bhwc->biwc", down, wide, precision=lax.Precision.HIGHEST)
        return jnp.einsum("bjw,biwc->bijc", across, rows, precision=lax.Precision.HIGHEST).astype(x.dtype)


def _weights(first: jax.Array, length: jax.Array, size: int, pixels: int) -> jax.Array:
    """How much each pixel of an axis counts for each of `size` places that divide a stretch of it: rows sum to 1.

    Args:
      first: float32[batch], where the stretch begins, in pixels.
      length: float32[batch], its length in pixels.

    Returns:
      float32[batch, size, pixels].
    """
    step = length / size
    place = first[:, None] + (jnp.arange(size, dtype=jnp.float32) + 0.5) * step[:, None] - 0.5
    away = jnp.abs(place[:, :, None] - jnp.arange(pixels, dtype=jnp.float32))
    weights = jnp.maximum(1 - away / jnp.maximum(step, 1)[:, None, None], 0)
    return weights / weights.sum(axis=-1, keepdims=True)
