"""Changes of the number of positions: [batch, *space, channels] -> [batch, *space', channels']."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn

from framework.network.context import Context
from framework.network.layers.space import Sides, per_dimension, space_dims
from framework.network.layers.wording import printed

Sizes = tuple[int, ...]
_METHODS = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}


class Resize(nn.Module):
    """Interpolation; see the schema of the same name."""

    size: int | Sizes | None = None
    scale: float | tuple[float, ...] | None = None
    method: str = "nearest"
    antialias: bool = False
    align_corners: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        dims = space_dims(x, "resize")
        space = x.shape[1:-1]
        if self.size is not None:
            size = per_dimension(self.size, dims, "size")
        else:
            given = self.scale if isinstance(self.scale, tuple) else (self.scale,) * dims
            # A float such as 1.1 is a little more or less than meant; 10 · 1.1 is 11 positions all the same.
            factors = per_dimension(given, dims, "scale")  # pyright: ignore[reportArgumentType]
            size = tuple(math.floor(n * factor + 1e-9) for n, factor in zip(space, factors, strict=True))
        if min(size) < 1:
            raise ValueError(
                f"found space {list(space)}, a scale of {self.scale} leaves nothing of it; use a larger one"
            )
        method = _METHODS.get(self.method, self.method)
        shape = (x.shape[0], *size, x.shape[-1])
        if not self.align_corners:
            return jax.image.resize(x, shape, method, antialias=self.antialias)
        # Positions i of the output are to lie at i · (n - 1) / (m - 1) of the input.
        factors = [(m - 1) / (n - 1) if n > 1 and m > 1 else 1.0 for n, m in zip(space, size, strict=True)]
        scale = jnp.asarray(factors, jnp.float32)
        moved = 0.5 - 0.5 * scale
        axes = tuple(range(1, 1 + dims))
        return jax.image.scale_and_translate(x, shape, axes, scale, moved, method, antialias=self.antialias)


def _blocks(x: jax.Array, factors: Sizes, layer: str, word: str) -> tuple[jax.Array, Sizes]:
    """x as [batch, n1, f1, n2, f2, ..., channels], and how many blocks there are along each dimension."""
    space = x.shape[1:-1]
    if any(n % f for n, f in zip(space, factors, strict=True)):
        raise ValueError(
            f"found space {list(space)}, {layer} of {list(factors)} must divide it; "
            f"put a pad or a crop before it, or set {word} to a divisor"
        )
    counts = tuple(n // f for n, f in zip(space, factors, strict=True))
    pairs = [size for pair in zip(counts, factors, strict=True) for size in pair]
    return x.reshape(x.shape[0], *pairs, x.shape[-1]), counts


def _gathered(x: jax.Array, factors: Sizes, layer: str, word: str, channels_first: bool) -> jax.Array:
    """Blocks of positions as channels: [batch, *(space / factors), blocks · channels]."""
    dims = len(factors)
    split, counts = _blocks(x, factors, layer, word)
    outer, inner, last = list(range(1, 1 + 2 * dims, 2)), list(range(2, 2 + 2 * dims, 2)), 1 + 2 * dims
    order = [0, *outer, *((last, *inner) if channels_first else (*inner, last))]
    return split.transpose(order).reshape(x.shape[0], *counts, x.shape[-1] * math.prod(factors))


def _spread(x: jax.Array, factors: Sizes, layer: str, channels_first: bool) -> jax.Array:
    """The inverse of `_gathered`."""
    dims, cells = len(factors), math.prod(factors)
    if x.shape[-1] % cells:
        raise ValueError(
            f"found {x.shape[-1]} channels, {layer} by {list(factors)} needs a multiple of {cells}; "
            f"put a conv with features: {max(round(x.shape[-1] / cells), 1) * cells} before it"
        )
    channels, space = x.shape[-1] // cells, x.shape[1:-1]
    last = (channels, *factors) if channels_first else (*factors, channels)
    split = x.reshape(x.shape[0], *space, *last)
    first = 1 + dims + (1 if channels_first else 0)
    order = [0]
    for index in range(dims):
        order += [1 + index, first + index]
    order.append(1 + dims if channels_first else 1 + 2 * dims)
    sizes = tuple(n * f for n, f in zip(space, factors, strict=True))
    return split.transpose(order).reshape(x.shape[0], *sizes, channels)


class PixelShuffle(nn.Module):
    """Channels spread over space; see the schema of the same name."""

    factor: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return _spread(x, (self.factor,) * space_dims(x, "pixel shuffle"), "pixel shuffle", channels_first=True)


class PixelUnshuffle(nn.Module):
    """Space gathered into channels; see the schema of the same name."""

    factor: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        factors = (self.factor,) * space_dims(x, "pixel unshuffle")
        return _gathered(x, factors, "a block", "factor", channels_first=True)


class SpaceToDepth(nn.Module):
    """Space gathered into channels; see the schema of the same name."""

    factor: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        factors = (self.factor,) * space_dims(x, "space to depth")
        return _gathered(x, factors, "a block", "factor", channels_first=False)


class DepthToSpace(nn.Module):
    """Channels spread over space; see the schema of the same name."""

    factor: int = 2

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        return _spread(x, (self.factor,) * space_dims(x, "depth to space"), "depth to space", channels_first=False)


class Patchify(nn.Module):
    """Patches as vectors; see the schema of the same name."""

    patch: int | Sizes
    flatten: bool = True

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size = per_dimension(self.patch, space_dims(x, "patchify"), "patch")
        y = _gathered(x, size, "a patch", "patch", channels_first=False)
        return y.reshape(y.shape[0], math.prod(y.shape[1:-1]), y.shape[-1]) if self.flatten else y


class Unpatchify(nn.Module):
    """Vectors as patches; see the schema of the same name."""

    patch: int | Sizes
    space: Sizes

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        size = per_dimension(self.patch, len(self.space), "patch")
        counts = tuple(n // p for n, p in zip(self.space, size, strict=True))
        if x.ndim != 3 or any(n % p for n, p in zip(self.space, size, strict=True)) or x.shape[1] != math.prod(counts):
            raise ValueError(
                f"found {printed(x.shape)}, patches of {list(size)} that fill space {list(self.space)} are "
                f"[batch, {math.prod(counts)}, features]; set space to sizes that patch divides, {x.shape[1]} in all"
            )
        return _spread(x.reshape(x.shape[0], *counts, x.shape[-1]), size, "unpatchify", channels_first=False)


def _pairs(given: int | Sequence[int | tuple[int, int]], dims: int, word: str) -> Sides:
    """(before, after) for each space dimension."""
    each = per_dimension(given, dims, word)  # pyright: ignore[reportArgumentType]
    return tuple((side, side) if isinstance(side, int) else side for side in each)


class Pad(nn.Module):
    """Positions added around space; see the schema of the same name."""

    padding: int | tuple[int | tuple[int, int], ...] = 1
    mode: str = "constant"
    value: float = 0.0

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        around = _pairs(self.padding, space_dims(x, "pad"), "padding")
        space = x.shape[1:-1]
        most = [n - 1 for n in space] if self.mode == "reflect" else list(space)
        short = self.mode in ("reflect", "symmetric", "wrap")
        if short and any(max(pair) > n for pair, n in zip(around, most, strict=True)):
            raise ValueError(
                f"found space {list(space)}, mode {self.mode} has at most {most} elements to add at a side; "
                "pad by less, or use mode edge"
            )
        widths = [(0, 0), *around, (0, 0)]
        if self.mode == "constant":
            return jnp.pad(x, widths, constant_values=self.value)
        return jnp.pad(x, widths, mode=self.mode)


class Crop(nn.Module):
    """Positions taken away at the sides of space; see the schema of the same name."""

    cropping: int | tuple[int | tuple[int, int], ...] | None = None
    size: int | Sizes | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        dims, space = space_dims(x, "crop"), x.shape[1:-1]
        if self.size is not None:
            kept = per_dimension(self.size, dims, "size")
            cut = tuple(((n - k) // 2, n - k - (n - k) // 2) for n, k in zip(space, kept, strict=True))
        else:
            cut = _pairs(self.cropping or 0, dims, "cropping")
        if any(before < 0 or before + after >= n for n, (before, after) in zip(space, cut, strict=True)):
            raise ValueError(f"found space {list(space)}, it is too small for the crop; crop less")
        inner = tuple(slice(before, n - after) for n, (before, after) in zip(space, cut, strict=True))
        return x[(slice(None), *inner)]
