"""Layers that lay out anew what they read, or read it as a vector: dense, flatten, reshape, concat, slice, split."""

from __future__ import annotations

import math
from itertools import pairwise

from framework.inspect.importing.caffe_layers.fillers import weights_of
from framework.inspect.importing.caffe_layers.layer import Blob, Layer
from framework.inspect.importing.caffe_layers.order import as_vector, axis_here, reordered


def inner_product(layer: Layer) -> list[Blob] | None:
    """InnerProduct: a dense layer over all axes of an example."""
    parameters = layer.fields.message("inner_product_param")
    features, axis = parameters.one("num_output", 0), parameters.one("axis", 1)
    parameters.one("transpose", False)  # how the weights are stored
    weights = weights_of(layer, parameters)
    parameters.refuse_rest()
    if features < 1 or axis != 1:
        parameters.problem(f"num_output: {features}, axis: {axis}", "a positive num_output, and axis: 1")
        return None
    source = as_vector(layer, layer.blobs[0])
    node = layer.weighted("dense", source, {"features": features} | weights, blobs=1 + weights.get("use_bias", True))
    return None if node is None else [Blob(node, (features,))]


def flatten(layer: Layer) -> list[Blob] | None:
    """Flatten: all axes of an example as one."""
    parameters = layer.fields.message("flatten_param")
    ends = (parameters.one("axis", 1), parameters.one("end_axis", -1))
    parameters.refuse_rest()
    (blob,) = layer.blobs
    if ends[0] != 1 or ends[1] not in (-1, len(blob.sizes)):
        parameters.problem(f"axis: {ends[0]}, end_axis: {ends[1]}", "all axes after the batch: axis: 1, end_axis: -1")
        return None
    return [Blob(as_vector(layer, blob), (math.prod(blob.sizes),))]


def reshape(layer: Layer) -> list[Blob] | None:
    """Reshape: other sizes for as many numbers, in Caffe's order."""
    parameters = layer.fields.message("reshape_param")
    shape = parameters.message("shape")
    sizes = [int(size) for size in shape.many("dim")]
    axis, count = parameters.one("axis", 0), parameters.one("num_axes", -1)
    shape.refuse_rest()
    parameters.refuse_rest()
    (blob,) = layer.blobs
    if axis == 1 and count == -1:
        sizes = [0, *sizes]
    elif axis != 0 or count != -1:
        parameters.problem(f"axis: {axis}, num_axes: {count}", "axis: 0 or 1, and num_axes: -1")
        return None
    full = [0, *blob.sizes]
    copied = all(place < len(full) for place, size in enumerate(sizes) if size == 0)
    sizes = [full[place] if size == 0 and place < len(full) else size for place, size in enumerate(sizes)]
    total, rest = math.prod(blob.sizes), math.prod(size for size in sizes[1:] if size != -1)
    if not copied or len(sizes) < 2 or sizes[0] not in (0, -1) or sizes.count(-1) > 1 or (rest and total % rest):
        parameters.problem(
            f"dim: {sizes} of a blob {list(blob.sizes)}",
            "the batch as it is (dim: 0), then sizes with as many elements, of which one may be -1",
        )
        return None
    result = tuple(total // rest if size == -1 else size for size in sizes[1:])
    if math.prod(result) != total:
        parameters.problem(f"{list(result)} out of {list(blob.sizes)}", "as many elements")
        return None
    source = reordered(layer, blob, to_caffe=True) if len(blob.sizes) > 1 else blob.node
    node = layer.add("reshape", source, {"shape": list(result)})
    if len(result) > 1:
        node = reordered(layer, Blob(node, result), to_caffe=False)
    return [Blob(node, result)]


def concat(layer: Layer) -> list[Blob] | None:
    """Concat: blobs one after another along an axis."""
    parameters = layer.fields.message("concat_param")
    axis = axis_here(parameters, "axis", layer.blobs[0], "concat_dim")
    parameters.refuse_rest()
    if axis is None:
        return None
    place = 0 if axis == -1 else axis
    shapes = [list(blob.sizes) for blob in layer.blobs]
    if len({tuple(shape[:place] + shape[place + 1 :]) for shape in shapes}) != 1:
        layer.fields.problem(f"blobs {shapes}", "blobs that differ along one axis alone")
        return None
    result = [*shapes[0][:place], sum(shape[place] for shape in shapes), *shapes[0][place + 1 :]]
    node = layer.add("concat", [blob.node for blob in layer.blobs], {} if axis == -1 else {"axis": axis})
    return [Blob(node, tuple(result))]


def slice_blob(layer: Layer) -> list[Blob] | None:
    """Slice: a blob cut along an axis, a part for each top."""
    parameters = layer.fields.message("slice_param")
    (blob,) = layer.blobs
    axis = axis_here(parameters, "axis", blob, "slice_dim")
    points = [int(point) for point in parameters.many("slice_point")]
    parameters.refuse_rest()
    if axis is None:
        return None
    place = 0 if axis == -1 else axis
    size, count = blob.sizes[place], len(layer.tops)
    ends = [0, *points, size] if points else [size * part // count for part in range(count + 1)]
    sizes = [end - start for start, end in pairwise(ends)]
    if len(sizes) != count or min(sizes) < 1 or (not points and size % count):
        parameters.problem(f"{count} tops, slice_point {points} of {size}", "one part for each top")
        return None
    node = layer.add("split", blob.node, {"sizes": sizes} | ({} if axis == -1 else {"axis": axis}))
    return [
        Blob(f"{node}.{part}", (*blob.sizes[:place], length, *blob.sizes[place + 1 :]))
        for part, length in enumerate(sizes)
    ]


def split(layer: Layer) -> list[Blob] | None:
    """Split: the same blob for each top."""
    return [layer.blobs[0] for _ in layer.tops]
