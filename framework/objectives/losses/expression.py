"""A loss that a recipe writes out as a formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax

from framework.objectives.shapes import for_each_example


def expr(inputs: Mapping[str, jax.Array], *, expression: Callable[[Mapping[str, jax.Array]], jax.Array]) -> jax.Array:
    """The value of an array expression for each example, [batch, ...].

    Args:
      inputs: arrays by the names that the expression reads, each [batch, ...].
      expression: computes it; whoever wires the loss has read and vetted its text.

    Raises:
      ValueError: the value has not one entry or more for each example.
    """
    return for_each_example(expression(inputs), inputs)
