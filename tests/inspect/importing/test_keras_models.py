"""Keras's models as its `to_json` writes them: equal counts, shared layers, blocks, archives, refusals by path."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import yaml

from framework.core.errors import ConfigError
from framework.inspect.importing.imported import imported
from framework.inspect.importing.keras import read_keras
from framework.inspect.importing.writing import declaration
from framework.network import Network

MODELS = Path(__file__).parent / "keras_models"
NAMES = sorted(path.stem for path in MODELS.glob("*.json"))


def tree(name: str) -> dict[str, Any]:
    return json.loads((MODELS / f"{name}.json").read_text())


def sized(held: Any) -> int:
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(held))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_statistics_are_as_many_as_in_keras(name: str) -> None:
    counted = tree(name)["_counted"]
    draft = read_keras(tree(name), f"{name}.json")
    network = Network(declaration(draft))
    spec = {own: jax.ShapeDtypeStruct((1, *given.shape), given.dtype) for own, given in draft.inputs.items()}
    variables = jax.eval_shape(
        lambda: network.init(jax.random.key(0), spec if len(spec) > 1 else next(iter(spec.values())))
    )
    assert sized(variables["params"]) == counted["parameters"]
    assert sized(variables.get("batch_stats", {})) == counted["statistics"]


def test_what_is_written_is_a_network_section_with_the_count_on_top() -> None:
    text = imported("keras", MODELS / "siamese.json")
    assert "# Parameters: 263" in text
    section = yaml.safe_load(text)
    assert section["layers"]["tower_2"] == {"from": "right", "share": "tower"}
    assert list(section["outputs"]) == ["head", "head_2"]
    assert Network(section)


def test_a_saved_archive_is_read_by_its_config(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", (MODELS / "perceptron.json").read_text())
    saved = imported("keras", tmp_path / "model.keras").splitlines()
    assert saved[1:] == imported("keras", MODELS / "perceptron.json").splitlines()[1:]


def test_a_softmax_at_the_end_is_kept_and_told() -> None:
    draft = read_keras(tree("perceptron"), "perceptron.json")
    assert draft.outputs == {"dense_1_softmax": "dense_1_softmax"}
    assert any("take logits: what 'dense_1' gives" in remark for remark in draft.remarks)


def test_all_that_cannot_be_kept_is_told_at_once_with_its_path() -> None:
    broken = copy.deepcopy(tree("perceptron"))
    layers = broken["config"]["layers"]
    layers[1]["config"]["data_format"] = "channels_first"
    layers[2]["config"] |= {"activation": "sparsemax", "kernel_constraint": {"class_name": "MaxNorm"}, "units": 0}
    layers[3]["config"]["noise_shape"] = [1, 8]
    layers[4] |= {"class_name": "Antirectifier", "module": "mine", "registered_name": "mine>Antirectifier"}
    with pytest.raises(ConfigError) as caught:
        read_keras(broken, "model.json")
    places = {problem.origin for problem in caught.value.problems}
    assert places == {
        "model.json: config.layers[1].config.data_format",
        "model.json: config.layers[2].config.activation",
        "model.json: config.layers[2].config.kernel_constraint",
        "model.json: config.layers[2].config.units",
        "model.json: config.layers[3].config.noise_shape",
        "model.json: config.layers[4]",
    }
    assert "Antirectifier of mine cannot be imported" in str(caught.value)


@pytest.mark.parametrize(
    ("model", "layer", "change", "found"),
    [
        ("sequence", "embedding", {"mask_zero": True}, "mask_zero: True cannot be imported"),
        ("sequence", "lstm_1", {"recurrent_activation": "hard_sigmoid"}, "recurrent_activation: 'hard_sigmoid'"),
        ("sequence", "lstm_1", {"dropout": 0.5}, "dropout: 0.5 cannot be imported"),
        ("convolutions", "conv2d_transpose", {"output_padding": [1, 1]}, r"output_padding: \[1, 1\]"),
        ("convolutions", "batch_normalization", {"axis": 1}, "axis: 1"),
        ("attention", "multi_head_attention", {"value_dim": 5}, "value_dim 5"),
        ("perceptron", "dense", {"dtype": "mixed_bfloat16"}, "dtype: mixed_bfloat16"),
    ],
)  # fmt: skip
def test_an_argument_that_cannot_be_kept_is_refused(model: str, layer: str, change: dict[str, Any], found: str) -> None:
    changed = copy.deepcopy(tree(model))
    for entry in changed["config"]["layers"]:
        if entry["config"]["name"] == layer:
            entry["config"] |= change
    with pytest.raises(ConfigError, match=found):
        read_keras(changed, "model.json")


def test_an_operation_between_layers_is_refused_by_its_module() -> None:
    changed = copy.deepcopy(tree("siamese"))
    for entry in changed["config"]["layers"]:
        if entry["class_name"] == "Subtract":
            entry["module"] = "keras.src.ops.numpy"
    with pytest.raises(ConfigError, match=r"Subtract of keras\.src\.ops\.numpy cannot be imported"):
        read_keras(changed, "model.json")


@pytest.mark.parametrize("content", ["[]", "{}", '{"class_name": "Dense", "config": {}}', "{"])
def test_what_is_no_model_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(ConfigError, match=r"is not a model with layers|is no JSON"):
        imported("keras", tmp_path / "model.json")
