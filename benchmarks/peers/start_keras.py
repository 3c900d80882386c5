"""Says so when the first step is finished: a perceptron on the digits in Keras.

KERAS_BACKEND=jax python benchmarks/peers/start_keras.py DIGITS.npz
"""

from __future__ import annotations

import sys

import keras  # pyright: ignore[reportMissingImports] - peers have an environment of their own
import numpy as np
from keras import layers  # pyright: ignore[reportMissingImports]

with np.load(sys.argv[1]) as file:
    images, labels = file["inputs"][:1280], file["labels"][:1280]
model = keras.Sequential(
    [
        layers.Input((64,)),
        layers.Dense(128, "relu"),
        layers.Dropout(0.2),
        layers.Dense(128, "relu"),
        layers.Dropout(0.2),
        layers.Dense(10),
    ]
)
model.compile(optimizer=keras.optimizers.AdamW(2e-3), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
tell = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: print(batch, logs["loss"], flush=True))
model.fit(images, labels, batch_size=64, epochs=1, verbose=0, callbacks=[tell])
