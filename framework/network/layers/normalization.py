"""Normalisation: [batch, ..., features] -> same. Statistics are taken in float32 or better."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import canonicalize_dtype, promote_dtype
from jax import lax

from framework.config.schema.layers.initializers import Constant
from framework.lowering.batch_norm import normalised_batch
from framework.lowering.choice import takes
from framework.lowering.layer_norm import normalised_rows
from framework.lowering.moments import moments
from framework.network.context import Context
from framework.network.layers.arithmetic import unit
from framework.network.layers.initialization import Init, initializer, parameter_dtype
from framework.network.layers.space import space_dims
from framework.network.layers.wording import printed


class _Affine(nn.Module):
    """What the normalisations share: the trained scale and bias of the last axis."""

    dtype: str | None = None
    param_dtype: str | None = None

    def _parameter(self, name: str, init: Init, used: bool, x: jax.Array) -> jax.Array | None:
        if not used:
            return None
        return self.param(name, initializer(init), (x.shape[-1],), parameter_dtype(self.param_dtype))


def _require_features(x: jax.Array, layer: str) -> None:
    if x.ndim < 2:
        raise ValueError(
            f"found rank {x.ndim} {printed(x.shape)}, {layer} needs [batch, ..., features]; "
            "put a reshape before it, e.g. {reshape: {shape: [1]}}"
        )


def _normalised(
    x: jax.Array,
    mean: jax.Array | None,
    power: jax.Array,
    epsilon: float,
    scale: jax.Array | None,
    bias: jax.Array | None,
    dtype: str | None,
) -> jax.Array:
    """scale · (x - mean) / sqrt(power + epsilon) + bias, computed in the format of `power`."""
    result = canonicalize_dtype(x, scale, bias, dtype=dtype)
    factor = lax.rsqrt(power + epsilon)
    if scale is not None:
        factor = factor * scale.astype(power.dtype)
    y = x.astype(power.dtype)
    if mean is not None:
        y = y - mean
    y = y * factor
    if bias is not None:
        y = y + bias.astype(power.dtype)
    return y.astype(result)


class BatchNorm(_Affine):
    """Normalisation of each channel over the batch; see the schema of the same name."""

    momentum: float = 0.99
    epsilon: float = 1e-5
    use_scale: bool = True
    use_bias: bool = True
    scale_init: Init = "ones"
    bias_init: Init = "zeros"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "batch normalisation")
        channels = (x.shape[-1],)
        kept_mean = self.variable("batch_stats", "mean", jnp.zeros, channels, jnp.float32)
        kept_var = self.variable("batch_stats", "var", jnp.ones, channels, jnp.float32)
        scale = self._parameter("scale", self.scale_init, self.use_scale, x)
        bias = self._parameter("bias", self.bias_init, self.use_bias, x)
        if context.train and not context.frozen:
            weights, y = None, None
            if context.mask is not None:
                weights = context.mask.reshape(-1, *(1,) * (x.ndim - 1))
            # The kept mean is near that of the batch, and every device has it; a first row only one of them would.
            near = kept_mean.value.reshape((1,) * (x.ndim - 1) + channels)
            if weights is None and context.axis is None and takes("normalization", "fused"):
                gain, offset = _wide(x, scale, bias)
                found: tuple[jax.Array, ...] = normalised_batch(x, kept_mean.value, gain, offset, self.epsilon)
                y, mean, var = found
                count = 1
            else:
                mean, var, count = moments(x, tuple(range(x.ndim - 1)), weights=weights, near=near, over=context.axis)
                mean, var = mean.reshape(channels), var.reshape(channels)
            if not self.is_initializing():
                # A batch of nothing but padding has no statistics to learn from.
                rate = (1 - self.momentum) * jnp.reshape(jnp.asarray(count) > 0, ()).astype(mean.dtype)
                kept_mean.value = _moved(kept_mean.value, mean, rate)
                kept_var.value = _moved(kept_var.value, var, rate)
            if y is not None:
                return y.astype(canonicalize_dtype(x, scale, bias, dtype=self.dtype))
        else:
            mean, var = kept_mean.value, kept_var.value
        return _normalised(x, mean, var, self.epsilon, scale, bias, self.dtype)


def _wide(x: jax.Array, scale: jax.Array | None, bias: jax.Array | None) -> tuple[jax.Array | None, jax.Array | None]:
    """Scale and bias in the format that x is normalised in."""
    wide = jnp.promote_types(x.dtype, jnp.float32)
    return None if scale is None else scale.astype(wide), None if bias is None else bias.astype(wide)


def _moved(kept: jax.Array, seen: jax.Array, rate: jax.Array) -> jax.Array:
    return (kept + rate * (lax.stop_gradient(seen) - kept)).astype(kept.dtype)


class LayerNorm(_Affine):
    """Normalisation of the last axis; see the schema of the same name."""

    epsilon: float = 1e-6
    use_scale: bool = True
    use_bias: bool = True
    scale_init: Init = "ones"
    bias_init: Init = "zeros"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "layer normalisation")
        scale = self._parameter("scale", self.scale_init, self.use_scale, x)
        bias = self._parameter("bias", self.bias_init, self.use_bias, x)
        if not takes("normalization", "fused"):
            mean, var, _ = moments(x, (x.ndim - 1,))
            return _normalised(x, mean, var, self.epsilon, scale, bias, self.dtype)
        result = canonicalize_dtype(x, scale, bias, dtype=self.dtype)
        gain, offset = _wide(x, scale, bias)
        wide = jnp.promote_types(x.dtype, jnp.float32)
        y: jax.Array = normalised_rows(x.astype(wide), gain, offset, self.epsilon)
        return y.astype(result)


class GroupNorm(_Affine):
    """Normalisation of groups of channels; see the schema of the same name."""

    groups: int = 32
    epsilon: float = 1e-6
    use_scale: bool = True
    use_bias: bool = True
    scale_init: Init = "ones"
    bias_init: Init = "zeros"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "group normalisation")
        channels = x.shape[-1]
        if channels % self.groups:
            divisors = [count for count in range(1, channels + 1) if channels % count == 0]
            near = min(divisors, key=lambda count: abs(count - self.groups))
            raise ValueError(
                f"found {channels} channels, {self.groups} groups must divide them; set groups to e.g. {near}"
            )
        scale = self._parameter("scale", self.scale_init, self.use_scale, x)
        bias = self._parameter("bias", self.bias_init, self.use_bias, x)
        parts = x.reshape(*x.shape[:-1], self.groups, channels // self.groups)
        mean, var, _ = moments(parts, (*range(1, x.ndim - 1), x.ndim))
        each = (*mean.shape[:-2], self.groups, channels // self.groups)
        mean, var = (jnp.broadcast_to(item, each).reshape(*each[:-2], channels) for item in (mean, var))
        return _normalised(x, mean, var, self.epsilon, scale, bias, self.dtype)


class RMSNorm(_Affine):
    """Division by the root mean square of the last axis; see the schema of the same name."""

    epsilon: float = 1e-6
    use_scale: bool = True
    scale_init: Init = "ones"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "normalisation")
        scale = self._parameter("scale", self.scale_init, self.use_scale, x)
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        power = jnp.mean(jnp.square(wide), axis=-1, keepdims=True)
        return _normalised(x, None, power, self.epsilon, scale, None, self.dtype)


class InstanceNorm(_Affine):
    """Normalisation of each channel over space; see the schema of the same name."""

    epsilon: float = 1e-5
    use_scale: bool = True
    use_bias: bool = True
    scale_init: Init = "ones"
    bias_init: Init = "zeros"

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        dims = space_dims(x, "instance normalisation")
        scale = self._parameter("scale", self.scale_init, self.use_scale, x)
        bias = self._parameter("bias", self.bias_init, self.use_bias, x)
        mean, var, _ = moments(x, tuple(range(1, 1 + dims)))
        return _normalised(x, mean, var, self.epsilon, scale, bias, self.dtype)


class LayerScale(_Affine):
    """A trained scale of each feature; see the schema of the same name."""

    initial: float = 1e-6

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "a layer scale")
        scale = self._parameter("scale", Constant(value=self.initial), True, x)
        x, scale = promote_dtype(x, scale, dtype=self.dtype)
        return x * scale


class Normalize(nn.Module):
    """Division by the length of the features; see the schema of the same name."""

    axis: int = -1
    epsilon: float = 1e-12

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "normalisation")
        if not -x.ndim < self.axis < x.ndim:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, an axis besides the batch, which {self.axis} is not; "
                f"use one of 1 to {x.ndim - 1}, or -1"
            )
        return unit(x, self.axis, self.epsilon)


class LocalResponseNorm(nn.Module):
    """Division by neighbouring channels; see the schema of the same name."""

    radius: int = 2
    alpha: float = 1e-4
    beta: float = 0.75
    bias: float = 2.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        _require_features(x, "normalisation")
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        channels = x.shape[-1]
        squares = jnp.pad(jnp.square(wide), [*[(0, 0)] * (x.ndim - 1), (self.radius, self.radius)])
        total = sum(squares[..., step : step + channels] for step in range(2 * self.radius + 1))
        return (wide * (self.bias + self.alpha * total) ** -self.beta).astype(x.dtype)
