"""The process that XLA runs in: its memory allocator and its cache of compiled programs."""

from __future__ import annotations

from framework.runtime.allocator import keep_memory


def prepare(name: str, *, lean: bool = False) -> None:
    """Ready this process for the programs of a recipe; call it before JAX computes anything.

    Args:
      name: of the recipe; programs that were compiled under it are found again.
      lean: whether memory counts more than speed, as by `trainer.memory=lean`.

    Raises:
      ConfigError: see `keep_memory`.
    """
    keep_memory(lean=lean)
    from framework.runtime.programs import programs
    from framework.runtime.trimming import trim_after_compiling

    trim_after_compiling(lean=lean)
    known = programs()
    if known is not None:
        known.use(name)
