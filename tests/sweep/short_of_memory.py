"""Groups in a process whose address space is limited: `python short_of_memory.py FOLDER`.

Prints as JSON, for 32 members of 36 MB and for one of 2 GB, what was told and how each member ended.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from directing import Recorder, make_members

from framework.sweep.vectorized import run_group

RECIPE = str(Path(__file__).parent / "recipes" / "small_mlp.yaml")
SPARE_MIB = 900  # between what 16 members and 32 take: about 700 and 1,150


def group(folder: Path, side: int, count: int) -> dict[str, Any]:
    """Members of 4 * side**2 bytes each."""
    shared = [
        f"network.layers.hidden.dense.features={side}",
        f"+network.layers.wide={{dense:{{features:{side},kernel_init:zeros}},before:act}}",
        "optimizer=sgd",
        "optimizer.momentum=null",
        "checkpoint=none",
        "parallel=single",
        "run.stages=[train]",
        "trainer.steps=1",
    ]
    members = make_members(folder, RECIPE, shared, [[f"seed={seed}"] for seed in range(count)])
    told: list[str] = []
    found = Recorder()
    run_group(members, found, tell=told.append)
    ends = [[number, ending.status, ending.error] for number, ending in sorted(found.endings.items())]
    return {"told": told, "begun": found.begun, "ends": ends}


def main(folder: Path) -> None:
    """The first group is small and not limited: its run makes the threads that take address space too."""
    group(folder / "warm", 8, 1)
    used = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_MIB * 2**20,) * 2)
    print(json.dumps([group(folder / "many", 3000, 32), group(folder / "one", 23000, 1)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
