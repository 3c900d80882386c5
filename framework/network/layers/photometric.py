"""Random changes of light and colour while training: [batch, height, width, channels] -> same."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context, TracedValue
from framework.network.layers.draws import uniform_numbers
from framework.network.layers.dropout import is_off
from framework.network.layers.pictures import check_picture, check_real

_LUMA = (0.299, 0.587, 0.114)
"""How much red, green and blue add to what is seen as light: ITU-R BT.601."""


class RandomBrightness(nn.Module):
    """Random light while training; see the schema of the same name."""

    delta: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_brightness")
        check_real(x, "random_brightness")
        delta = context.value(self.delta)
        if not context.train or is_off(delta):
            return x
        return x + (delta * _change(x, self.make_rng("dropout"), context.axis)).astype(x.dtype)


class RandomContrast(nn.Module):
    """Random contrast while training; see the schema of the same name."""

    factor: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_contrast")
        check_real(x, "random_contrast")
        factor = context.value(self.factor)
        if not context.train or is_off(factor):
            return x
        # Means of many numbers lose digits in half precision.
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        mean = wide.mean(axis=(1, 2), keepdims=True)
        return (wide + factor * _change(x, self.make_rng("dropout"), context.axis) * (wide - mean)).astype(x.dtype)


class RandomSaturation(nn.Module):
    """Random strength of colours while training; see the schema of the same name."""

    factor: float | TracedValue

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        check_picture(x, "random_saturation")
        check_real(x, "random_saturation")
        if x.shape[-1] != len(_LUMA):
            raise ValueError(
                f"found {x.shape[-1]} channels, random_saturation needs 3: red, green and blue; take it out"
            )
        factor = context.value(self.factor)
        if not context.train or is_off(factor):
            return x
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        grey = sum(share * wide[..., channel : channel + 1] for channel, share in enumerate(_LUMA))
        return (wide + factor * _change(x, self.make_rng("dropout"), context.axis) * (wide - grey)).astype(x.dtype)


def _change(x: jax.Array, key: jax.Array, axis: str | None) -> jax.Array:
    """A number in [-1, 1) for each example: float32[batch, 1, 1, 1]."""
    return 2 * uniform_numbers((x.shape[0], 1, 1, 1), key, axis) - 1
