"""Which function converts which type of layer."""

from __future__ import annotations

from collections.abc import Callable

from framework.inspect.importing.caffe_layers import activations, arrangement, elementwise, normalization, windows
from framework.inspect.importing.caffe_layers.layer import Blob, Layer

LAYERS: dict[str, Callable[[Layer], list[Blob] | None]] = {
    "AbsVal": elementwise.absolute,
    "BNLL": activations.plain("softplus", "bnll_param"),
    "BatchNorm": normalization.batch_norm,
    "Concat": arrangement.concat,
    "Convolution": windows.convolution,
    "Deconvolution": windows.deconvolution,
    "Dropout": activations.dropout,
    "ELU": activations.elu,
    "Eltwise": elementwise.eltwise,
    "Exp": elementwise.exp,
    "Flatten": arrangement.flatten,
    "InnerProduct": arrangement.inner_product,
    "LRN": normalization.lrn,
    "PReLU": activations.prelu,
    "Pooling": windows.pooling,
    "Power": elementwise.power,
    "ReLU": activations.relu,
    "Reshape": arrangement.reshape,
    "Scale": normalization.scale,
    "Sigmoid": activations.plain("sigmoid", "sigmoid_param"),
    "Slice": arrangement.slice_blob,
    "Softmax": activations.softmax,
    "Split": arrangement.split,
    "TanH": activations.plain("tanh", "tanh_param"),
}
"""A layer's type -> what converts it."""
