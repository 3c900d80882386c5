"""New inputs for a trained network, prepared as its training data was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from framework.data.protocol import LABELLED, Arrays, Facts
from framework.data.statistics import Scaler, apply_scalers


def input_names(facts: Facts) -> tuple[str, ...]:
    """The batch arrays that are inputs: all but labels and targets."""
    return tuple(name for name in facts["arrays"] if name not in LABELLED)


def normalize_inputs(arrays: Mapping[str, Any] | np.ndarray, facts: Facts) -> Arrays:
    """Inputs in the units of the data, scaled as the training split was.

    Args:
      arrays: batch array name -> values with a leading batch axis; one array where the data has one input.
      facts: `Dataset.facts()` of the training run.
    """
    named = arrays if isinstance(arrays, Mapping) else {input_names(facts)[0]: arrays}
    typed = {name: np.asarray(array, facts["arrays"][name]["dtype"]) for name, array in named.items()}
    return apply_scalers(typed, {name: Scaler.from_facts(item) for name, item in facts["scalers"].items()})


def read_inputs(path: str | Path, section: Any, facts: Facts) -> Arrays:
    """The inputs in a file, scaled as the training split was."""
    with np.load(path, allow_pickle=False) as file:
        return normalize_inputs({name: file[name] for name in input_names(facts) if name in file.files}, facts)
