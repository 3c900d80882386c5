"""Made-up examples for tries and benchmarks: a function of the arguments alone, on every machine."""

from __future__ import annotations

import numpy as np

from framework.data.protocol import Arrays, ArraySource, ArraySpec, Collection, Outline
from framework.data.streams import integers, normal, uniform

# Each ingredient has a stream of its own, so that changing one argument leaves the others' numbers alone.
_CENTRES, _LABELS, _NOISE, _WEIGHTS, _SYMBOLS = range(1 << 62, (1 << 62) + 5)

_NUMBERS_AT_A_TIME = 1 << 18

_REAL = ("features", "image", "target")


def describe(
    *,
    kind: str,
    examples: int,
    features: int | None,
    classes: int | None,
    size: int | None,
    channels: int | None,
    context: int | None,
    vocabulary: int | None,
) -> Outline:
    """The outline of one kind."""
    shapes = {
        "blobs": {"features": (features,), "label": ()},
        "regression": {"features": (features,), "target": (1,)},
        "images": {"image": (size, size, channels), "label": ()},
        "copy": {"tokens": (context,), "targets": (context,)},
    }
    arrays = {
        name: ArraySpec(tuple(length or 1 for length in shape), "float32" if name in _REAL else "int32")
        for name, shape in shapes[kind].items()
    }
    return Outline(arrays, classes=classes, vocabulary=vocabulary, examples=examples)


def synthetic(
    *,
    kind: str,
    examples: int,
    features: int | None,
    classes: int | None,
    size: int | None,
    channels: int | None,
    context: int | None,
    vocabulary: int | None,
    noise: float | None,
    seed: int,
) -> Collection:
    """Examples of one kind.

    blobs: a normal cloud of standard deviation `noise` around the centre of each class, which is drawn from N(0, 1).
    regression: features from N(0, 1); target = features . weights + N(0, noise^2), weights from N(0, 1 / features).
    images: a picture of each class with pixels from U(0, 1), plus N(0, noise^2), clipped to [0, 1].
    copy: `context`/2 symbols, token 0, and the same symbols again; tokens and targets are one place apart.

    Arguments that a kind does not read may be None.
    """
    if kind == "regression":
        return Collection(ArraySource(_regression(examples, features or 1, noise or 0.0, seed)))
    if kind == "copy":
        return Collection(ArraySource(_copy(examples, context or 2, vocabulary or 3, seed)))
    count, spread = classes or 2, noise or 0.0
    labels = _balanced(examples, count, seed)
    if kind == "blobs":
        name, centres, limits = "features", normal((count, features or 1), seed, _CENTRES), None
    else:
        centres = uniform((count, size or 1, size or 1, channels or 1), seed, _CENTRES)
        name, limits = "image", (0.0, 1.0)
    values = _clouds(centres, labels, spread, limits, seed)
    return Collection(ArraySource({name: values, "label": labels}), labels=labels)


def _clouds(
    centres: np.ndarray, labels: np.ndarray, spread: float, limits: tuple[float, float] | None, seed: int
) -> np.ndarray:
    """float32[examples, ...] around the centre of each one's class.

    Made some examples at a time: what the transform needs in between is ten times what comes of it.
    """
    shape = (len(labels), *centres.shape[1:])
    made = np.empty(shape, np.float32)
    step = max(1, _NUMBERS_AT_A_TIME // max(1, centres[0].size))
    for start in range(0, len(labels), step):
        rows = slice(start, min(start + step, len(labels)))
        values = centres[labels[rows]] + spread * normal(shape, seed, _NOISE, rows=rows)
        made[rows] = values if limits is None else np.clip(values, *limits)
    return made


def _balanced(examples: int, classes: int, seed: int) -> np.ndarray:
    """int32 labels in a random order, each class as often as every other (give or take one)."""
    order = np.argsort(uniform((examples,), seed, _LABELS), kind="stable")
    return (order % classes).astype(np.int32)


def _regression(examples: int, features: int, noise: float, seed: int) -> Arrays:
    inputs = normal((examples, features), seed, _NOISE)
    weights = normal((features, 1), seed, _WEIGHTS) / np.sqrt(features)
    target = inputs @ weights + noise * normal((examples, 1), seed, _LABELS)
    return {"features": inputs.astype(np.float32), "target": target.astype(np.float32)}


def _copy(examples: int, context: int, vocabulary: int, seed: int) -> Arrays:
    symbols = 1 + integers((examples, context // 2), vocabulary - 1, seed, _SYMBOLS)
    sequence = np.concatenate([symbols, np.zeros((examples, 1), np.int64), symbols], axis=1).astype(np.int32)
    return {"tokens": sequence[:, :-1], "targets": sequence[:, 1:]}
