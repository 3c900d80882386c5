"""The three models in Keras, for any of its backends."""

from __future__ import annotations

from typing import Any

import keras  # pyright: ignore[reportMissingImports] - peers have an environment of their own
from keras import layers  # pyright: ignore[reportMissingImports]
from workload import CHANNELS, DEPTH, HEADS, LEARNING_RATE, WIDTH, Workload


class Positions(layers.Layer):
    """Adds what was learned of each position."""

    def build(self, shape: Any) -> None:
        """One vector for each position."""
        start = keras.initializers.RandomNormal(stddev=0.02)
        self.table = self.add_weight(shape=shape[1:], initializer=start, name="table")

    def call(self, x: Any) -> Any:
        """[batch, time, width] -> same."""
        return x + self.table


def make(work: Workload, steps_per_execution: int) -> keras.Model:
    """The workload's model, compiled for `fit`."""
    keras.utils.set_random_seed(0)
    start = layers.Input(work.inputs.shape[1:], dtype=str(work.inputs.dtype))
    body = {"mlp": _mlp, "cnn": _cnn, "gpt": _gpt}[work.model]
    model = keras.Model(start, layers.Dense(work.classes)(body(start, work)))
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=steps_per_execution,
    )
    return model


def _mlp(x: Any, work: Workload) -> Any:
    return layers.Dense(128, "relu")(layers.Dense(128, "relu")(x))


def _cnn(x: Any, work: Workload) -> Any:
    for features in CHANNELS:
        x = layers.Conv2D(features, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    return layers.Flatten()(x)


def _gpt(x: Any, work: Workload) -> Any:
    x = Positions()(layers.Embedding(work.classes, WIDTH)(x))
    for _ in range(DEPTH):
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        x = x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y, use_causal_mask=True)
        y = layers.Dense(4 * WIDTH)(layers.LayerNormalization(epsilon=1e-5)(x))
        y = layers.Activation(lambda z: keras.activations.gelu(z, approximate=True))(y)
        x = x + layers.Dense(WIDTH)(y)
    return layers.LayerNormalization(epsilon=1e-5)(x)
