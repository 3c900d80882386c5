"""The same three models as people write them by hand in JAX, Flax Linen and Optax, with a loop that jits one step.

The loop is a careful one: the state is donated, batches are slices of NumPy arrays along a fresh permutation per epoch,
the transfer is left to the jitted call, and the loss is fetched every 50 steps only, so that dispatch runs ahead of the
device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState

FETCH_EVERY_STEPS = 50

Arrays = Mapping[str, np.ndarray]


class Mlp(nn.Module):
    """64-128-128-10 with ReLU."""

    classes: int

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool) -> jax.Array:
        """Logits [batch, classes] of images [batch, 8, 8, 1]."""
        x = image.reshape(image.shape[0], -1)
        x = nn.relu(nn.Dense(128)(x))
        x = nn.relu(nn.Dense(128)(x))
        return nn.Dense(self.classes)(x)


class Cnn(nn.Module):
    """Three 3x3 convolutions of 32, 64 and 128 channels, each with batch norm and ReLU; strides 1, 2, 2."""

    classes: int

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool) -> jax.Array:
        """Logits [batch, classes] of images [batch, 8, 8, 1]."""
        x = image
        for features, strides in ((32, 1), (64, 2), (128, 2)):
            x = nn.Conv(features, (3, 3), strides, use_bias=False)(x)
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)
            x = nn.relu(x)
        return nn.Dense(self.classes)(x.mean(axis=(1, 2)))


class Block(nn.Module):
    """A pre-norm transformer block: causal attention with 4 heads, then an MLP four times as wide."""

    width: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[batch, time, width] -> same."""
        mask = nn.make_causal_mask(jnp.ones(x.shape[:2]))
        x = x + nn.MultiHeadDotProductAttention(num_heads=4)(nn.LayerNorm(epsilon=1e-5)(x), mask=mask)
        y = nn.gelu(nn.Dense(4 * self.width)(nn.LayerNorm(epsilon=1e-5)(x)))
        return x + nn.Dense(self.width)(y)


class Transformer(nn.Module):
    """Four blocks of width 128 over characters, with learned positions."""

    classes: int
    width: int = 128
    depth: int = 4

    @nn.compact
    def __call__(self, tokens: jax.Array, *, train: bool) -> jax.Array:
        """Logits [batch, time, classes] of tokens [batch, time]."""
        x = nn.Embed(self.classes, self.width)(tokens)
        x = x + self.param("positions", nn.initializers.normal(0.02), (tokens.shape[1], self.width))
        for _ in range(self.depth):
            x = Block(self.width)(x)
        return nn.Dense(self.classes)(nn.LayerNorm(epsilon=1e-5)(x))


class State(TrainState):
    """Flax's train state with batch statistics."""

    batch_stats: Any


@partial(jax.jit, donate_argnums=0)
def train_step(state: State, inputs: jax.Array, labels: jax.Array) -> tuple[State, jax.Array]:
    """One step of mean cross-entropy."""

    def objective(params: Any) -> tuple[jax.Array, Any]:
        variables = {"params": params, "batch_stats": state.batch_stats}
        logits, updates = state.apply_fn(variables, inputs, train=True, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), updates

    (loss, updates), gradients = jax.value_and_grad(objective, has_aux=True)(state.params)
    state = state.apply_gradients(grads=gradients, batch_stats=updates.get("batch_stats", {}))
    return state, loss


def batches(arrays: Arrays, inputs: str, labels: str, batch_size: int, seed: int) -> Iterator[tuple[Any, Any]]:
    """Shuffled batches for ever; the short rest of an epoch is dropped."""
    rng = np.random.default_rng(seed)
    count = len(arrays[inputs])
    while True:
        order = rng.permutation(count)
        for start in range(0, count - batch_size + 1, batch_size):
            rows = order[start : start + batch_size]
            yield arrays[inputs][rows], arrays[labels][rows]


class HandWritten:
    """A model with its loop; `run(steps)` trains on from where the last call ended."""

    def __init__(
        self,
        module: nn.Module,
        optimizer: optax.GradientTransformation,
        arrays: Arrays,
        *,
        inputs: str,
        labels: str,
        batch_size: int,
    ) -> None:
        variables = jax.jit(partial(module.init, train=False))(jax.random.key(0), arrays[inputs][:1])
        self.state = State.create(
            apply_fn=module.apply,
            params=variables["params"],
            batch_stats=variables.get("batch_stats", {}),
            tx=optimizer,
        )
        self.stream = batches(arrays, inputs, labels, batch_size, seed=0)
        self.losses: list[float] = []

    @property
    def parameters(self) -> int:
        """How many trained numbers the model has."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.state.params))

    def run(self, steps: int) -> None:
        """Take so many steps and wait for the last."""
        state = self.state
        for index, (inputs, labels) in zip(range(1, steps + 1), self.stream, strict=False):
            state, loss = train_step(state, inputs, labels)
            if index % FETCH_EVERY_STEPS == 0:
                self.losses.append(float(loss))
        self.state = jax.block_until_ready(state)


def _on_digits(module: type[Mlp | Cnn], arrays: Arrays, classes: int) -> HandWritten:
    return HandWritten(module(classes), optax.adam(1e-3), arrays, inputs="image", labels="label", batch_size=64)


def _on_characters(arrays: Arrays, classes: int) -> HandWritten:
    optimizer = optax.adamw(1e-3, weight_decay=0.01)
    return HandWritten(Transformer(classes), optimizer, arrays, inputs="tokens", labels="targets", batch_size=32)


MODELS: dict[str, Callable[[Arrays, int], HandWritten]] = {
    "mlp": partial(_on_digits, Mlp),
    "cnn": partial(_on_digits, Cnn),
    "transformer": _on_characters,
}
"""Name -> how to make the hand-written side, given the training split as arrays of examples and the classes."""
