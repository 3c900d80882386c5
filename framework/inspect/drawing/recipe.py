"""The drawing of a recipe's network, from its composed declaration."""

from __future__ import annotations

from framework.config.compose.loaded import Loaded
from framework.inspect.drawing.drawing import Drawing, drawn
from framework.train.setup import Setup, located


def drawing_of(loaded: Loaded, *, depth: int | None = 1, batch_size: int | None = None) -> Drawing:
    """Draw the network of a recipe; no data is read and nothing is compiled.

    Args:
      depth: how many levels of nodes are shown; None: all.
      batch_size: examples that shapes and operations are told for; None: of one, without the batch axis.

    Raises:
      ConfigError: the network does not fit together, or there is too much to draw.
    """
    return drawing_of_setup(Setup(loaded), depth=depth, batch_size=batch_size)


def drawing_of_setup(setup: Setup, *, depth: int | None = 1, batch_size: int | None = None) -> Drawing:
    """The same for a recipe that is set up."""
    experiment = setup.abstract
    inputs = experiment.example_inputs(batch_size or 1)
    network = experiment.network
    named = inputs if network.wiring else dict(zip(network.graph.inputs, inputs.values(), strict=True))
    with located(setup.loaded):
        return drawn(network, named, name=setup.config.name, depth=depth, batch=batch_size is not None)
