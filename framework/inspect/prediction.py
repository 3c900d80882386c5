"""Outputs of a run that is on disk, for inputs in a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.config.schema.losses import RegressionLoss
from framework.config.schema.root import Config
from framework.core.errors import ConfigError, Problem, RunError
from framework.core.words import listed
from framework.data import read_inputs
from framework.data.inputs import input_names
from framework.data.statistics import Scaler
from framework.inspect.prediction_files import CLASS, Prediction
from framework.train.directory import RunDirectory
from framework.train.evaluation import Evaluator
from framework.train.saved import setup_of, state_of


def predict_file(path: Path, file: Path, checkpoint: str | int = "best", *, trust: Sequence[str] = ()) -> Prediction:
    """Predict for the inputs in a file with a checkpoint of a run. The run's training data need not be there.

    Args:
      path: the run directory.
      file: `.npz`, `.csv`, `.png` ..., in the units of the original data.
      checkpoint: `best`, `last` or a step.
      trust: prefixes of the user's own modules.

    Raises:
      RunError: there is no such run or checkpoint.
      ConfigError: the file does not exist, or is a folder and the network takes no images.
      DataError: the file does not hold the inputs of the network.
    """
    facts = RunDirectory.open(path).read("data.json")
    if facts is None:
        raise RunError(Problem(str(path), "has no data.json", expected="a run that was trained", fix=f"run.dir={path}"))
    if not file.exists():
        raise ConfigError(
            Problem("--input", f"{file} does not exist", expected="a file of inputs", fix="check the path")
        )
    if file.is_dir():
        _refuse_folder(file, facts)
    setup = setup_of(path, trust=trust)
    inputs = read_inputs(file, setup.config.data, facts)
    state = state_of(setup, path, checkpoint, None)
    outputs = Evaluator(setup.abstract, None, setup.strategy).predict(state, inputs)
    names = facts.get("class_names")
    restored = _restored(outputs, setup.config, facts)
    return Prediction(restored | _classes(outputs, setup.config), tuple(names) if names else None)


def _refuse_folder(folder: Path, facts: dict[str, Any]) -> None:
    """See that a folder is for a network of images; for another one a file that lies in it is named, if one may fit.

    Raises:
      ConfigError: it is not.
    """
    arrays = facts["arrays"]
    if "image" in arrays:
        return
    columns = facts.get("columns") or ()
    endings = [".csv", ".parquet", ".tsv"] if columns else []
    endings += [".npz", *([".txt"] if "tokens" in arrays else [])]
    inside = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in endings)
    inside.sort(key=lambda path: endings.index(path.suffix.lower()))
    holding = f" with the columns {listed(columns, 6)}" if columns else f" with {', '.join(input_names(facts))}"
    raise ConfigError(
        Problem(
            "--input",
            f"'{folder}' is a folder, which only a network of images takes",
            expected=f"a file ({', '.join(endings)}){holding}",
            fix=f"--input {shlex.quote(str(inside[0] if inside else folder / f'FILE{endings[0]}'))}",
        )
    )


def _restored(outputs: Mapping[str, np.ndarray], config: Config, facts: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The outputs, those that learned a scaled target in its own units again."""
    scaled = {
        loss.predictions.removeprefix("outputs."): loss.targets.removeprefix("batch.")
        for loss in config.losses.values()
        if isinstance(loss, RegressionLoss)
    }
    found = {}
    for name, array in outputs.items():
        scaler = facts["scalers"].get(scaled.get(name, ""))
        found[name] = Scaler.from_facts(scaler).invert(array) if scaler else array
    return found


def _classes(outputs: Mapping[str, np.ndarray], config: Config) -> dict[str, np.ndarray]:
    """The most likely class under the logits that the first cross-entropy reads."""
    for loss in config.losses.values():
        name = getattr(loss, "logits", "").removeprefix("outputs.")
        if loss.type == "cross_entropy" and name in outputs and CLASS not in outputs:
            return {CLASS: outputs[name].argmax(-1).astype(np.int32)}
    return {}
