"""The layer catalogue: one pydantic class per operation of the network language, by its word. JAX-free."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path

from framework.config.schema.layers.base import LayerSpec

_MODULES = (
    "linear",
    "convolution",
    "pooling",
    "resampling",
    "normalization",
    "dropout",
    "excitation",
    "cropping",
    "affine",
    "photometric",
    "erasing",
    "embedding",
    "attention",
    "gated",
    "moe",
    "recurrent",
    "state_space",
    "sampling",
    "probing",
    "shape",
    "arithmetic",
    "activations",
)
_WORD = re.compile(r'^    op: ClassVar\[str\] = "(\w+)"', re.MULTILINE)


class _Catalogue(Mapping[str, type[LayerSpec]]):
    """Word -> class. A module is imported when one of its words is asked for: classes of pydantic take their time.

    Which module has a word is read from its source; they come in the order in which they are written.
    """

    @cached_property
    def _homes(self) -> dict[str, str]:
        folder = Path(__file__).parent
        return {
            word: module
            for module in _MODULES
            for word in _WORD.findall((folder / f"{module}.py").read_text(encoding="utf-8"))
        }

    @cached_property
    def _found(self) -> dict[str, type[LayerSpec]]:
        return {}

    def __getitem__(self, word: str) -> type[LayerSpec]:
        home = self._homes[word]
        if word not in self._found:
            module = import_module(f"{__name__}.{home}")
            declared = (value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__)
            self._found.update({value.op: value for value in declared if hasattr(value, "op")})
        return self._found[word]

    def __contains__(self, word: object) -> bool:
        return word in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)


LAYERS: Mapping[str, type[LayerSpec]] = _Catalogue()
"""Word of the network language -> schema of its arguments."""

__all__ = ["LAYERS", "LayerSpec"]
