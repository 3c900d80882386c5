"""How much XLA does to make a program fast, against the time that it takes to compile."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Literal

Effort = Literal["fast", "balanced", "max"]

_OPTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "cpu": {
        # Without LLVM's optimisations, and by the older and quicker way to put operations together.
        "fast": {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False},
        # In one piece instead of in parts that are compiled side by side, so that all of it is seen together. The other
        # two are XLA's defaults, which its environment variable may have changed.
        "max": {
            "xla_cpu_parallel_codegen_split_count": 1,
            "xla_backend_optimization_level": 3,
            "xla_cpu_use_fusion_emitters": True,
        },
    },
    "gpu": {
        # Kernels are chosen by a rule instead of by trying them.
        "fast": {"xla_gpu_autotune_level": 0},
        "max": {"xla_gpu_exhaustive_tiling_search": True},
    },
}


def compiler_options(effort: Effort, platform: str) -> dict[str, Any]:
    """The options of `jax.jit` for a platform such as `cpu` or `gpu`; `balanced` is what XLA does by itself.

    On two cores, `fast` compiled a perceptron, a convolutional network and a transformer in a fifth of the processor
    time (0.17, 0.56 and 0.93 instead of 1.10, 3.67 and 4.38 s), and a step then took 3.6, 8.4 and 2.4 times as long.
    """
    options = dict(_OPTIONS.get(platform, {}).get(effort, {}))
    if not _has_older_fusion():
        options.pop("xla_cpu_use_fusion_emitters", None)
    return options


def _has_older_fusion() -> bool:
    """Whether jaxlib can still compile for the CPU without fusion emitters; from 0.11 on it fails."""
    major, minor = version("jaxlib").split(".")[:2]
    return (int(major), int(minor)) < (0, 11)
