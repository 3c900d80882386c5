"""Weights and inputs as a function of a name and a shape, so that nobody has to keep them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np


def noise(name: str, shape: Sequence[int]) -> np.ndarray:
    """Numbers that look random, in [-1, 1), float64: a multiple of a sine, cut to its fraction."""
    index = np.arange(math.prod(shape), dtype=np.float64) + zlib.crc32(name.encode()) % 10_000
    return (2 * np.mod(np.sin(12.9898 * index) * 43758.5453, 1.0) - 1).reshape(shape).astype(np.float64)


def weight(name: str, shape: Sequence[int]) -> np.ndarray:
    """A weight by its PyTorch name: kernels scaled by their inputs, scales and variances near 1, biases small."""
    values = noise(name, shape)
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        return 1 + 0.3 * values
    if len(shape) == 1:
        return 0.2 * values
    return values * math.sqrt(3 / math.prod(shape[1:]))
