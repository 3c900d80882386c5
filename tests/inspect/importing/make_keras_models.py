"""Writes keras_models/: models as Keras 3 saves them, their counts of parameters, and what some give for fixed weights.

KERAS_BACKEND=jax python tests/inspect/importing/make_keras_models.py     (Keras 3.15; no test needs it)
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import math
from pathlib import Path

import keras
from keras import layers as L

FOLDER = Path(__file__).parent / "keras_models"


def perceptron() -> keras.Model:
    x = image = keras.Input((6, 6, 1), name="image")
    x = L.Flatten()(x)
    x = L.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L1L2(1e-5, 1e-4))(x)
    x = L.Dropout(0.25)(x)
    return keras.Model(image, L.Dense(3, activation="softmax", kernel_initializer="he_normal")(x), name="perceptron")


def sequential() -> keras.Model:
    model = keras.Sequential([L.Dense(5, "tanh"), L.GaussianNoise(0.1), L.Dense(2, use_bias=False)])
    model.build((None, 4))
    return model


def convolutions() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((17, 15, 3)),
            L.Rescaling(1 / 255, offset=-0.5),
            L.ZeroPadding2D(((1, 2), (0, 1))),
            L.Conv2D(4, 3, strides=2, padding="same", activation="gelu"),
            L.BatchNormalization(),
            L.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            L.LeakyReLU(0.1),
            L.SeparableConv2D(6, (3, 1), padding="same", activation="silu"),
            L.MaxPooling2D(2, strides=1, padding="same"),
            L.SpatialDropout2D(0.1),
            L.Conv2DTranspose(4, 3, strides=2, padding="same"),
            L.PReLU(shared_axes=[1, 2]),
            L.Conv2DTranspose(4, 2, strides=3, padding="valid"),
            L.LayerNormalization(),
            L.Cropping2D(((1, 0), (2, 1))),
            L.AveragePooling2D((3, 2), padding="same"),
            L.UpSampling2D(2),
            L.GroupNormalization(2),
            L.Conv2D(8, 3, groups=2, dilation_rate=2),
            L.ReLU(max_value=4.0),
            L.GlobalAveragePooling2D(),
            L.Dense(5),
        ],
        name="convolutions",
    )


def sequence() -> keras.Model:
    tokens = keras.Input((7,), dtype="int32", name="tokens")
    x = L.Embedding(11, 6)(tokens)
    x = L.Conv1D(6, 3, padding="causal", activation="relu")(x)
    x = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="concat")(x)
    x = L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="sum")(x)
    x = L.LSTM(4, return_sequences=True, go_backwards=True)(x)
    y, hidden, cell = L.LSTM(5, return_state=True, return_sequences=True)(x)
    z = L.LSTM(5)(y, initial_state=[hidden, cell])
    w = L.SimpleRNN(3, activation="relu")(y)
    times = L.TimeDistributed(L.Dense(2, activation="tanh"))(y)
    joined = L.Concatenate()([z, w, L.GlobalMaxPooling1D()(times)])
    return keras.Model(tokens, L.Dense(2)(joined), name="sequence")


def attention() -> keras.Model:
    target, memory = keras.Input((5, 6), name="target"), keras.Input((4, 8), name="memory")
    x = L.MultiHeadAttention(2, 3, dropout=0.1)(target, target, use_causal_mask=True)
    x = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, target]))
    y = L.MultiHeadAttention(3, 2, use_bias=False)(x, memory)
    y = L.Average()([x, y])
    y = L.GroupQueryAttention(4, 4, 2)(y, y)
    return keras.Model([target, memory], {"sum": y, "mean": L.GlobalAveragePooling1D()(y)}, name="attention")


def siamese() -> keras.Model:
    inner = keras.Input((6, 6, 2))
    tower_out = L.Dense(4)(L.Flatten()(L.Conv2D(3, 3, activation="relu")(inner)))
    tower = keras.Model(inner, tower_out, name="tower")
    left, right = keras.Input((6, 6, 2), name="left"), keras.Input((6, 6, 2), name="right")
    head = L.Dense(2, name="head")
    one, two = tower(left), tower(right)
    three = L.Subtract()([one, two])
    return keras.Model([left, right], [head(three), head(L.Multiply()([one, two]))], name="siamese")


def nested() -> keras.Model:
    first, second = keras.Input((4,)), keras.Input((4,))
    both = keras.Model([first, second], [L.Add()([first, second]), L.Dense(3)(second)], name="both")
    inside = keras.Sequential([keras.Input((4,)), L.Dense(4, activation="relu"), L.Dense(4)], name="dense")
    x = keras.Input((4,), name="x")
    total, small = both([inside(x), x])
    frozen = L.Dense(2, name="fixed", trainable=False)
    return keras.Model(x, [frozen(total), L.Softmax()(small)], name="nested")


def films() -> keras.Model:
    x = film = keras.Input((3, 6, 6, 2), name="film")
    x = L.TimeDistributed(L.Conv2D(3, 3, padding="same"))(x)
    x = L.ConvLSTM2D(2, 3, padding="same", return_sequences=True)(x)
    x = L.Conv3D(2, 2)(x)
    x = L.MaxPooling3D((1, 2, 2))(x)
    x = L.Permute((2, 1, 3, 4))(x)
    x = L.Reshape((-1, 2))(x)
    x = L.AlphaDropout(0.1)(L.GaussianDropout(0.1)(x))
    x = L.ELU()(L.Activation("softplus")(x))
    return keras.Model(film, L.Concatenate(axis=1)([x, L.Maximum()([x, x])]), name="films")


MODELS = (perceptron, sequential, convolutions, sequence, attention, siamese, nested, films)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for make in MODELS:
        keras.utils.clear_session()
        model = make()
        statistics = sum(math.prod(weight.shape) for weight in model.weights if "moving_" in weight.path)
        told = {"parameters": model.count_params() - statistics, "statistics": statistics}
        tree = json.loads(model.to_json())
        text = json.dumps(tree | {"_counted": told}, separators=(",", ":"))
        (FOLDER / f"{make.__name__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
