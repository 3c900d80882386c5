"""Caffe's layers, one function each: what they compute, in this framework's operations.

Each takes a `Layer` and gives a blob for each top, or None where something cannot be kept, which it has told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from framework.inspect.importing.caffe_fields import Fields
from framework.inspect.importing.draft import Draft, Shape

CAFFE_ORDER = (
    "Caffe lays images out channels first. Where all axes of one are laid out as a vector (or given a new shape), a "
    "`transpose` keeps Caffe's order of the numbers, so that the rows of what follows mean the same."
)


@dataclass(frozen=True)
class Blob:
    """What a layer gives.

    Attributes:
      node: the node that computes it; empty for an input of the file until something reads it.
      shape: of one example in Caffe's order, channels first; None where it is not known.
      given: the name of the input that it is.
      broken: something is wrong with the layer that gives it, which is told already.
    """

    node: str
    shape: tuple[int, ...] | None
    given: str = ""
    broken: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape, where it is known to be."""
        assert self.shape is not None
        return self.shape

    def channels_last(self) -> Shape:
        """The shape of one example as this framework has it."""
        return (*self.sizes[1:], self.sizes[0]) if len(self.sizes) > 1 else self.sizes


@dataclass
class Layer:
    """A layer while it is converted.

    Attributes:
      shared: names of weights -> the node that has them, its operation and arguments; one for the whole file.
      affine: the Scale that belongs to a BatchNorm.
      multiplied: its learning rates are not all 1.
    """

    name: str
    kind: str
    bottoms: list[str]
    tops: list[str]
    fields: Fields
    draft: Draft
    shared: dict[tuple[str, ...], tuple[str, str, Any]]
    blobs: list[Blob] = field(default_factory=list)
    affine: Layer | None = None
    multiplied: bool = False

    def add(self, op: str, source: Any, arguments: Any = None, *, name: str | None = None, **words: Any) -> str:
        """Put a node into the network; gives its name."""
        return self.draft.add(name or self.name, op, source, arguments, **words)

    def one(self, op: str, arguments: dict[str, Any] | None = None) -> list[Blob]:
        """A node that keeps the shape of the one bottom."""
        (blob,) = self.blobs
        return [Blob(self.add(op, blob.node, arguments), blob.shape)]

    def weighted(self, op: str, source: str, arguments: dict[str, Any], *, blobs: int) -> str | None:
        """A node with weights, of which `blobs` is the number; `param` entries may share or freeze them."""
        names, rates = _of_weights(self)
        owner = None
        if any(names):
            key = tuple(names)
            for other, (node, kind, same) in self.shared.items():
                if other == key and (kind, same) == (op, arguments):
                    owner = node
                elif set(filter(None, other)) & set(filter(None, key)):
                    self.fields.problem(
                        f"shares some of its weights ({', '.join(filter(None, names))}) with '{node}'",
                        "all of them, in a layer of the same type and parameters",
                    )
                    return None
        frozen = len(rates) >= blobs and not any(rate for rate, _ in rates)
        if not frozen and any(pair != (1.0, 1.0) for pair in rates):
            self.multiplied = True
        if owner is not None:
            return self.add(op, source, {}, share=owner)
        node = self.add(op, source, arguments, freeze=frozen)
        if any(names):
            self.shared[tuple(names)] = (node, op, arguments)
        return node


def _of_weights(layer: Layer) -> tuple[list[str], list[tuple[float, float]]]:
    """The names of a layer's weights, and (lr_mult, decay_mult) of each, in either way to write them."""
    entries = layer.fields.submessages("param")
    names = [str(entry.one("name", "")) for entry in entries]
    rates = [(entry.one("lr_mult", 1.0), entry.one("decay_mult", 1.0)) for entry in entries]
    for entry in entries:
        entry.one("share_mode", "STRICT")
        entry.refuse_rest()
    if not entries and layer.fields.has("param"):
        names = [str(name) for name in layer.fields.many("param")]
    old = [float(rate) for rate in layer.fields.many("blobs_lr")]
    decays = [float(rate) for rate in layer.fields.many("weight_decay")]
    if old or decays:
        count = max(len(old), len(decays))
        old, decays = old + [1.0] * (count - len(old)), decays + [1.0] * (count - len(decays))
        rates = list(zip(old, decays, strict=True))
    return names, rates


def _initial(parameters: Fields, word: str) -> Any:
    """The initialiser that a filler names; None where it names none."""
    filler = parameters.message_or_none(word)
    if filler is None:
        return None
    kind = filler.one("type", "constant")
    value, low, high = filler.one("value", 0.0), filler.one("min", 0.0), filler.one("max", 1.0)
    mean, spread, sparse = filler.one("mean", 0.0), filler.one("std", 1.0), filler.one("sparse", -1)
    fan = {"FAN_IN": "fan_in", "FAN_OUT": "fan_out", "AVERAGE": "fan_avg"}.get(filler.one("variance_norm", "FAN_IN"))
    filler.refuse_rest()
    if fan is not None and sparse == -1:
        if kind == "constant":
            return {"constant": {"value": value}} if value else "zeros"
        if kind == "uniform":
            return {"uniform": {"low": low, "high": high}}
        if kind == "gaussian":
            return {"normal": {"stddev": spread} | ({"mean": mean} if mean else {})}
        if kind == "xavier":
            if fan == "fan_in":
                return "lecun_uniform"  # Caffe's xavier counts inputs alone, where others take the mean with outputs
            return {"variance_scaling": {"scale": 1.0, "mode": fan, "distribution": "uniform"}}
        if kind == "msra":
            return {"variance_scaling": {"scale": 2.0, "mode": fan, "distribution": "normal"}}
    filler.problem(
        f"the filler '{kind}'" + (f" with sparse {sparse}" if sparse != -1 else "") + " cannot be imported",
        "constant, uniform, gaussian, xavier or msra",
        f"leave the {word} out",
    )
    return None


def _weights(layer: Layer, parameters: Fields) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    bias = parameters.one("bias_term", True)
    kernel = _initial(parameters, "weight_filler")
    first = _initial(parameters, "bias_filler")
    if kernel is not None:
        arguments["kernel_init"] = kernel
    else:
        layer.draft.remark("Kernels without a weight_filler start as `lecun_normal` here; in Caffe they start at 0.")
    if not bias:
        arguments["use_bias"] = False
    elif first not in (None, "zeros"):
        arguments["bias_init"] = first
    return arguments


def _spatial(parameters: Fields, word: str, axes: int, default: int | None, short: str = "") -> tuple[int, ...] | None:
    """A size for each space axis: `word` once or for each, or `short_h` and `short_w`."""
    values = [value for value in parameters.many(word) if isinstance(value, int) and not isinstance(value, bool)]
    short = short or word
    pair = [parameters.one(f"{short}_{axis}", -1) for axis in "hw"]
    if max(pair) >= 0:
        if axes != 2 or min(pair) < 0 or values:
            parameters.problem(f"{short}_h and {short}_w", f"both, for two space axes, and no {word}")
            return None
        return tuple(pair)
    if not values and default is None:
        parameters.problem(f"no {word}", f"{word}: 3, or {short}_h and {short}_w")
        return None
    values = values or [default or 0]
    if len(values) not in (1, axes):
        parameters.problem(f"{len(values)} values of {word}", f"1, or one for each of {axes} space axes")
        return None
    return tuple(values * axes if len(values) == 1 else values)


def _short(sizes: tuple[int, ...]) -> int | list[int]:
    return sizes[0] if len(set(sizes)) == 1 else list(sizes)


def _space(layer: Layer) -> tuple[int, ...] | None:
    sizes = layer.blobs[0].sizes
    if not 2 <= len(sizes) <= 4:
        layer.fields.problem(f"a blob of shape {list(sizes)}", "channels and 1 to 3 space axes")
        return None
    return sizes[1:]


def _convolution(layer: Layer, *, transposed: bool = False) -> list[Blob] | None:
    parameters, space = layer.fields.message("convolution_param"), _space(layer)
    if space is None:
        return None
    axes = len(space)
    features = parameters.one("num_output", 0)
    kernel = _spatial(parameters, "kernel_size", axes, None, "kernel")
    strides = _spatial(parameters, "stride", axes, 1)
    pad = _spatial(parameters, "pad", axes, 0)
    dilation = tuple(int(value) for value in parameters.many("dilation")) or (1,)
    dilation = dilation * axes if len(dilation) == 1 else dilation
    groups = parameters.one("group", 1)
    weights = _weights(layer, parameters)
    engine, axis = parameters.one("engine", "DEFAULT"), parameters.one("axis", 1)
    parameters.one("force_nd_im2col", False)
    parameters.refuse_rest()
    if features < 1:
        parameters.problem("no num_output", "num_output: 64")
    if axis != 1:
        parameters.problem(f"axis: {axis}", "axis: 1, the channels", line=parameters.line("axis"))
    if transposed and groups != 1:
        parameters.problem(
            f"group: {groups}", "group: 1; a transposed convolution has no groups here", line=parameters.line("group")
        )
    if None in (kernel, strides, pad) or features < 1 or axis != 1 or (transposed and groups != 1):
        return None
    assert kernel is not None and strides is not None and pad is not None and engine
    if len(dilation) != axes:
        parameters.problem(f"{len(dilation)} values of dilation", f"1, or one for each of {axes} space axes")
        return None
    reach = tuple(step * (size - 1) + 1 for size, step in zip(kernel, dilation, strict=True))
    if transposed:
        sizes = tuple(
            (size - 1) * step + far - 2 * edge for size, step, far, edge in zip(space, strides, reach, pad, strict=True)
        )
    else:
        sizes = tuple(
            (size + 2 * edge - far) // step + 1
            for size, step, far, edge in zip(space, strides, reach, pad, strict=True)
        )
    if min(sizes) < 1:
        layer.fields.problem(f"a kernel that reaches {list(reach)} over {list(space)}", "a kernel inside of its input")
        return None
    arguments: dict[str, Any] = {"features": features, "kernel": _short(kernel)}
    if set(strides) != {1}:
        arguments["strides"] = _short(strides)
    if set(dilation) != {1}:
        arguments["dilation"] = _short(dilation)
    if groups != 1:
        arguments["groups"] = groups
    arguments["padding"] = _short(pad) if any(pad) or transposed else "valid"
    node = layer.weighted(
        "transposed_conv" if transposed else "conv",
        layer.blobs[0].node,
        arguments | weights,
        blobs=1 + (weights.get("use_bias", True)),
    )
    return None if node is None else [Blob(node, (features, *sizes))]


def _deconvolution(layer: Layer) -> list[Blob] | None:
    return _convolution(layer, transposed=True)


def _pooling(layer: Layer) -> list[Blob] | None:
    parameters, space = layer.fields.message("pooling_param"), _space(layer)
    how = parameters.one("pool", "MAX")
    everywhere = parameters.one("global_pooling", False)
    rounding = parameters.one("round_mode", "CEIL")
    parameters.one("engine", "DEFAULT")
    axes = len(space or ())
    sizes = _spatial(parameters, "kernel_size", axes, 0 if everywhere else None, "kernel")
    strides, pad = _spatial(parameters, "stride", axes, 1), _spatial(parameters, "pad", axes, 0)
    parameters.refuse_rest()
    if how not in ("MAX", "AVE") or rounding not in ("CEIL", "FLOOR"):
        parameters.problem(f"pool: {how}, round_mode: {rounding}", "MAX or AVE, CEIL or FLOOR")
        return None
    if space is None or sizes is None or strides is None or pad is None:
        return None
    blob, kind = layer.blobs[0], "max" if how == "MAX" else "avg"
    if everywhere:
        node = layer.add(f"global_{kind}_pool", blob.node, {"keep_dims": True})
        return [Blob(node, (blob.sizes[0], *(1,) * axes))]
    results, padding = [], []
    for size, window, step, edge in zip(space, sizes, strides, pad, strict=True):
        over = (size + 2 * edge - window) / step
        count = (math.ceil(over) if rounding == "CEIL" else math.floor(over)) + 1
        if any(pad) and (count - 1) * step >= size + edge:
            count -= 1  # Caffe drops a last window that would begin in the padding
        after = max((count - 1) * step + window - size - edge, 0)
        if count < 1 or after >= window or edge >= window:
            layer.fields.problem(
                f"windows of {window} every {step} over {size} with a padding of {edge}: one lies in the padding alone",
                "windows that see something of their input",
                "another stride or kernel_size",
            )
            return None
        results.append(count)
        padding.append((edge, after))
    arguments: dict[str, Any] = {"window": _short(sizes), "strides": _short(strides)}
    if any(before or after for before, after in padding):
        even = {side for pair in padding for side in pair}
        arguments["padding"] = even.pop() if len(even) == 1 else [list(pair) for pair in padding]
    if kind == "avg" and any(pad):
        # Caffe divides by the padding of the file too, but not by what lies beyond it.
        if any(after > edge for (_, after), edge in zip(padding, pad, strict=True)):
            layer.fields.problem(
                f"means of windows that reach beyond a padding of {_short(pad)}, as Caffe rounds up",
                "round_mode: FLOOR, or no padding: windows at one end would be divided by another number than Caffe's",
            )
            return None
        arguments["count_padding"] = True
    return [Blob(layer.add(f"{kind}_pool", blob.node, arguments), (blob.sizes[0], *results))]


def _as_vector(layer: Layer, blob: Blob) -> str:
    """A node that gives all axes of an example as one, in Caffe's order."""
    if len(blob.sizes) == 1:
        return blob.node
    source = blob.node
    if blob.sizes[0] > 1 and math.prod(blob.sizes[1:]) > 1:
        source = _reordered(layer, blob, to_caffe=True)
    return layer.add("flatten", source, name=f"{layer.name}_flat")


def _reordered(layer: Layer, blob: Blob, *, to_caffe: bool) -> str:
    """A node that puts the channels first (as Caffe has them), or last again."""
    rank = len(blob.sizes)
    axes = [rank, *range(1, rank)] if to_caffe else [*range(2, rank + 1), 1]
    layer.draft.remark(CAFFE_ORDER)
    name = f"{layer.name}_{'channels_first' if to_caffe else 'channels_last'}"
    return layer.add("transpose", blob.node, {"axes": axes}, name=name)


def _inner_product(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("inner_product_param")
    features, axis = parameters.one("num_output", 0), parameters.one("axis", 1)
    parameters.one("transpose", False)  # how the weights are stored
    weights = _weights(layer, parameters)
    parameters.refuse_rest()
    if features < 1 or axis != 1:
        parameters.problem(f"num_output: {features}, axis: {axis}", "a positive num_output, and axis: 1")
        return None
    source = _as_vector(layer, layer.blobs[0])
    node = layer.weighted("dense", source, {"features": features} | weights, blobs=1 + weights.get("use_bias", True))
    return None if node is None else [Blob(node, (features,))]


def _flatten(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("flatten_param")
    ends = (parameters.one("axis", 1), parameters.one("end_axis", -1))
    parameters.refuse_rest()
    (blob,) = layer.blobs
    if ends[0] != 1 or ends[1] not in (-1, len(blob.sizes)):
        parameters.problem(f"axis: {ends[0]}, end_axis: {ends[1]}", "all axes after the batch: axis: 1, end_axis: -1")
        return None
    return [Blob(_as_vector(layer, blob), (math.prod(blob.sizes),))]


def _reshape(layer: Layer) -> list[Blob] | None:
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
    source = _reordered(layer, blob, to_caffe=True) if len(blob.sizes) > 1 else blob.node
    node = layer.add("reshape", source, {"shape": list(result)})
    if len(result) > 1:
        node = _reordered(layer, Blob(node, result), to_caffe=False)
    return [Blob(node, result)]


def _axis(parameters: Fields, word: str, blob: Blob, old: str = "") -> int | None:
    """An axis that the file counts channels first, as this framework counts it; None for the batch."""
    axis = parameters.one(word, 1)
    axis = parameters.one(old, axis) if old else axis
    rank = len(blob.sizes) + 1
    axis = axis + rank if axis < 0 else axis
    if not 1 <= axis < rank:
        parameters.problem(f"{word}: {axis}", "an axis of the example, e.g. 1 for the channels")
        return None
    return -1 if axis == 1 else axis - 1


def _concat(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("concat_param")
    axis = _axis(parameters, "axis", layer.blobs[0], "concat_dim")
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


def _slice(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("slice_param")
    (blob,) = layer.blobs
    axis = _axis(parameters, "axis", blob, "slice_dim")
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


def _split(layer: Layer) -> list[Blob] | None:
    return [layer.blobs[0] for _ in layer.tops]


def _eltwise(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("eltwise_param")
    how = parameters.one("operation", "SUM")
    factors = [float(factor) for factor in parameters.many("coeff")]
    parameters.one("stable_prod_grad", True)
    parameters.refuse_rest()
    nodes, shape = [blob.node for blob in layer.blobs], layer.blobs[0].shape
    if any(blob.shape != shape for blob in layer.blobs):
        layer.fields.problem(f"blobs {[list(blob.sizes) for blob in layer.blobs]}", "blobs of one shape")
        return None
    if how not in ("PROD", "SUM", "MAX") or (factors and (how != "SUM" or len(factors) != len(nodes))):
        parameters.problem(f"operation: {how}, coeff: {factors}", "PROD, SUM or MAX; a coeff of SUM for each bottom")
        return None
    if factors == [1.0, -1.0]:
        return [Blob(layer.add("subtract", nodes), shape)]
    if set(factors) - {1.0}:
        names = {f"x{place}": node for place, node in enumerate(nodes)}
        formula = " + ".join(f"{factor!r} * {name}" for factor, name in zip(factors, names, strict=True))
        return [Blob(layer.add("expr", names, formula), shape)]
    return [Blob(layer.add({"PROD": "multiply", "SUM": "add", "MAX": "maximum"}[how], nodes), shape)]


def _relu(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("relu_param")
    slope = parameters.one("negative_slope", 0.0)
    parameters.one("engine", "DEFAULT")
    parameters.refuse_rest()
    return layer.one("leaky_relu", {"negative_slope": slope}) if slope else layer.one("relu")


def _prelu(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("prelu_param")
    shared, filler = parameters.one("channel_shared", False), parameters.message_or_none("filler")
    initial = 0.25
    if filler is not None:
        initial = filler.one("value", 0.0)
        if filler.one("type", "constant") != "constant":
            filler.problem(f"type: {filler.one('type', '')}", "constant: one slope to start from")
            return None
        filler.refuse_rest()
    parameters.refuse_rest()
    arguments = ({"shared": True} if shared else {}) | ({"initial": initial} if initial != 0.25 else {})
    node = layer.weighted("prelu", layer.blobs[0].node, arguments, blobs=1)
    return None if node is None else [Blob(node, layer.blobs[0].shape)]


def _elu(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("elu_param")
    alpha = parameters.one("alpha", 1.0)
    parameters.refuse_rest()
    return layer.one("elu", {"alpha": alpha} if alpha != 1 else None)


def _plain(op: str, word: str) -> Callable[[Layer], list[Blob] | None]:
    def convert(layer: Layer) -> list[Blob] | None:
        parameters = layer.fields.message(word)
        parameters.one("engine", "DEFAULT")
        parameters.refuse_rest()
        return layer.one(op)

    return convert


def _softmax(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("softmax_param")
    parameters.one("engine", "DEFAULT")
    axis = _axis(parameters, "axis", layer.blobs[0])
    parameters.refuse_rest()
    return None if axis is None else layer.one("softmax", {} if axis == -1 else {"axis": axis})


def _dropout(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("dropout_param")
    rate = parameters.one("dropout_ratio", 0.5)
    parameters.one("scale_train", True)
    parameters.refuse_rest()
    return layer.one("dropout", {"rate": rate})


def _lrn(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("lrn_param")
    size, alpha, beta = parameters.one("local_size", 5), parameters.one("alpha", 1.0), parameters.one("beta", 0.75)
    bias, region = parameters.one("k", 1.0), parameters.one("norm_region", "ACROSS_CHANNELS")
    parameters.one("engine", "DEFAULT")
    parameters.refuse_rest()
    if region != "ACROSS_CHANNELS" or size % 2 == 0 or size < 3:
        parameters.problem(
            f"norm_region: {region}, local_size: {size}", "ACROSS_CHANNELS, with an odd local_size of at least 3"
        )
        return None
    # Caffe divides alpha by the number of channels in the sum.
    return layer.one("local_response_norm", {"radius": size // 2, "alpha": alpha / size, "beta": beta, "bias": bias})


def _batch_norm(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("batch_norm_param")
    momentum, epsilon = parameters.one("moving_average_fraction", 0.999), parameters.one("eps", 1e-5)
    fixed = parameters.one("use_global_stats", False)
    parameters.refuse_rest()
    _of_weights(layer)  # those of BatchNorm are its statistics, which no learning rate moves
    if fixed and parameters.has("use_global_stats"):
        parameters.problem(
            "use_global_stats: true", "statistics of the batch while training", "leave it out",
            line=parameters.line("use_global_stats"),
        )  # fmt: skip
        return None
    layer.draft.remark(
        "Kept statistics of batch_norm are moved with a constant momentum; Caffe weighs the first steps otherwise and "
        "keeps the unbiased variance."
    )
    arguments: dict[str, Any] = {"momentum": momentum, "epsilon": epsilon}
    (blob,) = layer.blobs
    if layer.affine is None:
        return layer.one("batch_norm", arguments | {"use_scale": False, "use_bias": False})
    scale = _scale_words(layer.affine)
    if scale is None:
        return None
    layer.affine.fields.ignore()
    layer.affine.name = layer.name
    node = layer.affine.weighted("batch_norm", blob.node, arguments | scale, blobs=1 + scale.get("use_bias", True))
    layer.affine.fields.refuse_rest()
    layer.multiplied |= layer.affine.multiplied
    return None if node is None else [Blob(node, blob.shape)]


def _scale_words(layer: Layer) -> dict[str, Any] | None:
    parameters = layer.fields.message("scale_param")
    axis, count, bias = parameters.one("axis", 1), parameters.one("num_axes", 1), parameters.one("bias_term", False)
    first, second = _initial(parameters, "filler"), _initial(parameters, "bias_filler")
    parameters.refuse_rest()
    if (axis, count) != (1, 1):
        parameters.problem(f"axis: {axis}, num_axes: {count}", "one factor for each channel: axis: 1, num_axes: 1")
        return None
    words: dict[str, Any] = {} if bias else {"use_bias": False}
    if first not in (None, {"constant": {"value": 1.0}}):
        words["scale_init"] = first
    if bias and second not in (None, "zeros"):
        words["bias_init"] = second
    return words


def _scale(layer: Layer) -> list[Blob] | None:
    words = _scale_words(layer)
    if words is None:
        return None
    initial = words.get("scale_init", {"constant": {"value": 1.0}})
    first = initial.get("constant", {}).get("value") if isinstance(initial, dict) else 0.0
    if "use_bias" not in words or len(layer.blobs) != 1 or first is None:
        layer.fields.problem(
            "a Scale that follows no BatchNorm, with a bias, a second bottom, or a random start",
            "one bottom, bias_term: false and a constant filler",
        )
        return None
    node = layer.weighted("layer_scale", layer.blobs[0].node, {"initial": first}, blobs=1)
    return None if node is None else [Blob(node, layer.blobs[0].shape)]


def _power(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("power_param")
    power, scale, shift = parameters.one("power", 1.0), parameters.one("scale", 1.0), parameters.one("shift", 0.0)
    parameters.refuse_rest()
    inner = f"{scale!r} * x + {shift!r}"
    (blob,) = layer.blobs
    return [Blob(layer.add("expr", blob.node, inner if power == 1 else f"({inner}) ** {power!r}"), blob.shape)]


def _exp(layer: Layer) -> list[Blob] | None:
    parameters = layer.fields.message("exp_param")
    base, scale, shift = parameters.one("base", -1.0), parameters.one("scale", 1.0), parameters.one("shift", 0.0)
    parameters.refuse_rest()
    factor = 1.0 if base == -1 else math.log(base)
    (blob,) = layer.blobs
    return [Blob(layer.add("expr", blob.node, f"exp({factor!r} * ({scale!r} * x + {shift!r}))"), blob.shape)]


def _absolute(layer: Layer) -> list[Blob] | None:
    (blob,) = layer.blobs
    return [Blob(layer.add("expr", blob.node, "abs(x)"), blob.shape)]


LAYERS: dict[str, Callable[[Layer], list[Blob] | None]] = {
    "AbsVal": _absolute,
    "BNLL": _plain("softplus", "bnll_param"),
    "BatchNorm": _batch_norm,
    "Concat": _concat,
    "Convolution": _convolution,
    "Deconvolution": _deconvolution,
    "Dropout": _dropout,
    "ELU": _elu,
    "Eltwise": _eltwise,
    "Exp": _exp,
    "Flatten": _flatten,
    "InnerProduct": _inner_product,
    "LRN": _lrn,
    "PReLU": _prelu,
    "Pooling": _pooling,
    "Power": _power,
    "ReLU": _relu,
    "Reshape": _reshape,
    "Scale": _scale,
    "Sigmoid": _plain("sigmoid", "sigmoid_param"),
    "Slice": _slice,
    "Softmax": _softmax,
    "Split": _split,
    "TanH": _plain("tanh", "tanh_param"),
}
"""A layer's type -> what converts it."""
