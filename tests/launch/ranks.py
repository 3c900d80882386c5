"""The processes of a job, found by what they were told in their environment."""

from __future__ import annotations

from pathlib import Path


def ranks(**told: str) -> dict[int, int]:
    """Rank -> process id, of the runs whose environment has these variables."""
    found: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told_it = (word.partition("=") for word in (process / "environ").read_text(errors="replace").split("\0"))
            environment = {name: value for name, _, value in told_it}
            words = (process / "cmdline").read_text(errors="replace").split("\0")
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
        if "framework" in words[:3] and told.items() <= environment.items() and "JAX_PROCESS_ID" in environment:
            found[int(environment["JAX_PROCESS_ID"])] = int(process.name)
    return found
