"""What sort of thing a node is, and the colours of each sort."""

from __future__ import annotations

from dataclasses import dataclass

from framework.config.language.graph import Node
from framework.config.schema.layers import LAYERS


@dataclass(frozen=True)
class Kind:
    """A sort of node: its word in the legend, and the colours of its boxes."""

    title: str
    fill: str
    line: str


KINDS: dict[str, Kind] = {
    "block": Kind("block, folded", "#e9edf4", "#56657d"),
    "convolution": Kind("convolution", "#d9e8f9", "#3572b0"),
    "dense": Kind("dense", "#dcf0d8", "#438a43"),
    "attention": Kind("attention", "#fde2cc", "#c26a24"),
    "recurrent": Kind("recurrent", "#f8d9e5", "#b04276"),
    "embedding": Kind("embedding", "#eae0f7", "#7751ab"),
    "norm": Kind("norm", "#fcf1c2", "#a98a22"),
    "activation": Kind("activation", "#fbdad8", "#bb4b49"),
    "pool": Kind("pool, resize", "#d3efec", "#2a8780"),
    "merge": Kind("merge", "#e2e2e2", "#4d4d4d"),
    "noise": Kind("dropout, noise", "#f3e9dd", "#977a57"),
    "shape": Kind("shape", "#f4f4f4", "#8c8c8c"),
    "other": Kind("formula, module", "#ffffff", "#6d6d6d"),
    "end": Kind("input, output", "#ffffff", "#222222"),
}
"""In the order of the legend."""

_ROOMS = {
    "linear": "dense",
    "gated": "dense",
    "moe": "dense",
    "convolution": "convolution",
    "pooling": "pool",
    "resampling": "pool",
    "normalization": "norm",
    "dropout": "noise",
    "sampling": "noise",
    "excitation": "attention",
    "attention": "attention",
    "embedding": "embedding",
    "recurrent": "recurrent",
    "state_space": "recurrent",
    "arithmetic": "merge",
    "activations": "activation",
    "shape": "shape",
    "probing": "shape",
}
"""The file of a layer's schema -> its kind."""

_EXCEPTIONS = {
    "concat": "merge",
    "stack": "merge",
    "identity": "shape",
    "stop_gradient": "shape",
    "cast": "shape",
    "pad": "shape",
    "crop": "shape",
}


def kind_of(node: Node, merges: bool = False) -> str:
    """The kind of a node that holds no graph.

    Args:
      merges: it is what a combinator makes several branches one with.
    """
    if merges:
        return "merge"
    if node.op not in LAYERS:
        return "other"
    return _EXCEPTIONS.get(node.op) or _ROOMS.get(LAYERS[node.op].__module__.rpartition(".")[2], "other")
