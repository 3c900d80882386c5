"""The runs of benchmarks/sweep.py as a plain PyTorch loop: one run after the other, batches taken by index.

python benchmarks/peers/sweep_torch.py RUNS
"""

from __future__ import annotations

import sys

import numpy as np
import torch  # pyright: ignore[reportMissingImports] - peers have an environment of their own
from peer_data import combinations, digits

EPOCHS, BATCH = 10, 64


def train(learning_rate: float, seed: int, splits: dict[str, tuple[np.ndarray, np.ndarray]]) -> float:
    """Train once; the accuracy on the test split."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    images, labels = (torch.from_numpy(array) for array in splits["train"])
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))
        for start in range(0, len(images), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
    images, labels = (torch.from_numpy(array) for array in splits["test"])
    with torch.no_grad():
        return float((model(images).argmax(1) == labels).float().mean())


if __name__ == "__main__":
    data = digits()
    found = [train(rate, seed, data) for rate, seed in combinations(int(sys.argv[1]))]
    print(f"{len(found)} runs, best test accuracy {max(found):.4f}")
