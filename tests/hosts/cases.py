"""The layouts of several processes, as overrides of a recipe."""

from __future__ import annotations

from pathlib import Path

RECIPES = Path(__file__).parent.parent / "parallel" / "recipes"

EVERYTHING = "++parallel.min_size=1"

LAYOUTS = {
    "pmap": ["parallel=pmap"],
    "data": ["parallel=data"],
    "fsdp": ["parallel=fsdp", EVERYTHING],
    "tensor": ["parallel=tensor"],
    "mesh": ["parallel=mesh", "parallel.axes={data: 2, fsdp: 2, tensor: 1}", EVERYTHING],
    "auto": ["parallel=auto"],
}


MORE = {"streamed": ["data.resident=false"], "kept": ["checkpoint.enabled=true", "checkpoint.monitor=null"]}


def overrides(layout: str) -> list[str]:
    """What selects a layout; `single` is one device of one process."""
    if layout == "single":
        return ["parallel=single"]
    return [*LAYOUTS[layout], "parallel.hosts=auto", "parallel.heartbeat_s=30", "parallel.join_s=120"]
