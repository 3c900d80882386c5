"""New inputs in whatever form Python has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError
from framework.data.data_frames import is_data_frame, read_data_frame, reads_data_frames
from framework.data.input_files import read_inputs
from framework.data.inputs import normalize_inputs
from framework.data.protocol import Arrays, Facts


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
