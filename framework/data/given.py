"""New inputs and new examples in whatever form Python has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.convert import convert
from framework.data.data_frames import is_data_frame, read_data_frame, reads_data_frames
from framework.data.dataset import Dataset, View
from framework.data.held import WHOLE
from framework.data.in_memory import hold_as
from framework.data.input_files import read_inputs
from framework.data.inputs import normalize_inputs, scalers_of
from framework.data.labels import encode_labels
from framework.data.protocol import Arrays, ArraySource, Facts


def given_inputs(inputs: Any, name: str, section: Any, facts: Facts) -> Arrays:
    """Inputs in the units of the data, scaled as the training split was.

    Args:
      inputs: an array with a leading batch axis; a mapping of batch array names to such; a data frame, whose columns
        are found by name, where the run was trained on a table; or the path of a file.
      name: the batch array that a single array is.
      section: the section `data` of the run.
      facts: `Dataset.facts()` of the run.

    Raises:
      DataError: they are not what the network reads.
    """
    if isinstance(inputs, str | Path):
        try:
            return read_inputs(inputs, section, facts)
        except DataError as error:
            raise DataError(replace(problem, key="inputs") for problem in error.problems) from None
    if is_data_frame(inputs) and reads_data_frames(facts):
        return read_data_frame(inputs, facts)
    return normalize_inputs(dict(inputs) if isinstance(inputs, Mapping) else {name: np.asarray(inputs)}, facts)


def given_examples(data: Any, section: Any, dataset: Dataset) -> Dataset:
    """Examples with their answers as the one split `given`, scaled and numbered as those of a run.

    Args:
      data: `(x, y)`, or a dict of batch arrays by name, in the units of the data.
      section: the section `data` of the run.
      dataset: the run's.

    Raises:
      DataError: they are not like the run's: a name, a shape, a kind of numbers, or a label.
    """
    facts = dataset.facts()
    arrays = dict(hold_as(data, tuple(dataset.spec), facts).splits[WHOLE])
    if "label" in arrays and getattr(section, "classes", None) is not None:
        names = facts.get("class_names") if arrays["label"].dtype.kind == "U" else None
        arrays["label"], _ = encode_labels(arrays["label"], section.classes, names, lambda row: f"example {row}")
    problems = []
    for name, spec in dataset.spec.items():
        arrays[name] = convert(name, arrays[name])
        if arrays[name].shape[1:] != spec.shape:
            found = f"array '{name}' has shape {list(arrays[name].shape)}"
            problems.append(Problem("data", found, str(["examples", *spec.shape]).replace("'", "")))
    if problems:
        raise DataError(problems)
    source = ArraySource({name: arrays[name] for name in dataset.spec})
    view = View(source, np.arange(len(source)), scalers_of(facts))
    return Dataset({"given": view}, dataset.spec, dataset.classes, facts)
