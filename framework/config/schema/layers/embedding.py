"""From integers to vectors, and from positions to vectors."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.layers.fields import DType, Initializer, Positive, Sizes
from framework.config.schema.layers.parametrised import ParametrisedSpec


class Embed(ParametrisedSpec):
    """A trained vector for each integer of a vocabulary.

    y[..., :] = embedding[x[...], :]; an index outside of [0, vocabulary) gives NaN, so that it cannot pass unseen.

    Shapes: integers [batch, ...] -> [batch, ..., features]; embedding [vocabulary, features].
    """

    op: ClassVar[str] = "embed"
    shape: ClassVar[str] = "integers [batch, ...] -> [batch, ..., features]"

    vocabulary: Positive = Field(description="number of different integers; the largest is vocabulary - 1")
    features: Positive = Field(description="size of each vector")
    embedding_init: Initializer = Field("lecun_normal", description="initialiser; scaled ones count `features` inputs")


class Unembed(LayerSpec):
    """A score for each integer of a vocabulary, by the vectors of an `embed` that it shares.

    y[..., v] = x[..., :] · embedding[v, :]

    It has no weights of its own: `share` names the `embed`. A language model is tied so, and learns one table for both.

    Shapes: [batch, ..., features] -> [batch, ..., vocabulary].
    Source: Press and Wolf, arXiv:1608.05859.
    """

    op: ClassVar[str] = "unembed"
    shape: ClassVar[str] = "[batch, ..., features] -> [batch, ..., vocabulary]"
    borrows: ClassVar[tuple[str, ...]] = ("embedding",)

    dtype: DType | None = Field(
        None,
        description="number format to compute in; null: trainer.precision, or else the widest of input and embedding",
    )


class PositionalEmbedding(ParametrisedSpec):
    """Adds to each position a vector that tells where it is.

    learned:    y[b, t, :] = x[b, t, :] + embedding[t, :]
    sinusoidal: y[b, t, 2i] = x[b, t, 2i] + sin(t / 10000^(2i / features)), and cos for 2i + 1

    Shapes: [batch, time, features] -> same; embedding [max_length, features].
    Source: Vaswani et al., arXiv:1706.03762, section 3.5; learned, Gehring et al., arXiv:1705.03122.
    """

    op: ClassVar[str] = "positional_embedding"
    shape: ClassVar[str] = "[batch, time, features] -> same"

    kind: Literal["learned", "sinusoidal"] = Field("learned", description="trained vectors, or fixed waves")
    max_length: Positive | None = Field(None, description="number of learned positions, at least the longest input")
    embedding_init: Initializer = Field("normal", description="initialiser of the learned vectors")

    @field_validator("max_length")
    @classmethod
    def _length_of_learned(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is None and info.data.get("kind") == "learned":
            raise ValueError("learned positions need a max_length, sinusoidal ones do not")
        return value


class ClassToken(ParametrisedSpec):
    """Puts trained vectors, the same for all examples, in front of a sequence (or behind it).

    y[b, :tokens, :] = token, y[b, tokens:, :] = x[b]

    Shapes: [batch, time, features] -> [batch, tokens + time, features]; token [tokens, features].
    Source: Devlin et al., arXiv:1810.04805, section 3; Dosovitskiy et al., arXiv:2010.11929, equation 1; several, as
    registers: Darcet et al., arXiv:2309.16588.
    """

    op: ClassVar[str] = "class_token"
    shape: ClassVar[str] = "[batch, time, features] -> [batch, tokens + time, features]"

    tokens: Positive = Field(1, description="number of vectors")
    position: Literal["first", "last"] = Field("first", description="before the sequence or behind it")
    token_init: Initializer = Field("zeros", description="initialiser of the vectors")


class Parameter(ParametrisedSpec):
    """A trained array, the same for each example, e.g. queries to attend with.

    Of what it is given it reads the size of the batch alone.

    y[b, ...] = value

    Shapes: [batch, ...] -> [batch, *shape]; value [*shape].
    """

    op: ClassVar[str] = "parameter"

    shape: Sizes = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        description="sizes after the batch"
    )
    value_init: Initializer = Field("normal", description="initialiser of the array")


# The class documents its shapes under the name that an instance has for its argument.
Parameter.shape = "[batch, ...] -> [batch, *shape]"  # pyright: ignore[reportAttributeAccessIssue]
