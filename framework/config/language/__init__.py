"""The network language: from declared layers, blocks and formulas to a typed graph. JAX-free."""

from __future__ import annotations

from framework.config.language.elaborate import elaborate
from framework.config.language.expression import Expression
from framework.config.language.frozen import FrozenMapping
from framework.config.language.graph import Graph, Node, Target

__all__ = ["Expression", "FrozenMapping", "Graph", "Node", "Target", "elaborate"]
