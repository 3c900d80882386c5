"""The architectures, the arguments of each published size and its count, and a size that trains in a moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


def images(side: int, channels: int = 3) -> dict[str, Shape]:
    """The one input of a network for pictures."""
    return {"input": (1, side, side, channels)}


@dataclass(frozen=True)
class Published:
    """A published size.

    Attributes:
      network: the file in `configs/network`.
      parameters: how many numbers it trains.
      inputs: shapes by name of input.
      args: what differs from the file's arguments.
    """

    network: str
    parameters: int
    inputs: dict[str, Shape] = field(default_factory=lambda: images(224))
    args: dict[str, Any] = field(default_factory=lambda: {"classes": 1000})

    @property
    def name(self) -> str:
        """For the test's title."""
        told = "-".join(f"{key}={value}" for key, value in self.args.items() if key != "classes")
        return f"{self.network}-{told}" if told else self.network


def _sized(network: str, parameters: int, side: int = 224, **args: Any) -> Published:
    return Published(network, parameters, images(side), {"classes": 1000, **args})


PUBLISHED = [
    Published("lenet5", 61_706, images(32, 1), {"classes": 10}),
    _sized("alexnet", 61_100_840),
    _sized("vgg16", 138_357_544),
    _sized("vgg", 132_863_336, depth=11),
    _sized("vgg", 138_365_992, norm=True),
    _sized("squeezenet", 1_248_424),
    _sized("googlenet", 6_624_904),
    _sized("inception_v3", 23_834_568, 299),
    _sized("resnet18", 11_689_512),
    _sized("resnet", 21_797_672, depth=34),
    _sized("resnet50", 25_557_032),
    _sized("resnet", 60_192_808, depth=152),
    _sized("densenet121", 7_978_856),
    _sized("densenet", 14_149_480, depth=169),
    _sized("mobilenet_v2", 3_504_872),
    _sized("efficientnet_b0", 5_288_548),
    _sized("efficientnet", 9_109_994, width=1.1, depth=1.2),
    _sized("efficientnet", 66_347_960, width=2.0, depth=3.1),
    _sized("convnext_tiny", 28_589_128),
    _sized("convnext", 197_767_336, blocks=[3, 3, 27, 3], width=192),
    _sized("vit_b16", 86_567_656),
    _sized("vit", 88_224_232, patch=32),
    _sized("vit", 632_045_800, width=1280, depth=32, heads=16, patch=14),
    _sized("mlp_mixer", 59_880_472),
    Published("unet", 31_030_658, images(16, 1), {"classes": 2}),
    Published("vae", 652_824, images(28, 1), {}),
    Published("dcgan_generator", 3_576_704, {"input": (1, 100)}, {}),
    Published("dcgan_discriminator", 2_765_568, images(64), {}),
    Published("ddpm_unet", 35_746_307, {"image": (1, 32, 32, 3), "time": (1,)}, {}),
    Published("siamese", 38_951_745, {"left": (1, 105, 105, 1), "right": (1, 105, 105, 1)}, {}),
]


@dataclass(frozen=True)
class Small:
    """A reduced size, for one step.

    Attributes:
      network: the file in `configs/network`.
      args: arguments of the network.
      words: other overrides.
      arrays: shapes of the arrays of a file to train on, without the examples' axis; none: pictures of three classes.
    """

    network: str
    args: dict[str, Any]
    words: tuple[str, ...] = ()
    arrays: dict[str, Shape] = field(default_factory=dict)

    @property
    def overrides(self) -> list[str]:
        """All that is typed behind the recipe."""
        args = [f"network.args.{name}={value}".replace(" ", "") for name, value in self.args.items()]
        return [f"network={self.network}", *args, *self.words]


ONES = [1, 1, 1, 1]
PIXELS = ("losses=binary", "losses.bce.labels=batch.image", "data.normalize=none")
KL = "+losses.kl={type: expr, expression: kl, inputs: {kl: costs.kl}}"
REGIONS = ("losses=classification", "losses.cross_entropy.labels=batch.regions")

SMALL = [
    Small("lenet5", {"width": 3, "hidden": [8, 8]}),
    Small("alexnet", {"width": 2, "kernel": 5, "strides": 1, "hidden": 8}),
    Small("vgg16", {"width": 2, "convs": [1, 1, 1, 1, 1], "hidden": 8}),
    Small("squeezenet", {"width": 2, "kernel": 3}),
    Small("googlenet", {"width": 4, "blocks": [1, 1, 1]}),
    Small("inception_v3", {"width": 2, "blocks": [1, 1, 1]}, ("data.size=75",)),
    Small("resnet18", {"width": 4, "blocks": ONES}),
    Small("resnet50", {"width": 4, "blocks": ONES, "small_images": "true"}, ("data.size=8",)),
    Small("densenet121", {"width": 4, "growth": 2, "blocks": ONES}),
    Small("mobilenet_v2", {"width": 0.1, "blocks": [1, 2, 1, 1, 1, 1, 1], "last": 8}),
    Small("efficientnet_b0", {"width": 0.1, "blocks": [1, 1, 1, 1, 1, 1, 1], "kernels": [3, 3, 5, 3, 3, 3, 3]}),
    Small("convnext_tiny", {"width": 4, "blocks": ONES, "kernel": 3}),
    Small("vit_b16", {"width": 8, "heads": 2, "depth": 2, "image": 32}),
    Small("mlp_mixer", {"width": 8, "depth": 1, "image": 32}),
    Small("unet", {"width": 2, "depth": 1, "classes": 2}, REGIONS, {"image": (16, 16, 1), "regions": (16, 16)}),
    Small("vae", {"pixels": 64, "width": 8, "latent": 2}, (*PIXELS, KL), {"image": (8, 8, 1)}),
    Small("dcgan_generator", {"width": 2, "channels": 1}, (), {"latent": (4,), "target": (64, 64, 1)}),
    Small("dcgan_discriminator", {"width": 2}, ("losses=binary",), {"image": (64, 64, 1), "label": ()}),
    Small(
        "ddpm_unet",
        {"width": 4, "groups": 2, "depth": 1},
        (),
        {"image": (8, 8, 3), "time": (), "target": (8, 8, 3)},
    ),
    Small(
        "siamese",
        {"width": 2, "kernels": [3, 3, 3, 1]},
        ("losses=binary",),
        {"left": (32, 32, 1), "right": (32, 32, 1), "label": ()},
    ),
]
