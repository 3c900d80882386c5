"""`repeat: N`: copies of a node that follow each other, each with its own weights.

Where a copy gives what it takes, the copies are one `scan` over weights stacked on axis 0, so that compile time does
not grow with their number. Where it does not (the first of several dense layers widens its input), they are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flax import linen as nn

from framework.config.language.graph import Node


def scanned(node: Node, module: nn.Module, inputs: tuple[Any, ...], body: Callable[..., Any]) -> Any:
    """`node.repeat` copies as one scan.

    Every collection gets a leading axis that counts the copies, and every copy draws its own random numbers. The first
    input is handed from copy to copy; the others are the same for all.
    """

    # Inside a scan XLA cannot merge the recomputation with the first computation, so it need not be prevented.
    applied = nn.remat(body, prevent_cse=False) if node.remat else body

    def step(module: nn.Module, carry: Any, *rest: Any) -> tuple[Any, None]:
        return applied(module, carry, *rest), None

    stacked = nn.scan(
        step,
        variable_axes={True: 0},  # pyright: ignore[reportArgumentType]
        split_rngs={True: True},  # pyright: ignore[reportArgumentType]
        in_axes=tuple(nn.broadcast for _ in inputs[1:]),  # pyright: ignore[reportArgumentType]
        length=node.repeat,
    )
    value, _ = stacked(module, *inputs)
    return value
