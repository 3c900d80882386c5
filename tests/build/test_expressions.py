"""Losses and metrics that a recipe writes out as formulas."""

from __future__ import annotations

import numpy as np
import pytest

import framework as fw
from framework.core.errors import ConfigError

FORMULA = "{type: expr, expression: 'square(p - t)', inputs: {p: outputs.prediction, t: batch.target}}"
SMALL = ["network.layers.hidden.dense.features=4", "network.layers.drop.dropout.rate=0.0", "trainer.epochs=1"]


def test_a_formula_equals_the_built_in_loss_and_metric() -> None:
    written = fw.load(
        "diabetes_regression", [*SMALL, "~losses", "~metrics", f"+losses.own={FORMULA}", f"+metrics.own={FORMULA}"]
    )
    built_in = fw.load(
        "diabetes_regression", [*SMALL, "~losses", "~metrics", "+losses.own={type: mse}", "+metrics.own={type: mse}"]
    )
    state, batch = written.init(), written.batch(0)
    one, logs = written.step(state, batch)
    other, other_logs = built_in.step(state, batch)
    np.testing.assert_allclose(logs["loss"], other_logs["loss"], rtol=1e-6)
    np.testing.assert_allclose(one.params["prediction"]["kernel"], other.params["prediction"]["kernel"], rtol=1e-5)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("{type: expr, expression: 'open(p)', inputs: {p: outputs.prediction}}", ["losses.own", "open"]),
        ("{type: expr, expression: 'p - q', inputs: {p: outputs.prediction}}", ["losses.own", "'q'"]),
        ("{type: expr, expression: 'p', inputs: {p: outputs.prediction, q: batch.target}}", ["losses.own", "'q'"]),
        ("{type: expr, expression: 'sum(p)', inputs: {p: outputs.prediction}}", ["losses.own", "for each example"]),
        ("{type: expr, expression: 'p @ p', inputs: {p: batch.features}}", ["losses.own", "features"]),
    ],
)
def test_a_wrong_formula_is_told_with_its_key(formula: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        fw.load("diabetes_regression", [*SMALL, f"+losses.own={formula}"]).check()
    for word in words:
        assert word in str(caught.value)
