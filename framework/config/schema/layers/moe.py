"""Layers of several experts, of which each position uses a few."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Number
from framework.config.schema.layers.fields import Activation, Positive
from framework.config.schema.layers.parametrised import KernelSpec


class MixtureOfExperts(KernelSpec):
    """Two-layer perceptrons side by side; a router sends each position to its top_k of them.

    p = softmax(router(x)), y = sum_{e in top_k(p)} w_e expert_e(x), expert_e(x) = out_e(activation(in_e(x)));
    gated: out_e(activation(gate_e(x)) · in_e(x)). w_e is p_e, divided by the sum over the chosen where `normalize` says
    so. Of equal p the expert with the smaller number is chosen. The router computes in float32 or better.

    Without `capacity_factor` no position is dropped, and every expert computes every position: experts / top_k times
    the products that are needed, but no sorting, and exact on every layout over devices. With it each expert takes the
    first ceil(capacity_factor · top_k · time / experts) positions of each example that choose it, and a later one gets
    nothing from it (so that causal models stay causal): top_k · capacity_factor / experts of those products, and two
    of size time · capacity to bring positions to experts and back.

    `mask`, [batch, time] with true for what counts, keeps padding away from experts; it gives 0 there. A position is an
    index of all axes between batch and features.

    Tells two costs for each example, which a loss reads as `costs.balance` and `costs.router_z`:
    balance = experts · sum_e f_e mean_t p_te, with the share f_e of all choices of the batch that fall on expert e; 1
    where all experts are used alike, up to experts / top_k; router_z = mean_t (log sum_e exp router(x)_te)². Positions
    and rows that are padding do not count.

    Shapes: [batch, ..., features] -> same; router kernel [features, experts]; experts_in and experts_gate kernel
    [experts, features, hidden], experts_out kernel [experts, hidden, features].
    Source: Shazeer et al., arXiv:1701.06538; Lepikhin et al., arXiv:2006.16668, algorithm 1 (dispatch, capacity); Fedus
    et al., arXiv:2101.03961, equations 4 to 6 (balance); Zoph et al., arXiv:2202.08906, equation 5 (router_z).
    """

    op: ClassVar[str] = "mixture_of_experts"
    inputs: ClassVar[tuple[str, ...] | None] = ("x", "mask?")
    shape: ClassVar[str] = "[batch, ..., features] -> same"

    experts: Positive = Field(description="number of experts")
    top_k: Positive = Field(2, description="number of experts that each position uses")
    mlp_ratio: Number = Field(4.0, gt=0, description="hidden size of each expert / features")
    hidden: Positive | None = Field(None, description="hidden size of each expert; null: by mlp_ratio")
    gated: bool = Field(False, description="multiply the activation by a second product of the input, as SwiGLU does")
    activation: Activation = Field("gelu", description="activation of the experts")
    normalize: bool | None = Field(
        None, description="divide the weights of the chosen experts by their sum; null: where top_k > 1"
    )
    capacity_factor: Number | None = Field(
        None, gt=0, description="room of an expert in each example, over an even share; null: no limit"
    )
