"""New inputs given in Python, and outputs taken back to the units of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import closest, listed
from framework.data.convert import convert
from framework.data.protocol import LABELLED, Arrays, Facts
from framework.data.statistics import Scaler, apply_scalers


def input_names(facts: Facts) -> tuple[str, ...]:
    """The batch arrays that are inputs: all but labels and targets."""
    return tuple(name for name in facts["arrays"] if name not in LABELLED)


def normalize_inputs(arrays: Mapping[str, Any] | np.ndarray, facts: Facts) -> Arrays:
    """Inputs in the units of the data, scaled as the training split was.

    Args:
      arrays: batch array name -> values with a leading batch axis; one array where the data has one input. An `image`
        of bytes is divided by 255, and a single channel may be left out.
      facts: `Dataset.facts()` of the training run.

    Raises:
      DataError: a name is unknown, or a shape or dtype does not fit; all problems are told.
    """
    known = input_names(facts)
    named = dict(arrays) if isinstance(arrays, Mapping) else {known[0]: arrays}
    problems: list[Problem] = []
    if not isinstance(arrays, Mapping) and len(known) > 1:
        problems.append(Problem("inputs", "one array is given", f"a mapping of {', '.join(known)}"))
    ready: Arrays = {}
    for name, values in named.items():
        if name not in known:
            near = closest(name, known)
            problems.append(
                Problem("inputs", f"no input is called '{name}'", listed(known), fix=f"'{near}'" if near else None)
            )
            continue
        try:
            ready[name] = convert(name, np.atleast_1d(np.asarray(values)))
        except TypeError as error:
            problems.append(Problem("inputs", f"array '{name}' {error}", "numbers"))
            continue
        problems.extend(_shape_problem(name, ready[name], facts))
    if problems:
        raise DataError(problems)
    return apply_scalers(ready, scalers_of(facts))


def scalers_of(facts: Facts) -> dict[str, Scaler]:
    """The scalers of a training run, by array."""
    return {name: Scaler.from_facts(item) for name, item in facts["scalers"].items()}


def denormalize(array: np.ndarray, facts: Facts, name: str = "target") -> np.ndarray:
    """Values in the units of the data, such as predictions of a scaled target."""
    item = facts["scalers"].get(name)
    return np.asarray(array) if item is None else Scaler.from_facts(item).invert(np.asarray(array))


def _shape_problem(name: str, array: np.ndarray, facts: Facts) -> list[Problem]:
    expected = tuple(facts["arrays"][name]["shape"])
    # A window of text may be shorter than those trained on; everything else has its one shape.
    fits = array.shape[1:] == expected or (name == "tokens" and array.ndim == 2)
    if fits:
        return []
    return [
        Problem(
            "inputs",
            f"array '{name}' has shape {list(array.shape)}",
            f"[batch, {', '.join(map(str, expected))}]" if expected else "[batch]",
        )
    ]
