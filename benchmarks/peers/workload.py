"""What every peer trains: a model's name, the same examples in the same file, the batch size."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MODELS = ("mlp", "cnn", "gpt")
LEARNING_RATE = 1e-3
"""Of Adam, with b1 = 0.9, b2 = 0.999 and eps = 1e-8."""

WIDTH, DEPTH, HEADS = 128, 4, 4
"""Of the transformer."""

CHANNELS = (32, 64, 128)
"""Of the convolutions."""


@dataclass(frozen=True)
class Workload:
    """A model and its training rows.

    Attributes:
      inputs: float32 [rows, 64] (mlp) or [rows, 32, 32, 3] (cnn), int32 [rows, 64] (gpt).
      labels: int32 [rows], or [rows, 64] (gpt).
      classes: how many logits there are.
    """

    model: str
    inputs: np.ndarray
    labels: np.ndarray
    classes: int
    batch_size: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass."""
        return len(self.inputs) // self.batch_size

    @classmethod
    def load(cls, path: Path) -> Workload:
        """Read what benchmarks/workloads.py wrote."""
        with np.load(path) as file:
            model, classes, batch_size = (file[name].item() for name in ("model", "classes", "batch_size"))
            return cls(model, file["inputs"], file["labels"], classes, batch_size)

    def batches(self, seed: int = 0) -> Iterator[np.ndarray]:
        """The rows of each batch for ever, in a new order each epoch."""
        rng = np.random.default_rng(seed)
        while True:
            order = rng.permutation(len(self.inputs))
            for start in range(0, len(order) - self.batch_size + 1, self.batch_size):
                yield order[start : start + self.batch_size]


def parser(description: str) -> argparse.ArgumentParser:
    """What every peer is told: the file of the workload."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("workload", type=Path, help="what benchmarks/workloads.py wrote")
    return made
