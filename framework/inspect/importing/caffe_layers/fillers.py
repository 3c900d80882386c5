"""Fillers: what weights are before the first step, and whether there is a bias."""

from __future__ import annotations

from typing import Any

from framework.inspect.importing.caffe_fields import Fields
from framework.inspect.importing.caffe_layers.layer import Layer


def initializer_of(parameters: Fields, word: str) -> Any:
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


def weights_of(layer: Layer, parameters: Fields) -> dict[str, Any]:
    """The words of a node with weights: its bias and how they start."""
    arguments: dict[str, Any] = {}
    bias = parameters.one("bias_term", True)
    kernel = initializer_of(parameters, "weight_filler")
    first = initializer_of(parameters, "bias_filler")
    if kernel is not None:
        arguments["kernel_init"] = kernel
    else:
        layer.draft.remark("Kernels without a weight_filler start as `lecun_normal` here; in Caffe they start at 0.")
    if not bias:
        arguments["use_bias"] = False
    elif first not in (None, "zeros"):
        arguments["bias_init"] = first
    return arguments
