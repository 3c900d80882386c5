"""Windows that move over space: convolutions and pooling, with sizes as Caffe rounds them."""

from __future__ import annotations

import math
from typing import Any

from framework.inspect.importing.caffe_fields import Fields
from framework.inspect.importing.caffe_layers.fillers import weights_of
from framework.inspect.importing.caffe_layers.layer import Blob, Layer


def convolution(layer: Layer, *, transposed: bool = False) -> list[Blob] | None:
    """Convolution, of which Caffe rounds the number of positions down."""
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
    weights = weights_of(layer, parameters)
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


def deconvolution(layer: Layer) -> list[Blob] | None:
    """Deconvolution: a transposed convolution."""
    return convolution(layer, transposed=True)


def pooling(layer: Layer) -> list[Blob] | None:
    """Pooling by the largest value or the mean, of which Caffe rounds the number of windows up."""
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


def _space(layer: Layer) -> tuple[int, ...] | None:
    sizes = layer.blobs[0].sizes
    if not 2 <= len(sizes) <= 4:
        layer.fields.problem(f"a blob of shape {list(sizes)}", "channels and 1 to 3 space axes")
        return None
    return sizes[1:]


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
