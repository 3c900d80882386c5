"""Durable states: Orbax writes the arrays, a manifest with SHA-256 digests says whether they can be trusted."""

from __future__ import annotations

from framework.checkpoint.checkpoints import Checkpoints, CheckpointWarning

__all__ = ["CheckpointWarning", "Checkpoints"]
