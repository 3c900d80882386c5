"""Which dimensions of a parameter count the copies of a repeated node, over which the compiled program loops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from framework.config.language import Graph, Node
from framework.network import Network


def stacked_axes(network: Network, paths: Iterable[str]) -> dict[str, int]:
    """Path of a parameter -> how many of its first dimensions count copies; those that have none are left out.

    Those inside of an `ensemble` are not counted: its members are computed together, so that all their parameters are
    used at once.

    A copy that gives another shape than it takes is not stacked but kept under a name of its own, such as `stage_0`.

    Args:
      paths: of the parameters, e.g. `stack.mlp_in.kernel`.
    """
    patterns = []
    for node in _looped(network.graph):
        if node.repeat > 1 and not node.share:
            *outer, last = map(re.escape, node.path.split("."))
            patterns.append(re.compile("".join(rf"{name}(_\d+)?\." for name in outer) + rf"{last}\."))
    counts = {path: sum(pattern.match(path) is not None for pattern in patterns) for path in paths}
    return {path: count for path, count in counts.items() if count}


def _looped(graph: Graph) -> Iterator[Node]:
    """All nodes but those inside of an ensemble."""
    for node in graph.nodes:
        yield node
        body = node.body
        if isinstance(body, Graph) and not (body.wrap is not None and body.wrap.kind == "members"):
            yield from _looped(body)
