"""What the specs of all layers with a kernel or other weights have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import DType, Initializer


class ParametrisedSpec(LayerSpec):
    """A layer that holds parameters, in number formats of its own if need be."""

    dtype: DType | None = Field(
        None,
        description="number format to compute in; null: trainer.precision, or else the widest of input and parameters",
    )
    param_dtype: DType | None = Field(None, description="number format of the parameters; null: float32")


class KernelSpec(ParametrisedSpec):
    """A layer that multiplies by a kernel and may add a bias."""

    use_bias: bool = Field(True, description="add a trained bias to each output feature")
    kernel_init: Initializer = Field("lecun_normal", description="initialiser of the kernel")
    bias_init: Initializer = Field("zeros", description="initialiser of the bias")


class NormedKernelSpec(KernelSpec):
    """A layer whose kernel may be normalised before it is used.

    weight: scale · kernel / |kernel| for each output feature. spectral: kernel / its largest singular value as a matrix
    [inputs, features], which one step of the power method follows in each training step.

    Source: Salimans and Kingma, arXiv:1602.07868, equation 2; Miyato et al., arXiv:1802.05957, algorithm 1.
    """

    kernel_norm: Literal["weight", "spectral"] | None = Field(
        None, description="divide the kernel by its length and scale it (weight), or by its largest singular value"
    )
