"""Normalisation: over neighbouring channels, over the batch, and the Scale that follows it."""

from __future__ import annotations

from typing import Any

from framework.inspect.importing.caffe_layers.fillers import initializer_of
from framework.inspect.importing.caffe_layers.layer import Blob, Layer, weights_declared


def lrn(layer: Layer) -> list[Blob] | None:
    """LRN across channels."""
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


def batch_norm(layer: Layer) -> list[Blob] | None:
    """BatchNorm with the Scale that belongs to it."""
    parameters = layer.fields.message("batch_norm_param")
    momentum, epsilon = parameters.one("moving_average_fraction", 0.999), parameters.one("eps", 1e-5)
    fixed = parameters.one("use_global_stats", False)
    parameters.refuse_rest()
    weights_declared(layer)  # those of BatchNorm are its statistics, which no learning rate moves
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


def scale(layer: Layer) -> list[Blob] | None:
    """A Scale that follows no BatchNorm: a factor for each channel."""
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


def _scale_words(layer: Layer) -> dict[str, Any] | None:
    parameters = layer.fields.message("scale_param")
    axis, count, bias = parameters.one("axis", 1), parameters.one("num_axes", 1), parameters.one("bias_term", False)
    first, second = initializer_of(parameters, "filler"), initializer_of(parameters, "bias_filler")
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
