"""Which nodes may be given a sequence piece by piece: those that know each position alone or keep what they need."""

from __future__ import annotations

from collections.abc import Iterator

from framework.config.language.expression import Expression
from framework.config.language.graph import Graph, Node, Target
from framework.config.schema.layers.base import LayerSpec
from framework.core.errors import ConfigError, Problem

_KEEP = "attention transformer_block relative_bias positional_embedding rnn lstm gru conv_lstm s4d mamba"
"""Layers that keep what they need of earlier positions, or know where the present ones are."""

_ALONE = """
    dense bilinear layer_norm rms_norm layer_scale dropout alpha_dropout gaussian_dropout gaussian_noise
    stochastic_depth embed unembed gated_mlp mixture_of_experts gaussian_sample one_hot
    add multiply subtract average divide maximum minimum identity stop_gradient cast
    relu relu6 leaky_relu elu celu selu gelu silu swish mish sigmoid log_sigmoid tanh softplus soft_sign squareplus
    hard_tanh hard_sigmoid hard_silu hard_swish sparse_plus sparse_sigmoid prelu rrelu relu_squared thresholded_relu
    hard_shrink soft_shrink tanh_shrink quick_gelu exponential sine
"""
"""Layers that compute each position of [batch, time, features] by itself."""

_ON_AXIS = "concat softmax log_softmax glu crelu maxout"
"""Layers that do so along the last axis."""

_FINE = frozenset((_KEEP + _ALONE).split())
_LAST = frozenset(_ON_AXIS.split())


def require_piecewise(graph: Graph) -> None:
    """Refuses a network of which a node needs the whole sequence.

    Raises:
      ConfigError: with one problem for each such node.
    """
    problems = [
        Problem(
            node.key,
            f"{what} is not known to keep what it needs of earlier positions",
            "layers that know each position alone, causal attention, recurrences and state spaces",
            fix="give the network whole sequences: network.apply(variables, tokens)",
        )
        for node, what in _others(graph)
    ]
    if problems:
        raise ConfigError(problems)


def _others(graph: Graph) -> Iterator[tuple[Node, str]]:
    """Nodes that may mix positions, and what they are. Inside of `time_distributed` each position is alone."""
    for node in graph.nodes:
        body = node.body
        if isinstance(body, Graph):
            if body.wrap is not None and body.wrap.kind == "backwards":
                yield node, f"'{node.op}', which reads from the end,"
            elif body.wrap is None or body.wrap.kind != "steps":
                yield from _others(body)
        elif isinstance(body, Expression | Target):
            yield node, "an expression" if isinstance(body, Expression) else f"'{body.title}'"
        elif not _is_fine(node.op, body):
            yield node, f"'{node.op}'"


def _is_fine(op: str, spec: LayerSpec) -> bool:
    if op == "mixture_of_experts":  # room with an expert is given out by position
        return getattr(spec, "capacity_factor", None) is None
    return op in _FINE or (op in _LAST and getattr(spec, "axis", -1) == -1)
