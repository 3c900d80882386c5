"""Outputs and gradients of PyTorch's own layers and torchvision's models, which tests compare ours with.

    python tests/golden/make_references.py     # with torch 2.13 and torchvision 0.28; writes tests/golden/references

Everything is computed in float64, so that what is left of a difference is ours. Weights and inputs come from
`formula.py`; the files hold what PyTorch made of them: `output`, with normalisation by kept statistics where there is
any, `trained`, the output while training, `gradient/NAME` of sum(trained · cotangent) by every weight and input, and
`kept/NAME`, the statistics after that step.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from formula import noise, weight
from torch import nn
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.models.vision_transformer import VisionTransformer

FOLDER = Path(__file__).parent / "references"
Shapes = dict[str, tuple[int, ...]]


def fill(model: nn.Module) -> None:
    """Give every weight and kept statistic its value by name."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(weight(name, tensor.shape)))


def write(
    name: str, model: nn.Module, shapes: Shapes, call: Callable[..., torch.Tensor] | None = None, **extra: np.ndarray
) -> None:
    """Compute a model's reference and write it.

    Args:
      shapes: of its inputs by name, in the order of its call; images are [batch, channels, *space] as PyTorch has them.
      call: (model, *inputs) -> output; by default, the model itself.
      extra: arrays for the file that the inputs' formula does not give, such as masks.
    """
    model = model.double()
    fill(model)
    inputs = [torch.from_numpy(noise(key, shape)).requires_grad_() for key, shape in shapes.items()]
    run = call or (lambda model, *inputs: model(*inputs))
    found: dict[str, np.ndarray] = dict(extra)
    with torch.no_grad():
        found["output"] = run(model.eval(), *inputs).numpy()
    trained = run(model.train(), *inputs)
    (trained * torch.from_numpy(noise("cotangent", trained.shape))).sum().backward()
    found["trained"] = trained.detach().numpy()
    for key, tensor in [*model.named_parameters(), *zip(shapes, inputs, strict=True)]:
        assert tensor.grad is not None, key
        found[f"gradient/{key}"] = tensor.grad.numpy()
    found |= {f"kept/{key}": tensor.numpy() for key, tensor in model.named_buffers() if tensor.is_floating_point()}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.npz"
    narrow = {key: array.astype(np.float32) if array.dtype == np.float64 else array for key, array in found.items()}
    np.savez_compressed(path, **narrow)  # pyright: ignore[reportArgumentType]
    print(f"{path.name}: {path.stat().st_size:,} bytes")


class NarrowResNet(ResNet):
    """torchvision's ResNet of basic blocks with fewer channels; blocks and the order of things are torchvision's."""

    def __init__(self, blocks: Sequence[int], width: int, classes: int) -> None:
        super().__init__(BasicBlock, [1, 1, 1, 1], num_classes=classes)
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self._make_layer(BasicBlock, width, blocks[0])
        self.layer2 = self._make_layer(BasicBlock, 2 * width, blocks[1], stride=2)
        self.layer3 = self._make_layer(BasicBlock, 4 * width, blocks[2], stride=2)
        self.layer4 = self._make_layer(BasicBlock, 8 * width, blocks[3], stride=2)
        self.fc = nn.Linear(8 * width, classes)


def vision() -> None:
    """Whole models."""
    write("resnet18", NarrowResNet([2, 2, 2, 2], 4, 5), {"image": (4, 3, 64, 64)})
    sizes, counts, strides = (16, 24, 32, 32, 48, 64, 64), (1, 2, 2, 1, 1, 1, 1), (1, 2, 2, 1, 1, 1, 1)
    setting = [
        [1 if index == 0 else 6, size, count, stride]
        for index, (size, count, stride) in enumerate(zip(sizes, counts, strides, strict=True))
    ]
    mobile = MobileNetV2(num_classes=5, width_mult=0.25, inverted_residual_setting=setting, dropout=0.0)
    write("mobilenet_v2", mobile, {"image": (4, 3, 32, 32)})
    vit = VisionTransformer(24, 8, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=5)
    write("vit", vit, {"image": (3, 3, 24, 24)})


def layers() -> None:
    """Single layers."""
    write("group_norm", nn.GroupNorm(3, 12, eps=1e-5), {"x": (2, 12, 5, 4)})
    write("transposed_conv_same", nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1), {"x": (2, 3, 5, 4)})
    write("transposed_conv_valid", nn.ConvTranspose2d(3, 4, 3, stride=2), {"x": (2, 3, 5, 4)})
    first = lambda model, x: model(x)[0]  # noqa: E731
    write("lstm", nn.LSTM(5, 6, batch_first=True), {"x": (3, 7, 5)}, first)
    write("gru", nn.GRU(5, 6, batch_first=True), {"x": (3, 7, 5)}, first)
    attention = nn.MultiheadAttention(12, 3, batch_first=True)
    write("attention", attention, {"x": (2, 7, 12)}, lambda model, x: model(x, x, x, need_weights=False)[0])
    seen = np.ones((2, 5), np.int32)
    seen[0, 3:], seen[1, 0] = 0, 0
    hidden = torch.from_numpy(seen == 0)
    write(
        "attention_across",
        nn.MultiheadAttention(12, 3, batch_first=True),
        {"x": (2, 7, 12), "memory": (2, 5, 12)},
        lambda model, x, memory: model(x, memory, memory, key_padding_mask=hidden, need_weights=False)[0],
        seen=seen,
    )


if __name__ == "__main__":
    vision()
    layers()
