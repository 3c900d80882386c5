"""The picture of a network from Python; in a notebook it shows itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.inspect.drawing.drawing import Drawing, drawn
from framework.library.experiments import Experiment
from framework.network import Network


def draw(
    what: Experiment | Network, inputs: Any = None, *, depth: int | None = 1, batch_size: int | None = None
) -> Drawing:
    """Draw the network of an experiment, or a network; nothing is computed.

    Args:
      inputs: for a network, what `Network.init` takes: for the one input, or for each by name, something with `.shape`
        and `.dtype`, the batch axis included.
      depth: how many levels of nodes are shown: 1 shows the network's own nodes with blocks folded, None all.
      batch_size: for an experiment, the examples that shapes and operations are told for; None: of one, without the
        batch axis.

    Returns:
      A drawing, with `svg` and `mermaid` as text and `save(path)` for a file ending in .svg, .png or .mmd.

    Raises:
      ConfigError: the network does not fit together, a network comes without inputs, or `depth` is no count.
    """
    if isinstance(what, Experiment):
        return what.draw(depth=depth, batch_size=batch_size)
    names = what.graph.inputs
    if inputs is None:
        fix = "inputs=jax.ShapeDtypeStruct((1, 28, 28, 1), jax.numpy.float32)"
        raise ConfigError(Problem("inputs", "a network alone knows no shapes", "what Network.init takes", fix=fix))
    given = dict(inputs) if isinstance(inputs, Mapping) else {names[0]: inputs}
    return drawn(what, given, name="network", depth=depth, batch=True)
