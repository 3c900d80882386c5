"""The Flax module of a node's body."""

from __future__ import annotations

from typing import Any

import jax
from flax import linen as nn

from framework.config.language.expression import Expression
from framework.config.language.graph import Node, Target
from framework.config.schema.layers.base import LayerSpec
from framework.network.context import Context, TracedValue
from framework.network.expression import evaluate
from framework.network.graph.foreign import foreign
from framework.network.layers import module_for


class ArrayExpression(nn.Module):
    """An `expr` node: a pure function of its inputs."""

    expression: Expression

    @nn.compact
    def __call__(self, *inputs: jax.Array, context: Context) -> jax.Array:
        constants = self.expression.constants.as_dict()
        names = (*self.expression.names, *self.expression.parameters)
        return evaluate(self.expression.text, constants | dict(zip(names, inputs, strict=True)))


def leaf_module(node: Node, name: str | None) -> nn.Module:
    """The module of a node whose body is no graph; called as `module(*inputs, context=context)`.

    Args:
      name: under which its parameters are kept; None outside of another module.
    """
    body: Any = node.body
    if isinstance(body, LayerSpec):
        fields = type(body).model_fields
        traced = {name: TracedValue(key, default) for name, key, default in node.traced if name in fields}
        return module_for(node.op)(**body.arguments() | traced, name=name)
    if isinstance(body, Expression):
        return ArrayExpression(body, name=name)
    assert isinstance(body, Target)
    return foreign(body, node, name)
