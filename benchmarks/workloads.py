"""Writes the training rows of a recipe where all peers read them. Never imports JAX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework import data as data_room
from framework.config.compose import load

RECIPES = Path(__file__).parent / "peers" / "recipes"


def recipe(model: str) -> Path:
    """The recipe of a model."""
    return RECIPES / f"{model}.yaml"


def export(model: str, path: Path, overrides: Sequence[str] = ()) -> None:
    """Write what benchmarks/peers/workload.py reads: the rows scaled as `fw` scales them, whole batches only."""
    data: Any = load(str(recipe(model)), overrides).config.data
    arrays = data_room.load(data).arrays("train")
    inputs = next(arrays[name] for name in ("features", "image", "tokens") if name in arrays)
    labels = next(arrays[name] for name in ("label", "targets") if name in arrays)
    rows = len(inputs) // data.batch_size * data.batch_size
    classes = getattr(data, "vocabulary", None) or data.classes
    np.savez(path, model=model, inputs=inputs[:rows], labels=labels[:rows], classes=classes, batch_size=data.batch_size)
