"""Networks that work, but hardly as they were meant."""

from __future__ import annotations

from broken_network import Broken

SUSPICIOUS = [
    Broken(
        "node that nothing reads",
        """
      layers:
        flat: flatten
        side: {dense: {features: 8}}  # <- told
        logits: {dense: {features: 10}, from: flat}
        """,
        key="network.layers.side",
        found="nothing reads the output of 'side'; name it in a `from`, or take it out: ~network.layers.side",
    ),
    Broken(
        "block that nothing uses",
        """
      layers:
        flat: flatten
        logits: {dense: {features: 10}}
      blocks:
        spare: {layers: {act: relu}}  # <- told
        """,
        key="network.blocks.spare",
        found="no node uses this block",
    ),
    Broken(
        "sum of one",
        """
      layers:
        flat: flatten
        fc: {dense: {features: 64}}
        sum: add  # <- told
        logits: {dense: {features: 10}}
        """,
        key="network.layers.sum",
        found=(
            "'add' combines several inputs, but reads only the node before; name them: "
            "+network.layers.sum.from=[fc, ...]"
        ),
    ),
]
