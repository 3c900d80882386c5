"""Keeps programs for several CPU devices out of JAX's persistent compilation cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax.experimental.compilation_cache.compilation_cache import reset_cache


def compile_afresh(devices: Sequence[Any]) -> None:
    """Turn the compilation cache of this process off where its programs would exchange data between CPU devices.

    A program that XLA's CPU compiler has just made runs its collectives in one order on every device. Read back from
    the cache (jaxlib 0.10.2), it does not: it waits forever, or gives wrong numbers. Elsewhere nothing is done.
    """
    config: Any = jax.config
    if len(devices) > 1 and devices[0].platform == "cpu" and config.jax_enable_compilation_cache:
        config.update("jax_enable_compilation_cache", False)
        reset_cache()
