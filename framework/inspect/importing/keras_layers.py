"""Keras's layers, one function each: what they compute, in this framework's operations.

Each takes a `Call` and gives the node that computes what the layer gives, or several. Source: the layers of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from framework.inspect.importing.keras_call import Call

Convert = Callable[[Call], str | list[str]]


def _kernel(call: Call, kernel: str = "kernel_initializer") -> dict[str, Any]:
    """The words of a layer with a kernel and perhaps a bias."""
    arguments, words = call.arguments, {}
    initial = arguments.initializer(kernel)
    if initial is not None:
        words["kernel_init"] = initial
    bias, first = arguments.take("use_bias", True), arguments.initializer("bias_initializer")
    if not bias:
        words["use_bias"] = False
    elif first not in (None, "zeros"):
        words["bias_init"] = first
    return words


def _windows(call: Call, kernel: str, ours: str, *, strides: Any = 1) -> dict[str, Any]:
    """Kernel or window, strides and padding."""
    arguments = call.arguments
    words: dict[str, Any] = {ours: arguments.sizes(kernel, 1)}
    step = arguments.sizes("strides", strides if strides is not None else words[ours])
    if step != (1 if ours == "kernel" else words[ours]):
        words["strides"] = step
    return words


def _padding(call: Call, default: str, *more: str) -> dict[str, Any]:
    padding = call.arguments.among("padding", "valid", "valid", "same", *more)
    return {} if padding == default else {"padding": padding}


def _dilation(call: Call) -> dict[str, Any]:
    dilation = call.arguments.sizes("dilation_rate", 1)
    return {} if dilation == 1 else {"dilation": dilation}


def _dense(call: Call) -> str:
    arguments = call.arguments
    words = {"features": arguments.count("units")} | _kernel(call)
    penalty = arguments.regularizer("kernel_regularizer")
    return call.weighted("dense", words, penalty=penalty, activation=arguments.activation())


def _convolution(call: Call) -> str:
    arguments = call.arguments
    words = {"features": arguments.count("filters")} | _windows(call, "kernel_size", "kernel") | _dilation(call)
    groups = arguments.take("groups", 1)
    words |= {"groups": groups} if groups != 1 else {}
    words |= _padding(call, "same", *(["causal"] if call.kind == "Conv1D" else [])) | _kernel(call)
    penalty = arguments.regularizer("kernel_regularizer")
    return call.weighted("conv", words, penalty=penalty, activation=arguments.activation())


def _depthwise(call: Call) -> str:
    arguments = call.arguments
    words = _windows(call, "kernel_size", "kernel") | _dilation(call)
    multiplier = arguments.take("depth_multiplier", 1)
    words |= {"multiplier": multiplier} if multiplier != 1 else {}
    words |= _padding(call, "same") | _kernel(call, "depthwise_initializer")
    penalty = arguments.regularizer("depthwise_regularizer")
    return call.weighted("depthwise_conv", words, penalty=penalty, activation=arguments.activation())


def _separable(call: Call) -> str:
    arguments = call.arguments
    words = {"features": arguments.count("filters")} | _windows(call, "kernel_size", "kernel") | _dilation(call)
    multiplier = arguments.take("depth_multiplier", 1)
    words |= {"multiplier": multiplier} if multiplier != 1 else {}
    words |= _padding(call, "same", *(["causal"] if call.kind == "SeparableConv1D" else []))
    words |= _kernel(call, "depthwise_initializer")
    if arguments.initializer("pointwise_initializer") != words.get("kernel_init"):
        arguments.problem("different initialisers", "one for both kernels", "pointwise_initializer")
    penalty = arguments.regularizer("depthwise_regularizer", "pointwise_regularizer")
    return call.weighted("separable_conv", words, penalty=penalty, activation=arguments.activation())


def _transposed(call: Call) -> str:
    arguments = call.arguments
    words = {"features": arguments.count("filters")} | _windows(call, "kernel_size", "kernel") | _dilation(call)
    words |= _padding(call, "same") | _kernel(call)
    penalty = arguments.regularizer("kernel_regularizer")
    return call.weighted("transposed_conv", words, penalty=penalty, activation=arguments.activation())


def _pooling(op: str) -> Convert:
    def convert(call: Call) -> str:
        words = _windows(call, "pool_size", "window", strides=None)
        return call.plain(op, words | _padding(call, "valid"))

    return convert


def _global(op: str) -> Convert:
    return lambda call: call.plain(op, {"keep_dims": True} if call.arguments.take("keepdims", False) else {})


def _adaptive(op: str) -> Convert:
    return lambda call: call.plain(op, {"size": call.arguments.sizes("output_size", 1)})


def _last_axis(call: Call) -> None:
    """Refuses an `axis` that is not the last one."""
    axis = call.arguments.take("axis")
    only = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
    rank = call.rank
    if only not in (None, -1) and (rank is None or only != rank - 1):
        call.arguments.problem(f"axis: {axis}", "the last axis, -1: channels last", "axis")


def _affine(call: Call, scale: str = "scale", center: str = "center") -> dict[str, Any]:
    arguments, words = call.arguments, {}
    for switch, which, ours in ((scale, "gamma", "scale"), (center, "beta", "bias")):
        on, initial = arguments.take(switch, True), arguments.initializer(f"{which}_initializer")
        if not on:
            words[f"use_{ours}"] = False
        elif initial not in (None, {"gamma": "ones", "beta": "zeros"}[which]):
            words[f"{ours}_init"] = initial
    return words


def _batch_norm(call: Call) -> str:
    arguments = call.arguments
    _last_axis(call)
    words = {"momentum": arguments.take("momentum", 0.99), "epsilon": arguments.take("epsilon", 1e-3)} | _affine(call)
    for word, usual in (("moving_mean_initializer", "zeros"), ("moving_variance_initializer", "ones")):
        if arguments.initializer(word) not in (None, usual):
            arguments.problem(f"{word} other than {usual}", usual, word)
    return call.weighted("batch_norm", words)


def _layer_norm(call: Call) -> str:
    _last_axis(call)
    return call.weighted("layer_norm", {"epsilon": call.arguments.take("epsilon", 1e-3)} | _affine(call))


def _group_norm(call: Call) -> str:
    _last_axis(call)
    groups, words = call.arguments.take("groups", 32), {"epsilon": call.arguments.take("epsilon", 1e-3)} | _affine(call)
    if groups == -1:
        return call.weighted("instance_norm", words)
    return call.weighted("group_norm", {"groups": groups} | words)


def _rms_norm(call: Call) -> str:
    _last_axis(call)
    return call.weighted("rms_norm", {"epsilon": call.arguments.take("epsilon", 1e-6)})


def _unit_norm(call: Call) -> str:
    _last_axis(call)
    return call.plain("normalize")


def _activation(call: Call) -> str:
    op, words = call.arguments.activation() or ("identity", {})
    return call.plain(op, words)


def _relu(call: Call) -> str:
    arguments = call.arguments
    limit, slope = arguments.take("max_value"), arguments.take("negative_slope", 0.0)
    arguments.among("threshold", 0.0, 0.0, 0)
    if limit is not None and slope:
        arguments.problem(f"max_value {limit} and negative_slope {slope}", "one of them", "max_value")
    if slope:
        return call.plain("leaky_relu", {"negative_slope": slope})
    if limit is not None and limit != 6:
        return call.plain("expr", f"minimum(maximum(x, 0), {float(limit)!r})")
    return call.plain("relu" if limit is None else "relu6")


def _leaky_relu(call: Call) -> str:
    return call.plain("leaky_relu", {"negative_slope": call.arguments.take("negative_slope", 0.3)})


def _elu(call: Call) -> str:
    return call.plain("elu", {"alpha": call.arguments.take("alpha", 1.0)})


def _softmax(call: Call) -> str:
    axis = call.arguments.take("axis", -1)
    return call.plain("softmax", {} if axis == -1 else {"axis": axis})


def _prelu(call: Call) -> str:
    arguments = call.arguments
    initial, axes, rank = arguments.initializer("alpha_initializer"), arguments.take("shared_axes") or [], call.rank
    constant = 0.0 if initial == "zeros" else None
    if isinstance(initial, dict) and "constant" in initial:
        constant = initial["constant"]["value"]
    if constant is None:
        arguments.problem("slopes that start at random or at 1", "zeros or a constant", "alpha_initializer")
    if rank is None or sorted(axes) not in (list(range(1, rank - 1)), list(range(1, rank))):
        expected = "all axes but the last, or all" if rank is None else f"{list(range(1, rank - 1))}, or all"
        arguments.problem(f"shared_axes: {axes}", f"{expected}: a slope for each channel, or one", "shared_axes")
        return call.plain("identity")
    words = {"shared": True} if len(axes) == rank - 1 else {}
    return call.weighted("prelu", words | {"initial": constant or 0.0})


def _dropout(op: str, word: str = "rate") -> Convert:
    return lambda call: call.plain(op, {word: call.arguments.take(word, 0.0)})


def _plain(op: str) -> Convert:
    return lambda call: call.plain(op)


def _reshape(call: Call) -> str:
    return call.plain("reshape", {"shape": list(call.arguments.take("target_shape") or [])})


def _permute(call: Call) -> str:
    return call.plain("transpose", {"axes": list(call.arguments.take("dims") or [])})


def _repeat_vector(call: Call) -> str:
    return call.plain("repeat_vector", {"times": call.arguments.count("n")})


def _embedding(call: Call) -> str:
    arguments = call.arguments
    words = {"vocabulary": arguments.count("input_dim"), "features": arguments.count("output_dim")}
    initial = arguments.initializer("embeddings_initializer")
    return call.weighted("embed", words | ({} if initial is None else {"embedding_init": initial}))


def _merge(op: str) -> Convert:
    return lambda call: call.plain(op, sources=[tensor.node for tensor in call.given])


def _concatenate(call: Call) -> str:
    axis = call.arguments.take("axis", -1)
    return call.plain("concat", {} if axis == -1 else {"axis": axis}, [tensor.node for tensor in call.given])


def _dot(call: Call) -> str:
    axes, normalize = call.arguments.take("axes"), call.arguments.take("normalize", False)
    words = {"axes": axes} | ({"normalize": True} if normalize else {})
    return call.plain("dot", words, [tensor.node for tensor in call.given])


def _edges(op: str, word: str) -> Convert:
    def convert(call: Call) -> str:
        value = call.arguments.take(word)
        if call.kind.endswith("1D") and isinstance(value, list | tuple):
            value = [list(value)]
        return call.plain(op, {word: value})

    return convert


def _up_sampling(call: Call) -> str:
    method = call.arguments.among("interpolation", "nearest", "nearest", "bilinear")
    size = call.arguments.sizes("size", 2)
    return call.plain("resize", {"scale": size} | ({} if method == "nearest" else {"method": method}))


def _rescaling(call: Call) -> str:
    scale, offset = call.arguments.take("scale"), call.arguments.take("offset")
    if not all(isinstance(value, int | float) for value in (scale, offset)):
        call.arguments.problem(f"scale {scale!r}, offset {offset!r}", "a number each", "scale")
        return call.plain("identity")
    return call.plain("expr", f"x * {float(scale)!r} + {float(offset)!r}")


def _by_rank(names: str, convert: Convert) -> dict[str, Convert]:
    return {f"{name}{axes}D": convert for name in names.split() for axes in (1, 2, 3)}


LAYERS: dict[str, Convert] = {
    "Dense": _dense,
    **_by_rank("Conv", _convolution),
    **_by_rank("DepthwiseConv", _depthwise),
    **_by_rank("SeparableConv", _separable),
    **{f"Conv{axes}DTranspose": _transposed for axes in (1, 2, 3)},
    **_by_rank("MaxPooling", _pooling("max_pool")),
    **_by_rank("AveragePooling", _pooling("avg_pool")),
    **_by_rank("GlobalMaxPooling", _global("global_max_pool")),
    **_by_rank("GlobalAveragePooling", _global("global_avg_pool")),
    **_by_rank("AdaptiveMaxPooling", _adaptive("adaptive_max_pool")),
    **_by_rank("AdaptiveAveragePooling", _adaptive("adaptive_avg_pool")),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "RMSNormalization": _rms_norm,
    "UnitNormalization": _unit_norm,
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _leaky_relu,
    "ELU": _elu,
    "PReLU": _prelu,
    "Softmax": _softmax,
    "Dropout": _dropout("dropout"),
    **_by_rank("SpatialDropout", _dropout("spatial_dropout")),
    "AlphaDropout": _dropout("alpha_dropout"),
    "GaussianDropout": _dropout("gaussian_dropout"),
    "GaussianNoise": _dropout("gaussian_noise", "stddev"),
    "Flatten": _plain("flatten"),
    "Identity": _plain("identity"),
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Embedding": _embedding,
    "Add": _merge("add"),
    "Multiply": _merge("multiply"),
    "Subtract": _merge("subtract"),
    "Average": _merge("average"),
    "Maximum": _merge("maximum"),
    "Minimum": _merge("minimum"),
    "Concatenate": _concatenate,
    "Dot": _dot,
    **_by_rank("ZeroPadding", _edges("pad", "padding")),
    **_by_rank("Cropping", _edges("crop", "cropping")),
    **_by_rank("UpSampling", _up_sampling),
    "Rescaling": _rescaling,
}
"""A layer's class -> what converts it."""
