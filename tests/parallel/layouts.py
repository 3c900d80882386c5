"""The layouts of the battery, each as overrides of one recipe file."""

from __future__ import annotations

from pathlib import Path

RECIPES = Path(__file__).parent / "recipes"

EVERYTHING = ["++parallel.min_size=1"]
"""Divide even the smallest parameter, so that a model of a few hundred numbers is divided like a large one."""

LAYOUTS = {
    "pmap": ["parallel=pmap"],
    "data": ["parallel=data"],
    "fsdp": ["parallel=fsdp", *EVERYTHING],
    "tensor": ["parallel=tensor"],
    "mesh": ["parallel=mesh", "parallel.axes={data: 2, fsdp: 2, tensor: 2}", *EVERYTHING],
}
"""Each takes all eight devices."""


def overrides(layout: str) -> list[str]:
    """What selects a layout; `single` is one device."""
    return ["parallel=single"] if layout == "single" else LAYOUTS[layout]
