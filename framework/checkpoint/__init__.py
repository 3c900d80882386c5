"""Durable states: Orbax writes the arrays, a manifest with SHA-256 digests says whether they can be trusted."""

from __future__ import annotations

from framework.checkpoint.checkpoints import Checkpoints, CheckpointWarning
from framework.checkpoint.leaves import take_part, to_device

__all__ = ["CheckpointWarning", "Checkpoints", "take_part", "to_device"]
