"""What every peer trains on, and with which values: the digits in splits of 70, 15 and 15 percent."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits


def digits() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Split -> images (float32[rows, 64], in [0, 1]) and labels (int64[rows])."""
    data, target = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(np.asarray(target)))
    images, labels = (np.asarray(data) / 16).astype(np.float32)[order], np.asarray(target).astype(np.int64)[order]
    first, second = int(0.7 * len(order)), int(0.85 * len(order))
    parts = {"train": slice(first), "valid": slice(first, second), "test": slice(second, None)}
    return {name: (images[part], labels[part]) for name, part in parts.items()}


def combinations(runs: int) -> list[tuple[float, int]]:
    """Learning rates from 1e-4 to 1e-1, evenly on a logarithmic scale, each with four seeds."""
    rates = np.geomspace(1e-4, 1e-1, max(1, runs // 4))
    return [(float(rate), seed) for rate in rates for seed in range(4)][:runs]
