"""What a user's package may hold: modules of every kind that a `module` node takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx


class LinenNorm(nn.Module):
    """A Flax Linen module with statistics and dropout, which wants to know whether it trains."""

    features: int
    rate: float = 0.5

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Dense(self.features)(x)
        x = nn.BatchNorm(use_running_average=not train)(x)
        return nn.Dropout(self.rate, deterministic=not train)(x)


class LinenNoise(nn.Module):
    """A Flax Linen module that draws from a stream of its own."""

    @nn.compact
    def __call__(self, x: jax.Array, training: bool) -> jax.Array:
        return x + jax.random.normal(self.make_rng("noise"), x.shape) if training else x


class LinenPair(nn.Module):
    """A Flax Linen module with two named inputs and two outputs."""

    @nn.compact
    def __call__(self, *, query: jax.Array, memory: jax.Array) -> dict[str, jax.Array]:
        return {"sum": query + memory, "difference": query - memory}


class NnxNorm(nnx.Module):
    """A Flax NNX module with statistics and dropout."""

    def __init__(self, inputs: int, features: int, *, rngs: nnx.Rngs) -> None:
        self.fc = nnx.Linear(inputs, features, rngs=rngs)
        self.norm = nnx.BatchNorm(features, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.drop(self.norm(self.fc(x)))


class NnxScale(nnx.Module):
    """A Flax NNX module that draws nothing."""

    def __init__(self, factor: float) -> None:
        self.factor = nnx.Param(jnp.float32(factor))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x * self.factor


def affine(features: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A pure pair (init, apply)."""

    def init(key: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        return {"w": jax.random.normal(key, (x.shape[-1], features)), "b": jnp.zeros(features)}

    def apply(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
        return x @ params["w"] + params["b"]

    return init, apply


class Scale:
    """An object with `init` and `apply`."""

    def __init__(self, start: float) -> None:
        self.start = start

    def init(self, key: jax.Array, x: jax.Array) -> jax.Array:
        return jnp.full((x.shape[-1],), self.start)

    def apply(self, params: jax.Array, x: jax.Array) -> jax.Array:
        return x * params


class Broken(nn.Module):
    """A module with a bug."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return x.no_such_attribute  # pyright: ignore[reportAttributeAccessIssue]


def shift(x: jax.Array, by: float) -> jax.Array:
    """A plain function."""
    return x + by


def number() -> int:
    """Gives nothing that can be a node."""
    return 3
