"""Activations, the softmax and dropout."""

from __future__ import annotations

from collections.abc import Callable

from framework.inspect.importing.caffe_layers.layer import Blob, Layer
from framework.inspect.importing.caffe_layers.order import axis_here


def relu(layer: Layer) -> list[Blob] | None:
    """ReLU, perhaps with a slope below zero."""
    parameters = layer.fields.message("relu_param")
    slope = parameters.one("negative_slope", 0.0)
    parameters.one("engine", "DEFAULT")
    parameters.refuse_rest()
    return layer.one("leaky_relu", {"negative_slope": slope}) if slope else layer.one("relu")


def prelu(layer: Layer) -> list[Blob] | None:
    """PReLU: a learned slope below zero, for each channel or for all."""
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


def elu(layer: Layer) -> list[Blob] | None:
    """ELU."""
    parameters = layer.fields.message("elu_param")
    alpha = parameters.one("alpha", 1.0)
    parameters.refuse_rest()
    return layer.one("elu", {"alpha": alpha} if alpha != 1 else None)


def plain(op: str, word: str) -> Callable[[Layer], list[Blob] | None]:
    """What converts an activation without parameters to the operation `op`; `word` names its message."""

    def convert(layer: Layer) -> list[Blob] | None:
        parameters = layer.fields.message(word)
        parameters.one("engine", "DEFAULT")
        parameters.refuse_rest()
        return layer.one(op)

    return convert


def softmax(layer: Layer) -> list[Blob] | None:
    """Softmax along an axis."""
    parameters = layer.fields.message("softmax_param")
    parameters.one("engine", "DEFAULT")
    axis = axis_here(parameters, "axis", layer.blobs[0])
    parameters.refuse_rest()
    return None if axis is None else layer.one("softmax", {} if axis == -1 else {"axis": axis})


def dropout(layer: Layer) -> list[Blob] | None:
    """Dropout."""
    parameters = layer.fields.message("dropout_param")
    rate = parameters.one("dropout_ratio", 0.5)
    parameters.one("scale_train", True)
    parameters.refuse_rest()
    return layer.one("dropout", {"rate": rate})
