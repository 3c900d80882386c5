"""The three models in PyTorch."""

from __future__ import annotations

from itertools import pairwise

import torch  # pyright: ignore[reportMissingImports] - peers have an environment of their own
from torch import nn  # pyright: ignore[reportMissingImports]
from workload import CHANNELS, DEPTH, HEADS, WIDTH, Workload


def make(work: Workload) -> nn.Module:
    """The workload's model; images are [batch, channels, height, width]."""
    torch.manual_seed(0)
    if work.model == "mlp":
        sizes = (work.inputs.shape[1], 128, 128)
        hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*hidden, nn.Linear(128, work.classes))
    if work.model == "cnn":
        return _cnn(work)
    return Transformer(work.classes, work.inputs.shape[1])


def _cnn(work: Workload) -> nn.Module:
    layers: list[nn.Module] = []
    before = work.inputs.shape[-1]
    for features in CHANNELS:
        layers += [nn.Conv2d(before, features, 3, padding=1, bias=False), nn.BatchNorm2d(features), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
        before = features
    side = work.inputs.shape[1] // 2 ** len(CHANNELS)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * side * side, work.classes))


class Block(nn.Module):
    """A pre-norm block: causal attention, then an MLP four times as wide."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp_in, self.mlp_out = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, time, width] -> same."""
        batch, time, _ = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, time, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(*parts.unbind(0), is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, time, WIDTH))
        hidden = nn.functional.gelu(self.mlp_in(self.norm2(x)), approximate="tanh")
        return x + self.mlp_out(hidden)


class Transformer(nn.Module):
    """Blocks over characters with learned positions."""

    def __init__(self, classes: int, context: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(context, WIDTH))
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm, self.logits = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [batch, time, classes] of tokens [batch, time]."""
        return self.logits(self.norm(self.blocks(self.embed(tokens) + self.positions)))


def tensors(work: Workload) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and labels; images channels first, but laid out channels last, the faster layout on CPUs."""
    inputs, labels = torch.from_numpy(work.inputs), torch.from_numpy(work.labels).long()
    return (inputs.permute(0, 3, 1, 2) if work.model == "cnn" else inputs), labels


def cost(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy, in nats."""
    return nn.functional.cross_entropy(logits.flatten(0, -2), labels.flatten())
