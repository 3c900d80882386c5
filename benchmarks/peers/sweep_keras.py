"""The runs of benchmarks/sweep.py in Keras on its JAX backend: one `fit` after the other.

KERAS_BACKEND=jax python benchmarks/peers/sweep_keras.py RUNS
"""

from __future__ import annotations

import sys

import keras  # pyright: ignore[reportMissingImports] - peers have an environment of their own
import numpy as np
from peer_data import combinations, digits

EPOCHS, BATCH = 10, 64


def train(learning_rate: float, seed: int, splits: dict[str, tuple[np.ndarray, np.ndarray]]) -> float:
    """Train once; the accuracy on the test split."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((64,)), layers.Dense(128, "relu"), layers.Dense(128, "relu"), layers.Dense(10)]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(*splits["train"], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return float(model.evaluate(*splits["test"], verbose=0)[1])


if __name__ == "__main__":
    data = digits()
    found = [train(rate, seed, data) for rate, seed in combinations(int(sys.argv[1]))]
    print(f"{len(found)} runs, best test accuracy {max(found):.4f}")
