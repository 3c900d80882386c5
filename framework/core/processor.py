"""What the processor of this machine can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_WANTED = ("vendor_id", "cpu family", "model\t", "flags", "Features", "CPU part")


@cache
def processor_features() -> str | None:
    """Kind and instructions of the first processor, a line each; None where the system does not list them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(_WANTED)))
