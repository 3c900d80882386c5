"""Which devices each process of one machine gets: virtual ones of the CPU, or its share of the GPUs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from framework.core.errors import ConfigError, Problem

COUNT_FLAG = "--xla_force_host_platform_device_count"


def variables(
    processes: int, devices_per_process: int | None, environment: Mapping[str, str] = os.environ
) -> Callable[[int], dict[str, str]]:
    """Rank -> the environment variables that give it its devices.

    Raises:
      ConfigError: there are not enough GPUs for all processes.
    """
    gpus = visible_gpus(environment)
    if not gpus:
        flags = _with_count(environment.get("XLA_FLAGS", ""), devices_per_process)
        return lambda rank: {"XLA_FLAGS": flags} if flags else {}
    if processes == 1 and devices_per_process is None:
        return lambda rank: {}
    each = devices_per_process or len(gpus) // processes
    if each == 0 or processes * each > len(gpus):
        raise ConfigError(_too_few(processes, devices_per_process, len(gpus)))
    return lambda rank: {"CUDA_VISIBLE_DEVICES": ",".join(gpus[rank * each : (rank + 1) * each])}


def devices_of_each(
    processes: int, devices_per_process: int | None, environment: Mapping[str, str] = os.environ
) -> int:
    """How many devices each process will see."""
    if devices_per_process is not None:
        return devices_per_process
    flag = re.search(rf"{COUNT_FLAG}=(\d+)", environment.get("XLA_FLAGS", ""))
    gpus = visible_gpus(environment)
    return max(1, len(gpus) // processes) if gpus else int(flag[1]) if flag else 1


def visible_gpus(environment: Mapping[str, str] = os.environ, folder: Path = Path("/dev")) -> list[str]:
    """Names of the NVIDIA GPUs that processes may use, for CUDA_VISIBLE_DEVICES; none where JAX is told the CPU."""
    platforms = environment.get("JAX_PLATFORMS", "")
    if platforms and not {"cuda", "gpu"} & set(platforms.split(",")):
        return []
    if "CUDA_VISIBLE_DEVICES" in environment:
        return [name for name in environment["CUDA_VISIBLE_DEVICES"].split(",") if name]
    numbers = sorted(int(path.name[6:]) for path in folder.glob("nvidia[0-9]*") if path.name[6:].isdigit())
    return [str(number) for number in numbers]


def _with_count(flags: str, count: int | None) -> str:
    if count is None:
        return flags
    others = [flag for flag in flags.split() if not flag.startswith(COUNT_FLAG)]
    return " ".join([*others, f"{COUNT_FLAG}={count}"])


def _too_few(processes: int, each: int | None, gpus: int) -> Problem:
    asked = f"{processes} processes with {each} GPUs each" if each else f"{processes} processes"
    return Problem(
        "--local",
        f"{asked}, but {gpus} GPU{'s are' if gpus > 1 else ' is'} visible",
        expected="at least one GPU for each process" if not each else f"at most {gpus} GPUs in all",
        fix=f"--local {max(1, gpus // (each or 1))}, or JAX_PLATFORMS=cpu for a trial on the CPU",
    )
