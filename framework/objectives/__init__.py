"""Losses, and metrics whose states merge exactly. Both are pure functions of the arrays that a recipe wires to them."""

from __future__ import annotations

from framework.objectives.masks import masked_mean, masked_sum

__all__ = ["masked_mean", "masked_sum"]
