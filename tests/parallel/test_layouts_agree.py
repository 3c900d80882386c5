"""Every layout computes what one device computes: the same losses step by step, the same state, the same evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from devices import run_file
from layouts import LAYOUTS, MODELS

pytestmark = pytest.mark.slow

CASES = [(model, layout) for model in MODELS for layout in LAYOUTS]

DIVIDE = {"pmap": set(), "data": set(), "fsdp": {"fsdp"}, "tensor": {"tensor"}, "mesh": {"fsdp", "tensor"}}
"""The axes over which each layout divides the state."""

ABSOLUTE = 1e-6
"""Sums over a batch come in another order on each layout, which moves a number of size one by a few units of 2**-24;
beside that, a weight or an average that happens to be near zero has no relative precision to compare."""


class Outcomes:
    """What each layout came to, per model; a model is trained when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, model: str, layout: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        folder = self._folder / model
        if not folder.exists():
            folder.mkdir()
            run_file("battery.py", str(folder), model)
        with np.load(folder / f"{layout}.npz") as arrays:
            state = dict(arrays)
        return state, json.loads((folder / f"{layout}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return Outcomes(tmp_path_factory.mktemp("battery"))


def close(got: Any, wanted: Any, what: str, absolute: float = ABSOLUTE) -> None:
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=absolute, err_msg=what)


@pytest.mark.parametrize(("model", "layout"), CASES)
def test_the_loss_of_every_step_is_that_of_one_device(model: str, layout: str, outcomes: Outcomes) -> None:
    (_, one), (_, many) = outcomes.of(model, "single"), outcomes.of(model, layout)
    assert (many["layout"], many["devices"]) == (layout, 8)
    assert [(record["step"], record["split"]) for record in many["history"]] == [
        (record["step"], record["split"]) for record in one["history"]
    ]
    for got, wanted in zip(many["history"], one["history"], strict=True):
        assert list(got) == list(wanted)
        for name, value in wanted.items():
            if name != "split":
                close(got[name], value, f"{name} at step {wanted['step']} ({wanted['split']})")


@pytest.mark.parametrize(("model", "layout"), CASES)
def test_the_final_state_is_that_of_one_device(model: str, layout: str, outcomes: Outcomes) -> None:
    (one, _), (many, _) = outcomes.of(model, "single"), outcomes.of(model, layout)
    assert list(many) == list(one)
    for name, wanted in one.items():
        assert many[name].shape == wanted.shape and many[name].dtype == wanted.dtype, name
        close(many[name], wanted, name)


@pytest.mark.parametrize(("model", "layout"), CASES)
def test_uneven_splits_are_evaluated_and_predicted_row_for_row(model: str, layout: str, outcomes: Outcomes) -> None:
    (_, one), (_, many) = outcomes.of(model, "single"), outcomes.of(model, layout)
    assert any(rows % 8 for rows in many["rows"].values())
    for split, results in one["splits"].items():
        for name, value in results.items():
            close(many["splits"][split][name], value, f"{name} of {split}")
        if "confusion" in results:
            assert np.sum(many["splits"][split]["confusion"]) == many["rows"][split]
    assert len(many["predicted"]) == many["rows"]["test"]
    # Trained weights differ in their last bits, and nine blocks in a row add those differences up.
    close(many["predicted"], one["predicted"], "predictions", 4 * ABSOLUTE)


@pytest.mark.parametrize("model", MODELS)
def test_the_state_lies_as_the_layout_says_after_training(model: str, outcomes: Outcomes) -> None:
    whole = outcomes.of(model, "single")[1]["pieces"]
    for layout, axes in DIVIDE.items():
        report = outcomes.of(model, layout)[1]
        found = {axis for axis in ("data", "fsdp", "tensor") if any(axis in spec for spec in report["specs"].values())}
        assert found == axes, layout
        assert (report["pieces"] < whole) if axes else (report["pieces"] == whole), layout
