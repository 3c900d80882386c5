"""The three models as functions of arrays, by hand, over the operations that the framework lowers them to.

Each gives `init(rng) -> params, statistics` and `apply(params, statistics, inputs) -> logits, statistics`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from workload import CHANNELS, DEPTH, HEADS, WIDTH, Workload

from framework.lowering.attention import attend
from framework.lowering.convolution import convolve
from framework.lowering.gelu import gelu
from framework.lowering.layer_norm import normalised_rows
from framework.lowering.moments import moments
from framework.lowering.pooling import max_pool
from framework.lowering.projection import project

Tree = Any
Init = Callable[[np.random.Generator], tuple[Tree, Tree]]
Apply = Callable[[Tree, Tree, jax.Array], tuple[jax.Array, Tree]]
EPSILON = 1e-5


def _weights(rng: np.random.Generator, *shape: int, fan_in: int) -> np.ndarray:
    return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)


def _dense(rng: np.random.Generator, before: int, after: int) -> Tree:
    return {"kernel": _weights(rng, before, after, fan_in=before), "bias": np.zeros(after, np.float32)}


def _affine(params: Tree, x: jax.Array) -> jax.Array:
    return project(x, params["kernel"], params["bias"])


def _norm(features: int) -> Tree:
    return {"scale": np.ones(features, np.float32), "bias": np.zeros(features, np.float32)}


def mlp(work: Workload) -> tuple[Init, Apply]:
    """64-128-128-10 with ReLU."""
    sizes = (work.inputs.shape[1], 128, 128, work.classes)

    def init(rng: np.random.Generator) -> tuple[Tree, Tree]:
        return [_dense(rng, *pair) for pair in pairwise(sizes)], {}

    def apply(params: Tree, statistics: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        for layer in params[:-1]:
            x = jax.nn.relu(_affine(layer, x))
        return _affine(params[-1], x), statistics

    return init, apply


def cnn(work: Workload) -> tuple[Init, Apply]:
    """3x3 convolutions, each with batch norm, ReLU and max-pooling."""
    sizes = (work.inputs.shape[-1], *CHANNELS)
    side = work.inputs.shape[1] // 2 ** len(CHANNELS)

    def init(rng: np.random.Generator) -> tuple[Tree, Tree]:
        kernels = [_weights(rng, 3, 3, *pair, fan_in=9 * pair[0]) for pair in pairwise(sizes)]
        params = {
            "kernels": kernels,
            "norms": [_norm(features) for features in CHANNELS],
            "logits": _dense(rng, CHANNELS[-1] * side * side, work.classes),
        }
        kept = [{"mean": np.zeros(each, np.float32), "var": np.ones(each, np.float32)} for each in CHANNELS]
        return params, kept

    def apply(params: Tree, statistics: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        kept = []
        for kernel, norm, old in zip(params["kernels"], params["norms"], statistics, strict=True):
            x = convolve(x, kernel, strides=(1, 1), padding="SAME", dilation=(1, 1))
            mean, var, _ = moments(x, (0, 1, 2), near=old["mean"].reshape(1, 1, 1, -1))
            y = (x - mean) * (jax.lax.rsqrt(var + EPSILON) * norm["scale"]) + norm["bias"]
            x = max_pool(jax.nn.relu(y), (2, 2), (2, 2), ((0, 0), (0, 0)))
            seen = {"mean": mean.reshape(-1), "var": var.reshape(-1)}
            kept.append({name: old[name] + 0.1 * (jax.lax.stop_gradient(seen[name]) - old[name]) for name in seen})
        return _affine(params["logits"], x.reshape(x.shape[0], -1)), kept

    return init, apply


def gpt(work: Workload) -> tuple[Init, Apply]:
    """Pre-norm blocks over characters with learned positions."""

    def block(rng: np.random.Generator) -> Tree:
        qkv = {
            "kernel": _weights(rng, WIDTH, 3, HEADS, WIDTH // HEADS, fan_in=WIDTH),
            "bias": np.zeros((3, HEADS, WIDTH // HEADS), np.float32),
        }
        dense = {"out": (WIDTH, WIDTH), "mlp_in": (WIDTH, 4 * WIDTH), "mlp_out": (4 * WIDTH, WIDTH)}
        norms = {"norm1": _norm(WIDTH), "norm2": _norm(WIDTH)}
        return {"qkv": qkv} | {name: _dense(rng, *sizes) for name, sizes in dense.items()} | norms

    def init(rng: np.random.Generator) -> tuple[Tree, Tree]:
        params = {
            "embed": _weights(rng, work.classes, WIDTH, fan_in=WIDTH),
            "positions": 0.02 * _weights(rng, work.inputs.shape[1], WIDTH, fan_in=1),
            "blocks": [block(rng) for _ in range(DEPTH)],
            "norm": _norm(WIDTH),
            "logits": _dense(rng, WIDTH, work.classes),
        }
        return params, {}

    def apply(params: Tree, statistics: Tree, tokens: jax.Array) -> tuple[jax.Array, Tree]:
        x = jnp.take(params["embed"], tokens, axis=0) + params["positions"]
        for each in params["blocks"]:
            y = _affine(each["qkv"], _layer_norm(each["norm1"], x))
            seen = attend(*jnp.unstack(y, axis=2), causal=True)
            x = x + _affine(each["out"], seen.reshape(*seen.shape[:2], WIDTH))
            y = gelu(_affine(each["mlp_in"], _layer_norm(each["norm2"], x)))
            x = x + _affine(each["mlp_out"], y)
        return _affine(params["logits"], _layer_norm(params["norm"], x)), statistics

    return init, apply


def _layer_norm(params: Tree, x: jax.Array) -> jax.Array:
    return normalised_rows(x, params["scale"], params["bias"], EPSILON)


MODELS: dict[str, Callable[[Workload], tuple[Init, Apply]]] = {"mlp": mlp, "cnn": cnn, "gpt": gpt}
