"""Every layout computes what one device computes: the same losses step by step, the same state, the same evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from devices import run_file
from layouts import LAYOUTS

DIVIDE = {"pmap": set(), "data": set(), "fsdp": {"fsdp"}, "tensor": {"tensor"}, "mesh": {"fsdp", "tensor"}}
"""The axes over which each layout divides the state."""

ABSOLUTE = 1e-6
"""Sums over a batch come in another order on each layout, which moves a number of size one by a few units of 2**-24;
beside that, a weight or an average that happens to be near zero has no relative precision to compare."""


class Outcomes:
    """What each layout came to; the model is trained when the first is asked for."""

    def __init__(self, model: str, folder: Path) -> None:
        self._model, self._folder = model, folder / model

    def of(self, layout: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The final state by path, and the report."""
        if not self._folder.exists():
            self._folder.mkdir()
            run_file("battery.py", str(self._folder), self._model)
        with np.load(self._folder / f"{layout}.npz") as arrays:
            state = dict(arrays)
        return state, json.loads((self._folder / f"{layout}.json").read_text(encoding="utf-8"))


def close(got: Any, wanted: Any, what: str, absolute: float = ABSOLUTE) -> None:
    """Fail unless both are equal up to rounding."""
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=absolute, err_msg=what)


@pytest.mark.slow
class Agreement:
    """The claims, for the model of a subclass; each has a file, so that several processes share the models."""

    model: str

    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
        """Of this model."""
        assert request.cls is not None
        return Outcomes(request.cls.model, tmp_path_factory.mktemp("battery"))

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_the_loss_of_every_step_is_that_of_one_device(self, layout: str, outcomes: Outcomes) -> None:
        (_, one), (_, many) = outcomes.of("single"), outcomes.of(layout)
        assert (many["layout"], many["devices"]) == (layout, 8)
        assert [(record["step"], record["split"]) for record in many["history"]] == [
            (record["step"], record["split"]) for record in one["history"]
        ]
        for got, wanted in zip(many["history"], one["history"], strict=True):
            assert list(got) == list(wanted)
            for name, value in wanted.items():
                if name != "split":
                    close(got[name], value, f"{name} at step {wanted['step']} ({wanted['split']})")

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_the_final_state_is_that_of_one_device(self, layout: str, outcomes: Outcomes) -> None:
        (one, _), (many, _) = outcomes.of("single"), outcomes.of(layout)
        assert list(many) == list(one)
        for name, wanted in one.items():
            assert many[name].shape == wanted.shape and many[name].dtype == wanted.dtype, name
            close(many[name], wanted, name)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_uneven_splits_are_evaluated_and_predicted_row_for_row(self, layout: str, outcomes: Outcomes) -> None:
        (_, one), (_, many) = outcomes.of("single"), outcomes.of(layout)
        assert any(rows % 8 for rows in many["rows"].values())
        for split, results in one["splits"].items():
            for name, value in results.items():
                close(many["splits"][split][name], value, f"{name} of {split}")
            if "confusion" in results:
                assert np.sum(many["splits"][split]["confusion"]) == many["rows"][split]
        assert len(many["predicted"]) == many["rows"]["test"]
        # Trained weights differ in their last bits, and nine blocks in a row add those differences up.
        close(many["predicted"], one["predicted"], "predictions", 4 * ABSOLUTE)

    def test_the_state_lies_as_the_layout_says_after_training(self, outcomes: Outcomes) -> None:
        whole = outcomes.of("single")[1]["pieces"]
        for layout, axes in DIVIDE.items():
            report = outcomes.of(layout)[1]
            found = {
                axis for axis in ("data", "fsdp", "tensor") if any(axis in spec for spec in report["specs"].values())
            }
            assert found == axes, layout
            assert (report["pieces"] < whole) if axes else (report["pieces"] == whole), layout
