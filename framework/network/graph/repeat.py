"""`repeat: N`: copies of a node that follow each other, each with its own weights.

Where a copy gives what it takes, the copies are one `scan` over weights stacked on axis 0, so that compile time does
not grow with their number. Where it does not (the first of several dense layers widens its input), they are unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from flax import linen as nn

from framework.config.language.graph import Node
from framework.network.abstract import numbers_matter


def scanned(
    node: Node,
    module: nn.Module,
    inputs: tuple[Any, ...],
    body: Callable[..., Any],
    weights: Callable[[Any], Any] | None = None,
) -> Any:
    """`node.repeat` copies as one scan.

    Every collection gets a leading axis that counts the copies, and every copy draws its own random numbers. The first
    input is handed from copy to copy; the others are the same for all.

    Args:
      weights: one copy's parameters -> the same as its layers use them; None: as they are.
    """
    if weights is not None:
        body = nn.map_variables(body, "params", trans_in_fn=_within_params(weights))

    # Inside a scan XLA cannot merge the recomputation with the first computation, so it need not be prevented. Copies
    # laid out in a row it would merge, so a rematerialised stack never is.
    applied = nn.remat(body, prevent_cse=False) if node.remat else body

    def step(module: nn.Module, carry: Any, *rest: Any) -> tuple[Any, None]:
        return applied(module, carry, *rest), None

    stacked = nn.scan(
        step,
        variable_axes={True: 0},  # pyright: ignore[reportArgumentType]
        split_rngs={True: True},  # pyright: ignore[reportArgumentType]
        in_axes=tuple(nn.broadcast for _ in inputs[1:]),  # pyright: ignore[reportArgumentType]
        length=node.repeat,
        unroll=1 if node.remat else _unrolled(node.repeat),
        # It traces the body a second time, to see to what is handed out of the loop besides: here nothing. Yet Flax
        # counts draws while it traces, so that every draw depends on it.
        check_constancy_invariants=module.has_rng("params") and numbers_matter(),
    )
    value, _ = stacked(module, *inputs)
    return value


def _within_params(weights: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda variables: {name: weights(tree) for name, tree in variables.items()}


def _unrolled(copies: int) -> int:
    """How many copies one turn of the loop holds.

    On the CPU, XLA computes a loop's body a quarter slower than the same operations in a row, so a few copies are laid
    out in a row; from nine on, compile time counts for more.
    """
    return copies if copies <= 8 and jax.default_backend() == "cpu" else 1
