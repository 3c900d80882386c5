"""Drawings of shipped networks for the tests, each worked out once."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp

from framework.config.compose import load
from framework.inspect.drawing.drawing import Drawing, drawn
from framework.inspect.drawing.recipe import drawing_of
from framework.network import Network

BARE = "defaults: [{override /data: synthetic_images}, {override /network: NAME}, {override /losses: classification}]"


@cache
def shipped(name: str, depth: int | None, folder: str) -> Drawing:
    """The drawing of a shipped network; those without a recipe of their own get one in `folder`."""
    if name in ("digits_cnn", "gpt2"):
        return drawing_of(load("gpt2_small" if name == "gpt2" else name), depth=depth)
    path = f"{folder}/{name}.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(BARE.replace("NAME", name) + "\ndata: {size: 32, channels: 3, classes: 10}\ntrainer: {steps: 1}\n")
    return drawing_of(load(path), depth=depth)


def small(layers: dict, *, depth: int | None = 1, shape: tuple[int, ...] = (1, 8), **declared: object) -> Drawing:
    """The drawing of a network with one input."""
    network = Network({"layers": layers, **declared})
    inputs = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name in network.graph.inputs}
    return drawn(network, inputs, name="small", depth=depth)
