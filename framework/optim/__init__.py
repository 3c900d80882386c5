"""Optimizers and schedules over Optax, built inside the traced program from its scalars."""

from __future__ import annotations

from framework.optim.building import learning_rate_at, make_optimizer, make_schedule

__all__ = ["learning_rate_at", "make_optimizer", "make_schedule"]
