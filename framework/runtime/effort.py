"""How much XLA does to make a program fast, against the time that it takes to compile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Effort = Literal["fast", "balanced", "max"]

_OPTIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "cpu": {
        # Without LLVM's optimisations.
        "fast": {"xla_backend_optimization_level": 0},
        # In one piece instead of in parts that are compiled side by side, so that all of it is seen together.
        "max": {"xla_cpu_parallel_codegen_split_count": 1},
    },
    "gpu": {
        # Kernels are chosen by a rule instead of by trying them.
        "fast": {"xla_gpu_autotune_level": 0},
        "max": {"xla_gpu_exhaustive_tiling_search": True},
    },
}


def compiler_options(effort: Effort, platform: str) -> dict[str, Any]:
    """The options of `jax.jit` for a platform such as `cpu` or `gpu`; `balanced` is what XLA does by itself."""
    return dict(_OPTIONS.get(platform, {}).get(effort, {}))
