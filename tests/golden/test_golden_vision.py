"""Our networks compute what torchvision's models do with the same weights, forward and backward."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from golden_cases import compare
from vision_rules import mobilenet_v2, resnet18, vit

from framework.network import Network

FOLDER = Path(__file__).parents[2] / "configs" / "network"


def network(name: str, **args: Any) -> Network:
    declared = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    declared["args"] |= args
    return Network(declared)


def test_resnet18_computes_what_torchvisions_does() -> None:
    ours = network("resnet", depth=18, width=4, classes=5)
    compare(ours, "resnet18", resnet18(), {"image": (4, 3, 64, 64)}, image=True)


def test_mobilenet_v2_computes_what_torchvisions_does() -> None:
    ours = network(
        "mobilenet_v2",
        width=0.25,
        classes=5,
        dropout=0.0,
        features=[32, 16, 24, 32, 32, 48, 64, 64],
        blocks=[1, 2, 2, 1, 1, 1, 1],
        strides=[2, 1, 2, 2, 1, 1, 1, 1],
    )
    compare(ours, "mobilenet_v2", mobilenet_v2([1, 2, 2, 1, 1, 1, 1]), {"image": (4, 3, 32, 32)}, image=True)


def test_vit_computes_what_torchvisions_does() -> None:
    ours = network("vit", image=24, patch=8, width=16, depth=3, heads=2, hidden=32, classes=5)
    compare(ours, "vit", vit(2), {"image": (3, 3, 24, 24)}, image=True)
