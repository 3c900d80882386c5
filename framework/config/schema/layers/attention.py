"""Attention between positions, and the transformer block made of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.fields import Activation, Positive
from framework.config.schema.layers.parametrised import KernelSpec


class Attention(KernelSpec):
    """Multi-head attention: of a sequence to itself, or to another one given as `key` (and `value`).

    weights = softmax_k(query_q · key_k / sqrt(head_features)), y_q = out(sum_k weights[q, k] value_k), for each head

    With `key` alone its sequence gives the values too. `mask` tells with true what may be seen: [batch, key time],
    [batch, query time, key time] or [batch, heads or 1, query time, key time]; a query that may see nothing gets 0.

    Shapes: x [batch, time, features], key and value [batch, key time, ...] -> [batch, time, features];
    qkv kernel [features, 3, heads, head_features], out kernel [heads, head_features, features].
    Source: Vaswani et al., arXiv:1706.03762, section 3.2.
    """

    op: ClassVar[str] = "attention"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "key?", "value?", "mask?")
    shape: ClassVar[str] = "x [batch, time, features], key and value [batch, key time, ...] -> [batch, time, features]"
    stochastic: ClassVar[bool] = True

    heads: Positive = Field(description="number of heads")
    head_features: Positive | None = Field(None, description="size of each head; null: features / heads")
    causal: bool = Field(False, description="a position sees itself and earlier ones only")
    dropout: Traced = Field(
        0.0, ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a weight is dropped"
    )


class TransformerBlock(KernelSpec):
    """Self-attention and a two-layer perceptron, each normalised and added to what it started from.

    pre:  x <- x + attention(norm1(x)), y = x + mlp(norm2(x))
    post: x <- norm1(x + attention(x)), y = norm2(x + mlp(x))
    mlp(x) = mlp_out(activation(mlp_in(x))); dropout acts on the attention weights and on both branches.

    `mask` as in `attention`.

    Shapes: [batch, time, features] -> same.
    Source: Vaswani et al., arXiv:1706.03762, section 3.1; pre, Xiong et al., arXiv:2002.04745.
    """

    op: ClassVar[str] = "transformer_block"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?")
    shape: ClassVar[str] = "[batch, time, features] -> same"
    stochastic: ClassVar[bool] = True

    heads: Positive = Field(description="number of attention heads; divides the features")
    mlp_ratio: Number = Field(4.0, gt=0, description="hidden size of the perceptron / features")
    hidden: Positive | None = Field(None, description="hidden size of the perceptron; null: by mlp_ratio")
    causal: bool = Field(False, description="a position sees itself and earlier ones only")
    dropout: Traced = Field(
        0.0, ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a value is dropped"
    )
    activation: Activation = Field("gelu", description="activation of the perceptron")
    norm: Literal["pre", "post"] = Field("pre", description="normalise what enters a branch, or the sum after it")
    norm_type: Literal["layer_norm", "rms_norm"] = Field("layer_norm", description="kind of normalisation")
    epsilon: Number = Field(1e-6, gt=0, description="added to the variance in the normalisations")
