"""The order of an example's numbers: Caffe counts channels before space, this framework after it."""

from __future__ import annotations

import math

from framework.inspect.importing.caffe_fields import Fields
from framework.inspect.importing.caffe_layers.layer import Blob, Layer

CAFFE_ORDER = (
    "Caffe lays images out channels first. Where all axes of one are laid out as a vector (or given a new shape), a "
    "`transpose` keeps Caffe's order of the numbers, so that the rows of what follows mean the same."
)


def as_vector(layer: Layer, blob: Blob) -> str:
    """A node that gives all axes of an example as one, in Caffe's order."""
    if len(blob.sizes) == 1:
        return blob.node
    source = blob.node
    if blob.sizes[0] > 1 and math.prod(blob.sizes[1:]) > 1:
        source = reordered(layer, blob, to_caffe=True)
    return layer.add("flatten", source, name=f"{layer.name}_flat")


def reordered(layer: Layer, blob: Blob, *, to_caffe: bool) -> str:
    """A node that puts the channels first (as Caffe has them), or last again."""
    rank = len(blob.sizes)
    axes = [rank, *range(1, rank)] if to_caffe else [*range(2, rank + 1), 1]
    layer.draft.remark(CAFFE_ORDER)
    name = f"{layer.name}_{'channels_first' if to_caffe else 'channels_last'}"
    return layer.add("transpose", blob.node, {"axes": axes}, name=name)


def axis_here(parameters: Fields, word: str, blob: Blob, old: str = "") -> int | None:
    """An axis that the file counts channels first, as this framework counts it; None for the batch."""
    axis = parameters.one(word, 1)
    axis = parameters.one(old, axis) if old else axis
    rank = len(blob.sizes) + 1
    axis = axis + rank if axis < 0 else axis
    if not 1 <= axis < rank:
        parameters.problem(f"{word}: {axis}", "an axis of the example, e.g. 1 for the channels")
        return None
    return -1 if axis == 1 else axis - 1
