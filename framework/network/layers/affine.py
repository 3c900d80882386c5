"""Random rotations, zooms and shifts of pictures while training, by one resampler: [batch, height, width, channels]."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context, TracedValue
from framework.network.layers.draws import uniform_numbers
from framework.network.layers.dropout import is_off
from framework.network.layers.pictures import check_picture, check_real

Strength = float | jax.Array


class RandomAffine(nn.Module):
    """Rotation, zoom, shift and shear at once, while training; see the schema of the same name."""

    degrees: float | TracedValue = 0.0
    translation: float | TracedValue = 0.0
    zoom: float | TracedValue = 0.0
    shear: float | TracedValue = 0.0
    mode: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        degrees, move, zoom, shear = map(context.value, (self.degrees, self.translation, self.zoom, self.shear))
        return _randomly(self, x, context, "random_affine", degrees, (move, move), zoom, shear)


class RandomRotation(nn.Module):
    """Rotation while training; see the schema of the same name."""

    degrees: float | TracedValue
    mode: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return _randomly(self, x, context, "random_rotation", degrees=context.value(self.degrees))


class RandomZoom(nn.Module):
    """Zoom while training; see the schema of the same name."""

    zoom: float | TracedValue
    mode: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return _randomly(self, x, context, "random_zoom", zoom=context.value(self.zoom))


class RandomTranslation(nn.Module):
    """Shift while training; see the schema of the same name."""

    height: float | TracedValue = 0.1
    width: float | TracedValue = 0.1
    mode: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        shares = context.value(self.height), context.value(self.width)
        return _randomly(self, x, context, "random_translation", shares=shares)


def _randomly(
    layer: RandomAffine | RandomRotation | RandomZoom | RandomTranslation,
    x: jax.Array,
    context: Context,
    word: str,
    degrees: Strength = 0.0,
    shares: tuple[Strength, Strength] = (0.0, 0.0),
    zoom: Strength = 0.0,
    shear: Strength = 0.0,
) -> jax.Array:
    """x with a map of its own drawn for each example, of which each part may be up to so strong."""
    check_picture(x, word)
    check_real(x, word)
    if not context.train or all(map(is_off, (degrees, *shares, zoom, shear))):
        return x
    drawn = 2 * uniform_numbers((x.shape[0], 5), layer.make_rng("dropout"), context.axis) - 1
    drawn = drawn.astype(jnp.promote_types(x.dtype, jnp.float32))
    matrix = inverse_map(degrees * drawn[:, 0], 1 + zoom * drawn[:, 1], shear * drawn[:, 2])
    far = [share * n for share, n in zip(shares, x.shape[1:3], strict=True)]
    shift = jnp.stack([far[0] * drawn[:, 3], far[1] * drawn[:, 4]], axis=-1)
    return resampled(x, matrix, shift, layer.mode, layer.value)


def inverse_map(degrees: jax.Array, zoom: jax.Array, shear: jax.Array) -> jax.Array:
    """Where the pixels of a turned, enlarged and sheared picture come from, by their places from its centre.

    The picture is sheared first (a place goes by tan(shear) · its height above the centre to the left), then turned
    counter-clockwise, then enlarged.

    Args:
      degrees, zoom, shear: [batch]; angles in degrees, zoom as a factor.

    Returns:
      [batch, 2, 2] of (row, column).
    """
    angle, slope = degrees * (math.pi / 180), jnp.tan(shear * (math.pi / 180))
    cos, sin = jnp.cos(angle) / zoom, jnp.sin(angle) / zoom
    rows = jnp.stack([cos, sin], axis=-1)
    columns = jnp.stack([-sin - slope * cos, cos - slope * sin], axis=-1)
    return jnp.stack([rows, columns], axis=-2)


def resampled(x: jax.Array, matrix: jax.Array, shift: jax.Array, mode: str, value: float) -> jax.Array:
    """Pictures seen through an affine map of places, with bilinear weights.

        y[p] = x[c + M (p - c - shift)],  c = ((height - 1) / 2, (width - 1) / 2)

    Args:
      x: [batch, height, width, channels].
      matrix: [batch, 2, 2], M of (row, column).
      shift: [batch, 2], pixels down and to the right; its number format is computed in.
      mode: what lies outside of the picture: constant (`value`), edge (the nearest pixel) or reflect (the picture,
        mirrored without its last row).
    """
    batch, height, width, channels = x.shape
    row = jnp.arange(height, dtype=shift.dtype)[None, :, None] - (height - 1) / 2 - shift[:, 0, None, None]
    column = jnp.arange(width, dtype=shift.dtype)[None, None, :] - (width - 1) / 2 - shift[:, 1, None, None]
    m = matrix[:, :, :, None, None]
    rows = m[:, 0, 0] * row + m[:, 0, 1] * column + (height - 1) / 2
    columns = m[:, 1, 0] * row + m[:, 1, 1] * column + (width - 1) / 2
    top, left = jnp.floor(rows), jnp.floor(columns)
    below, right = rows - top, columns - left
    flat = x.reshape(batch, height * width, channels)
    total = jnp.zeros((), shift.dtype)
    for i, down in ((top, 1 - below), (top + 1, below)):
        for j, across in ((left, 1 - right), (left + 1, right)):
            place = _inside(i, height, mode) * width + _inside(j, width, mode)
            # One axis of places is read faster than two on the CPU, and the places are known to be inside.
            indices = place.reshape(batch, height * width, 1)
            pixel = jnp.take_along_axis(flat, indices, axis=1, mode="promise_in_bounds").reshape(x.shape)
            if mode == "constant":
                seen = (i >= 0) & (i < height) & (j >= 0) & (j < width)
                pixel = jnp.where(seen[..., None], pixel, jnp.asarray(value, x.dtype))
            total = total + (down * across)[..., None] * pixel
    return total.astype(x.dtype)


def _inside(place: jax.Array, size: int, mode: str) -> jax.Array:
    """The place along one axis of a picture that stands for one that may lie outside, int32."""
    if mode == "reflect" and size > 1:
        turn = jnp.mod(place, 2 * (size - 1))
        place = jnp.minimum(turn, 2 * (size - 1) - turn)
    return jnp.clip(place, 0, size - 1).astype(jnp.int32)
