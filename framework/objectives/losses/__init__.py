"""Losses: from wired arrays to one number per example, or per position of one, before masks and means.

Each is computed in float32 (or float64, where the arrays are) whatever the arrays' type. Shapes and types are checked
while tracing, and a mistake raises ValueError; values cannot be checked under jit.
"""

from __future__ import annotations

from framework.objectives.losses.classification import bce, cross_entropy
from framework.objectives.losses.expression import expr
from framework.objectives.losses.regression import huber, mae, mse

__all__ = ["bce", "cross_entropy", "expr", "huber", "mae", "mse"]
