"""State-space layers: linear recurrences over time, computed for all steps at once by an associative scan."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from framework.config.schema.base import Number
from framework.config.schema.layers.fields import Positive
from framework.config.schema.layers.parametrised import KernelSpec, ParametrisedSpec


class S4D(ParametrisedSpec):
    """Diagonal state-space layer: each feature drives linear oscillators of its own.

    s_t = exp(h A) s_{t-1} + (exp(h A) - 1) / A · x_t,  y_t = 2 Re(sum_n C_n s_tn) + D x_t,  for each feature

    A_n = -exp(log_decay_n) + i frequency_n are complex, and so are C_n; the step h = exp(log_step) is trained. At the
    start A_n = -1/2 + i pi n, and h lies between min_step and max_step, uniformly in its logarithm. It mixes no
    features: put a dense layer and an activation behind it. Computed in float32 or better, in about log2(time) rounds;
    memory grows with batch · time · features · states.

    Shapes: [batch, time, features] -> same; log_step and skip [features], log_decay and frequency [features, states],
    output [features, states, 2] (real and imaginary part).
    Source: Gu et al., arXiv:2206.11893 (S4D-Lin); Smith et al., arXiv:2208.04933, appendix H (the scan).
    """

    op: ClassVar[str] = "s4d"
    shape: ClassVar[str] = "[batch, time, features] -> same"

    states: Positive = Field(32, description="number of oscillators of each feature; half the states of the paper")
    min_step: Number = Field(0.001, gt=0, description="the shortest step at the start, in steps of time")
    max_step: Number = Field(0.1, gt=0, description="the longest step at the start")


class Mamba(KernelSpec):
    """Selective state-space layer, whose recurrence depends on what it reads.

    (u, z) = in(x);  u <- silu(conv(u));  (d, B, C) = select(u);  h = softplus(step(d))
    s_t = exp(h_t A) s_{t-1} + h_t u_t B_t,  v_t = s_t · C_t + D u_t,  for each inner feature;  y = out(v · silu(z))

    A = -exp(log_decay) is real, B and C are shared by all inner features, and the convolution is causal, over the
    last `kernel` steps of each feature. At the start A_n = -n, and softplus of step_bias lies between 0.001
    and 0.1. The recurrence is computed in float32 or better; memory grows with batch · time · inner · states.

    Shapes: [batch, time, features] -> same, inner = expand · features; in kernel [features, 2, inner], conv_kernel
    [kernel, inner] and conv_bias [inner], select kernel [inner, rank + 2 states], step_kernel [rank, inner] and
    step_bias [inner], log_decay [inner, states], skip [inner], out kernel [inner, features].
    `use_bias` is about `in` and `out`.
    Source: Gu and Dao, arXiv:2312.00752, algorithm 2, section 3.4 and its published code.
    """

    op: ClassVar[str] = "mamba"
    shape: ClassVar[str] = "[batch, time, features] -> same"

    states: Positive = Field(16, description="size of the state of each inner feature")
    expand: Positive = Field(2, description="inner features / features")
    kernel: Positive = Field(4, description="steps that the convolution sees, the present one among them")
    rank: Positive | None = Field(None, description="size of what steps are computed from; null: features / 16, up")
    use_bias: bool = Field(False, description="add trained biases in the first and the last product")
