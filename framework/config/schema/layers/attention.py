"""Attention between positions, and the transformer block made of it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from framework.config.schema.base import Number, Traced
from framework.config.schema.layers.fields import Initializer, MlpActivation, Positive
from framework.config.schema.layers.parametrised import KernelSpec, ParametrisedSpec

ROTARY_BASE = 10000.0
BUCKETS = 32
DISTANCE = 128


class _Heads(KernelSpec):
    """What attention by heads takes, alone or in a block."""

    heads: Positive = Field(description="number of attention heads")
    kv_heads: Positive | None = Field(
        None, description="number of heads of keys and values, each for heads / kv_heads queries; null: heads"
    )
    head_features: Positive | None = Field(None, description="size of each head; null: features / heads")
    causal: bool = Field(False, description="a position sees itself and earlier ones only")
    window: Positive | None = Field(
        None, description="a position sees those less than this far away, itself included; null: all"
    )
    position: Literal["none", "rotary", "alibi", "relative"] = Field(
        "none", description="rotary: turn queries and keys; alibi: a penalty by distance; relative: a trained one"
    )
    rotary_base: Number = Field(ROTARY_BASE, gt=1, description="2 pi base^(1 - 2 / head_features) is the longest wave")
    relative_buckets: int = Field(BUCKETS, ge=4, multiple_of=2, description="how many distances relative tells apart")
    relative_distance: int = Field(DISTANCE, gt=1, description="from this distance on, relative tells none apart")
    scale: Number | None = Field(
        None, gt=0, description="what products of queries and keys are multiplied by; null: 1 / sqrt(head_features)"
    )
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
        if self.position != "rotary" and self.rotary_base != ROTARY_BASE:
            raise ValueError("rotary_base is read by position: rotary alone; set position=rotary, or leave it out")
        if self.position != "relative" and (self.relative_buckets, self.relative_distance) != (BUCKETS, DISTANCE):
            raise ValueError(
                "relative_buckets and relative_distance are read by position: relative alone; set position=relative, "
                "or leave them out"
            )
        if self.position == "relative" and self.relative_distance <= self.relative_buckets // 2:
            raise ValueError(
                f"relative_distance {self.relative_distance} leaves {self.relative_buckets} buckets nothing to tell "
                f"apart; set relative_distance={4 * self.relative_buckets}"
            )
        return self


class Attention(_Heads):
    """Multi-head attention: of a sequence to itself, or to another one given as `key` (and `value`).

    weights = softmax_k(scale query_q · key_k + bias_qk), y_q = out(sum_k weights[q, k] value_k), for each head

    With `key` alone its sequence gives the values too. `mask` tells with true what may be seen: [batch, key time],
    [batch, query time, key time] or [batch, heads or 1, query time, key time]; a query that may see nothing gets 0.
    `bias` is added to the logits: [batch or 1, query time, key time] or [batch or 1, heads or 1, query time, key time].
    With `window: W`, query q sees keys q - W + 1 to q + W - 1, of which `causal` leaves those up to q.

    With fewer kv_heads than heads, query head h reads head floor(h · kv_heads / heads) of keys and values: grouped
    queries; kv_heads=1: one for all. Rotary positions turn feature i with feature i + head_features / 2 by the angle
    time · rotary_base^(-2 i / head_features), the order of Llama's published weights. `alibi` adds
    -2^(-8 (h + 1) / heads) |q - k| to the logits of head h. `relative` adds relative_bias[bucket(k - q), h]: half
    of the buckets hold one small distance each, the others logarithmically more up to relative_distance, and without
    `causal` keys ahead have half of them. All three are for a sequence to itself.

    Where tokens are generated one by one, keys and values of earlier ones are kept in the collection `cache`; that
    needs `causal`, or keys of another sequence.

    Shapes: x [batch, time, features], key and value [batch, key time, ...] -> [batch, time, features];
    qkv kernel [features, 3, heads, head_features], or query kernel [features, heads, head_features] and kv kernel
    [features, 2, kv_heads, head_features]; out kernel [heads, head_features, features].
    Source: Vaswani et al., arXiv:1706.03762, section 3.2; Shazeer, arXiv:1911.02150; Ainslie et al., arXiv:2305.13245;
    rotary, Su et al., arXiv:2104.09864; window, Beltagy et al., arXiv:2004.05150; alibi, Press et al.,
    arXiv:2108.12409; relative, Raffel et al., arXiv:1910.10683, section 2.1.
    """

    op: ClassVar[str] = "attention"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "key?", "value?", "mask?", "bias?")
    shape: ClassVar[str] = "x [batch, time, features], key and value [batch, key time, ...] -> [batch, time, features]"
    stochastic: ClassVar[bool] = True


class RelativeBias(ParametrisedSpec):
    """A trained bias of attention by the distance of two positions, for several layers to share.

    y[0, h, q, k] = embedding[bucket(k - q), h], with buckets as `attention` has them for `position: relative`

    Reads no more than the length of x. Wire it to the input `bias` of `attention` or `transformer_block`.

    Shapes: [batch, time, ...] -> [1, heads, time, time]; embedding [buckets, heads].
    Source: Raffel et al., arXiv:1910.10683, section 2.1.
    """

    op: ClassVar[str] = "relative_bias"
    shape: ClassVar[str] = "[batch, time, ...] -> [1, heads, time, time]"

    heads: Positive = Field(description="number of attention heads")
    buckets: int = Field(BUCKETS, ge=4, multiple_of=2, description="how many distances are told apart")
    distance: int = Field(DISTANCE, gt=1, description="from this distance on, none are told apart")
    causal: bool = Field(False, description="for causal attention: all buckets are for earlier positions")
    embedding_init: Initializer = Field("normal", description="initialiser of the biases")

    @model_validator(mode="after")
    def _beyond_the_exact_ones(self) -> Self:
        if self.distance <= self.buckets // 2:
            raise ValueError(
                f"distance {self.distance} leaves {self.buckets} buckets nothing to tell apart; set "
                f"distance={4 * self.buckets}"
            )
        return self


class TransformerBlock(_Heads):
    """Self-attention and a two-layer perceptron, each normalised and added to what it started from.

    pre:  x <- x + attention(norm1(x)), y = x + mlp(norm2(x))
    post: x <- norm1(x + attention(x)), y = norm2(x + mlp(x))
    cross, between the two: pre, x <- x + cross_attention(norm_cross(x), memory); post, likewise
    mlp(x) = mlp_out(activation(mlp_in(x))); gated: mlp_out(activation(a) · b), where mlp_in(x) gives a and b.
    Dropout acts on the attention weights and on both branches.

    `gated: true` with `activation: silu` is SwiGLU, with gelu GeGLU. Attention, `mask` and `bias` as in `attention`.
    With `cross: true` the block is a decoder's, which also attends to `memory`, of which `memory_mask`,
    [batch, memory time], tells what counts; windows, positions and `causal` are those of the sequence to itself.

    GPT-2 is `causal: true`, `epsilon: 1e-5`; BERT `norm: post`, `activation: gelu_exact`, `epsilon: 1e-12`; ViT
    `activation: gelu_exact`; T5 `norm_type: rms_norm`, `use_bias: false`, `scale: 1`, `activation: relu` and a bias of
    `relative_bias`.

    Shapes: [batch, time, features] -> same; mlp_in kernel [features, hidden], gated [features, 2, hidden].
    Source: Vaswani et al., arXiv:1706.03762, section 3.1; pre, Xiong et al., arXiv:2002.04745; gated, Shazeer,
    arXiv:2002.05202.
    """

    op: ClassVar[str] = "transformer_block"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?", "memory?", "memory_mask?", "bias?")
    shape: ClassVar[str] = "[batch, time, features] -> same"
    stochastic: ClassVar[bool] = True

    cross: bool = Field(False, description="attend to the input `memory` too, as a decoder does")
    mlp_ratio: Number = Field(4.0, gt=0, description="hidden size of the perceptron / features")
    hidden: Positive | None = Field(None, description="hidden size of the perceptron; null: by mlp_ratio")
    gated: bool = Field(False, description="multiply the activation by a second product of the input, as SwiGLU does")
    activation: MlpActivation = Field("gelu", description="activation of the perceptron")
    norm: Literal["pre", "post"] = Field("pre", description="normalise what enters a branch, or the sum after it")
    norm_type: Literal["layer_norm", "rms_norm"] = Field("layer_norm", description="kind of normalisation")
    epsilon: Number = Field(1e-6, gt=0, description="added to the variance in the normalisations")
