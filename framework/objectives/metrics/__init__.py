"""Metrics as pure functions over mergeable states; see `Metric`."""

from __future__ import annotations

from framework.objectives.metrics.base import Metric
from framework.objectives.metrics.counts import accuracy, confusion, top_k
from framework.objectives.metrics.expression import expr
from framework.objectives.metrics.likelihood import perplexity
from framework.objectives.metrics.ranking import auroc
from framework.objectives.metrics.rates import f1, precision, recall
from framework.objectives.metrics.regression import mae, mse, r2, rmse

__all__ = [
    "Metric",
    "accuracy",
    "auroc",
    "confusion",
    "expr",
    "f1",
    "mae",
    "mse",
    "perplexity",
    "precision",
    "r2",
    "recall",
    "rmse",
    "top_k",
]
