"""The Flax modules of the layer catalogue, found by the word that YAML uses and imported when first asked for.

Each file mirrors the file of the same name in `framework/config/schema/layers`, class for class and field for field.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from framework.config.schema.layers import LAYERS
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed

if TYPE_CHECKING:
    from flax import linen as nn


def module_for(op: str) -> type[nn.Module]:
    """The Flax module of an operation, e.g. `conv`.

    Its attributes are the fields of `LAYERS[op]` and it is called as `module(*inputs, context=context)`.

    Raises:
      ConfigError: no operation is called so; the closest one is suggested.
    """
    if op not in LAYERS:
        raise ConfigError(Problem(op, f"unknown layer '{op}'", listed(LAYERS), fix=closest(op, LAYERS)))
    spec = LAYERS[op]
    module = import_module(f"{__name__}.{spec.__module__.rpartition('.')[2]}")
    return getattr(module, spec.__name__)
