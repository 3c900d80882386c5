"""Fully connected layers: the last axis is mapped, all others are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from framework.config.schema.layers.fields import Positive
from framework.config.schema.layers.parametrised import KernelSpec, NormedKernelSpec


def _letters(value: Any) -> Any:
    """A mapping as pairs, so that a layer can be hashed."""
    pairs = tuple(value.items()) if isinstance(value, Mapping) else value
    fits = isinstance(pairs, tuple) and all(
        isinstance(name, str) and len(name) == 1 and name.isalpha() and type(size) is int and size > 0
        for name, size in pairs
    )
    if not fits:
        raise ValueError(f"found {value!r}; expected a mapping from letters to positive sizes, e.g. {{h: 8, d: 64}}")
    return pairs


Letters = Annotated[
    tuple[tuple[str, int], ...],
    BeforeValidator(_letters),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}}),
]
"""Sizes by letter, kept as pairs."""


class Dense(NormedKernelSpec):
    """Affine map of the last axis.

    y[..., j] = sum_i x[..., i] kernel[i, j] + bias[j]

    Shapes: [batch, ..., inputs] -> [batch, ..., features]; kernel [inputs, features], bias [features].
    """

    op: ClassVar[str] = "dense"
    shape: ClassVar[str] = "[batch, ..., inputs] -> [batch, ..., features]"

    features: Positive = Field(description="size of the last axis of the output")


class Einsum(KernelSpec):
    """Product of the input and a kernel, summed over the letters that the output lacks.

    y = einsum(equation, x, kernel) + bias, e.g. `...i,ihd->...hd` for the heads of an attention

    Shapes: as the equation says; sizes of the kernel's letters come from the input or from `sizes`. The bias has the
    letters `bias_axes` of the output, each a size of the kernel.
    """

    op: ClassVar[str] = "einsum"
    shape: ClassVar[str] = "[batch, ..., inputs] -> [batch, ..., outputs]"

    equation: str = Field(description="`input,kernel->output`: letters for axes; `...` for all others, at the front")
    sizes: Letters = Field((), description="letter -> size, for the letters that the input does not have")
    bias_axes: str = Field("", description="letters of the bias; none: there is no bias")

    @field_validator("equation")
    @classmethod
    def _of_two(cls, value: str) -> str:
        text = value.replace(" ", "")
        if not re.fullmatch(r"(\.\.\.)?[A-Za-z]*,[A-Za-z]+->(\.\.\.)?[A-Za-z]*", text):
            raise ValueError(f"found {value!r}; expected input,kernel->output, e.g. ...i,io->...o")
        x, kernel, output = re.split(r",|->", text)
        if x.startswith("...") != output.startswith("..."):
            raise ValueError(f"found {value!r}; expected ... in both the input and the output, or in neither")
        if not x.startswith("...") and (not x or x[0] in kernel or not output.startswith(x[0])):
            raise ValueError(f"found {value!r}; expected the batch to stay first, e.g. bti,io->bto")
        letters = [part.removeprefix("...") for part in (x, kernel, output)]
        if set(letters[2]) - set(letters[0] + letters[1]) or any(len(set(part)) < len(part) for part in letters):
            raise ValueError(f"found {value!r}; expected each letter once, and those of the output in input or kernel")
        return text

    @field_validator("bias_axes")
    @classmethod
    def _of_the_output(cls, value: str, info: ValidationInfo) -> str:
        output = info.data.get("equation", "").partition("->")[2]
        if "equation" in info.data and "".join(letter for letter in output if letter in value) != value:
            raise ValueError(f"found {value!r}; expected letters of the output {output}, in its order")
        return value


class Bilinear(KernelSpec):
    """Form that is linear in each of two inputs.

    z[..., j] = sum_{i, k} x[..., i] kernel[i, k, j] y[..., k] + bias[j]

    Shapes: [batch, ..., a], [batch, ..., b] -> [batch, ..., features]; kernel [a, b, features], bias [features].
    Source: Tenenbaum and Freeman, Neural Computation 12 (2000), equation 1.
    """

    op: ClassVar[str] = "bilinear"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "y")
    shape: ClassVar[str] = "[batch, ..., a], [batch, ..., b] -> [batch, ..., features]"

    features: Positive = Field(description="size of the last axis of the output")
