"""The kinds of argument that several layers share: sizes, padding, initialisers and number formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from framework.config.schema.layers.initializers import Initializer as Initializer


def tupled(sentence: str) -> Callable[[Any, ValidatorFunctionWrapHandler], Any]:
    """Makes YAML lists tuples, and tells a value that fits no member of a union in one sentence, not one for each."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(_as_tuple(value))
        except ValidationError as error:
            raise ValueError(f"found {value!r}; {sentence}") from error

    return check


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list | tuple) else value


Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]
Integers = Annotated[tuple[int, ...], WrapValidator(tupled("expected a list of integers"))]
"""A list of integers, kept as a tuple."""

Sizes = Annotated[
    tuple[Positive, ...], Field(min_length=1), WrapValidator(tupled("expected a list of positive integers"))
]
"""Positive sizes, kept as a tuple."""

_Sizes = Annotated[tuple[Positive, ...], Field(min_length=1, max_length=3)]
_SIZE = "expected a positive integer, or a list with one for each space dimension, e.g. 3 or [3, 5]"

Size = Annotated[Positive | _Sizes, WrapValidator(tupled(_SIZE))]
"""A positive integer for all space dimensions, or one for each."""

_Pair = tuple[NonNegative, NonNegative]
Sides = Annotated[tuple[NonNegative | _Pair, ...], Field(min_length=1, max_length=3)]
SIDES = "one integer for all sides, or a list with an integer or a [before, after] pair for each space dimension"

Padding = Annotated[
    Literal["same", "valid", "causal"] | NonNegative | Sides,
    WrapValidator(tupled(f"expected same, valid, causal, {SIDES}")),
]
"""Padding of a convolution: by rule or by counts of zeros."""

WindowPadding = Annotated[
    Literal["same", "valid"] | NonNegative | Sides, WrapValidator(tupled(f"expected same, valid, {SIDES}"))
]
"""Padding of a pooling window: by rule or by counts of elements that the pooling leaves out."""

DType = Literal["float32", "bfloat16", "float16", "float64"]
"""A floating number format."""

Activation = Literal[
    "celu",
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]
"""A function of one number, named as an argument of a larger layer."""

MlpActivation = Literal[Activation, "gelu_exact"]
"""An activation of a perceptron: `gelu` is the tanh approximation, as in GPT-2, `gelu_exact` that of BERT and ViT."""
