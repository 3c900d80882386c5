"""Run by the tests in a process of its own: trains one model under each layout on the devices that are present.

    python gpu_battery.py FOLDER MODEL

As `tests/parallel/battery.py`, but not on eight virtual devices: a layout takes as many real ones as a batch of 16
divides among. With one device each layout runs on it alone.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import jax
import numpy as np
from battery import outcome
from layouts import EVERYTHING, RECIPES

import framework as fw
from framework.parallel.choose import LayoutWarning


def layouts(devices: int) -> dict[str, list[str]]:
    """The overrides of each layout for so many devices, a power of two."""
    fsdp, tensor = (2 if devices >= 4 else 1), min(2, devices)
    over = [f"parallel.devices={devices}"]
    return {
        "single": ["parallel=single"],
        "pmap": ["parallel=pmap", *over],
        "data": ["parallel=data", *over],
        "fsdp": ["parallel=fsdp", *over, *EVERYTHING],
        "tensor": ["parallel=tensor", *over],
        "mesh": ["parallel=mesh", *over, f"parallel.axes={{data: -1, fsdp: {fsdp}, tensor: {tensor}}}", *EVERYTHING],
    }


def main(folder: Path, model: str) -> None:
    """Write the outcome of each layout."""
    warnings.simplefilter("error")
    # On few devices some of what the layouts ask for cannot be divided; that this is told is tested elsewhere.
    warnings.simplefilter("ignore", LayoutWarning)
    devices = max(count for count in (1, 2, 4, 8) if count <= jax.device_count())
    for layout, overrides in layouts(devices).items():
        experiment = fw.load(str(RECIPES / f"{model}.yaml"), overrides)
        state, report = outcome(experiment, folder / f"run_{layout}")
        np.savez(folder / f"{layout}.npz", **state)
        report["platform"] = jax.devices()[0].platform
        (folder / f"{layout}.json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
