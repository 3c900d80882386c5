"""Attention between positions, and the transformer block made of it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.fields import Activation, Positive
from framework.config.schema.layers.parametrised import KernelSpec

ROTARY_BASE = 10000.0


class _Heads(KernelSpec):
    """What attention by heads takes, alone or in a block."""

    heads: Positive = Field(description="number of attention heads")
    kv_heads: Positive | None = Field(
        None, description="number of heads of keys and values, each for heads / kv_heads queries; null: heads"
    )
    head_features: Positive | None = Field(None, description="size of each head; null: features / heads")
    causal: bool = Field(False, description="a position sees itself and earlier ones only")
    position: Literal["none", "rotary"] = Field("none", description="turn queries and keys by their position")
    rotary_base: Number = Field(ROTARY_BASE, gt=1, description="2 pi base^(1 - 2 / head_features) is the longest wave")
    dropout: Traced = Field(
        0.0, ge=0, lt=1, json_schema_extra={"zero_is_off": True}, description="probability that a value is dropped"
    )

    @model_validator(mode="after")
    def _groups_are_whole(self) -> Self:
        if self.kv_heads is not None and self.heads % self.kv_heads:
            fitting = [count for count in range(1, self.heads + 1) if self.heads % count == 0]
            raise ValueError(
                f"{self.heads} heads cannot share {self.kv_heads} kv_heads evenly; set kv_heads to one of "
                f"{', '.join(map(str, fitting))}"
            )
        if self.position == "none" and self.rotary_base != ROTARY_BASE:
            raise ValueError("rotary_base is read by position: rotary alone; set position=rotary, or leave it out")
        return self


class Attention(_Heads):
    """Multi-head attention: of a sequence to itself, or to another one given as `key` (and `value`).

    weights = softmax_k(query_q · key_k / sqrt(head_features)), y_q = out(sum_k weights[q, k] value_k), for each head

    With `key` alone its sequence gives the values too. `mask` tells with true what may be seen: [batch, key time],
    [batch, query time, key time] or [batch, heads or 1, query time, key time]; a query that may see nothing gets 0.

    With fewer kv_heads than heads, query head h reads head floor(h · kv_heads / heads) of keys and values: grouped
    queries; kv_heads=1: one for all. Rotary positions turn feature i with feature i + head_features / 2 by the angle
    time · rotary_base^(-2 i / head_features), the order of Llama's published weights; a sequence to itself only.

    Shapes: x [batch, time, features], key and value [batch, key time, ...] -> [batch, time, features];
    qkv kernel [features, 3, heads, head_features], or query kernel [features, heads, head_features] and kv kernel
    [features, 2, kv_heads, head_features]; out kernel [heads, head_features, features].
    Source: Vaswani et al., arXiv:1706.03762, section 3.2; Shazeer, arXiv:1911.02150; Ainslie et al., arXiv:2305.13245;
    rotary, Su et al., arXiv:2104.09864.
    """

    op: ClassVar[str] = "attention"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "key?", "value?", "mask?")
    shape: ClassVar[str] = "x [batch, time, features], key and value [batch, key time, ...] -> [batch, time, features]"
    stochastic: ClassVar[bool] = True


class TransformerBlock(_Heads):
    """Self-attention and a two-layer perceptron, each normalised and added to what it started from.

    pre:  x <- x + attention(norm1(x)), y = x + mlp(norm2(x))
    post: x <- norm1(x + attention(x)), y = norm2(x + mlp(x))
    mlp(x) = mlp_out(activation(mlp_in(x))); gated: mlp_out(activation(a) · b), where mlp_in(x) gives a and b.
    Dropout acts on the attention weights and on both branches.

    `gated: true` with `activation: silu` is SwiGLU, with gelu GeGLU. Attention and `mask` as in `attention`.

    Shapes: [batch, time, features] -> same; mlp_in kernel [features, hidden], gated [features, 2, hidden].
    Source: Vaswani et al., arXiv:1706.03762, section 3.1; pre, Xiong et al., arXiv:2002.04745; gated, Shazeer,
    arXiv:2002.05202.
    """

    op: ClassVar[str] = "transformer_block"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?")
    shape: ClassVar[str] = "[batch, time, features] -> same"
    stochastic: ClassVar[bool] = True

    mlp_ratio: Number = Field(4.0, gt=0, description="hidden size of the perceptron / features")
    hidden: Positive | None = Field(None, description="hidden size of the perceptron; null: by mlp_ratio")
    gated: bool = Field(False, description="multiply the activation by a second product of the input, as SwiGLU does")
    activation: Activation = Field("gelu", description="activation of the perceptron")
    norm: Literal["pre", "post"] = Field("pre", description="normalise what enters a branch, or the sum after it")
    norm_type: Literal["layer_norm", "rms_norm"] = Field("layer_norm", description="kind of normalisation")
    epsilon: Number = Field(1e-6, gt=0, description="added to the variance in the normalisations")
