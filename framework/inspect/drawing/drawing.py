"""A drawing of a network in every form: SVG, PNG and Mermaid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.inspect.drawing.diagram import Diagram
from framework.inspect.drawing.files import require_writable, write
from framework.inspect.drawing.layout import Picture, picture
from framework.inspect.drawing.opening import Opening
from framework.inspect.drawing.wording import short_count
from framework.network import Network
from framework.network.graph.table import NodeRow

MOST_BOXES = 1500
"""A bound on what is drawn: more could not be read, and would take minutes."""


@dataclass(frozen=True)
class Drawing:
    """A network, drawn; it shows itself in a notebook.

    Attributes:
      diagram: what is shown.
    """

    diagram: Diagram

    @cached_property
    def picture(self) -> Picture:
        """Where everything stands, in pixels."""
        return picture(self.diagram)

    @property
    def counts(self) -> tuple[int, int]:
        """How many nodes are boxes of their own, and how many of those are folded blocks."""
        boxes = [item for item in self.diagram.level.walk() if not item.end and item.inside is None]
        return len(boxes), sum(item.folded for item in boxes)

    @property
    def svg(self) -> str:
        """The text of an SVG file."""
        from framework.inspect.drawing.svg import svg

        return svg(self.picture)

    @property
    def mermaid(self) -> str:
        """The text of a Mermaid flowchart."""
        from framework.inspect.drawing.mermaid import mermaid

        return mermaid(self.diagram)

    def save(self, path: str | Path, *, key: str = "path") -> None:
        """Write a file; its ending says what: .svg, .png or .mmd.

        Args:
          key: what errors call the path.

        Raises:
          ConfigError: the ending is another, matplotlib is missing for a PNG, or the file cannot be written.
        """
        place = Path(path)
        require_writable(place, key)
        if place.suffix.lower() == ".png":
            from framework.inspect.drawing.png import png

            write(place, png(self.picture), key)
        else:
            text = self.svg if place.suffix.lower() == ".svg" else self.mermaid
            write(place, text.encode("utf-8"), key)

    def _repr_svg_(self) -> str:
        return self.svg


def drawn(
    network: Network,
    inputs: Mapping[str, Any],
    *,
    name: str,
    depth: int | None = 1,
    batch: bool = False,
) -> Drawing:
    """Draw a network; its shapes are told abstractly.

    Args:
      inputs: name -> shape and dtype, the batch axis included.
      name: what stands above it.
      depth: how many levels of nodes are shown: 1 shows the network's own nodes with blocks folded, None all.
      batch: whether shapes are told with the batch axis.

    Raises:
      ConfigError: a shape does not fit, `depth` is no count, or there is too much to draw.
    """
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 1):
        raise ConfigError(Problem("depth", f"unknown value {depth!r}", "a positive integer, or None", fix="depth=1"))
    count = sum(depth is None or node.path.count(".") < depth for node in network.graph.walk())
    if count > MOST_BOXES:
        told, most = f"{count:,} nodes are to be shown", f"at most {MOST_BOXES:,}"
        raise ConfigError(Problem("depth", told, most, fix="--depth 1, or depth=1 from Python"))
    found = network.check(inputs)
    rows: dict[str, list[NodeRow]] = defaultdict(list)
    for row in found:
        rows[row.path].append(row)
    level = Opening(rows, depth, batch).network(network.graph, inputs)
    top = [row for row in found if row.depth == 0]
    parameters, flops = sum(row.parameters for row in top), sum(row.flops for row in top)
    size = next(iter(inputs.values())).shape[0]
    examples = f"a batch of {size:,}" if batch else "one example"
    remark = f"{parameters:,} parameters, {short_count(flops, gap=' ')}FLOPs for {examples}"
    return Drawing(Diagram(name, remark, level))
