"""Says so when the first step is finished: a perceptron on the digits in PyTorch.

python benchmarks/peers/start_torch.py DIGITS.npz
"""

from __future__ import annotations

import sys

import numpy as np
import torch  # pyright: ignore[reportMissingImports] - peers have an environment of their own
from torch import nn  # pyright: ignore[reportMissingImports]

with np.load(sys.argv[1]) as file:
    images, labels = torch.from_numpy(file["inputs"]), torch.from_numpy(file["labels"]).long()
dense = [nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2)]
model = nn.Sequential(*dense, nn.Linear(128, 10))
optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
for step, rows in enumerate(torch.randperm(len(images))[:1280].view(20, 64), 1):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
    loss.backward()
    optimizer.step()
    print(step, loss.item(), flush=True)
