"""Figures are drawn from what a run left, and a missing matplotlib is a sentence, not a failure."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framework.report import figures
from framework.report.drawing import class_names_of, draw_run
from framework.report.jsonl import MetricLog


def make_run(folder: Path) -> Path:
    log = MetricLog(folder / "metrics.jsonl")
    for step in range(1, 6):
        log.append({"step": 10 * step, "epoch": step, "split": "train", "loss": 10.0**-step, "learning_rate": 0.1})
        log.append({"step": 10 * step, "epoch": step, "split": "valid", "loss": 0.1 / step, "accuracy": step / 5})
    result = {"best": {"step": 40}, "metrics": {"test": {"loss": 0.1, "confusion": [[3, 1], [0, 4]]}}}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "data.json").write_text(json.dumps({"class_names": ["no", "yes"]}))
    return folder


def test_a_run_gives_curves_confusion_and_predictions(tmp_path: Path) -> None:
    drawn = draw_run(make_run(tmp_path), predictions={"test": (np.arange(5.0), np.arange(5.0) + 0.1)})
    assert drawn.note is None
    assert [path.relative_to(tmp_path).as_posix() for path in drawn.files] == [
        "figures/learning_curves.png",
        "figures/confusion_test.png",
        "figures/predictions_test.png",
    ]
    for path in drawn.files:
        with Image.open(path) as image:
            assert image.format == "PNG"
            shades = np.asarray(image.convert("L"))
        assert min(shades.shape) > 300
        assert shades.min() < 100 < shades.max(), "something is drawn on it"


def test_without_matplotlib_there_is_a_sentence_that_tells_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    drawn = draw_run(make_run(tmp_path))
    assert drawn.files == ()
    assert (
        drawn.note == "no figures were drawn, since matplotlib is missing; pip install 'framework[figures]' brings it"
    )
    assert not (tmp_path / "figures").exists()


def test_a_run_without_records_has_no_figures(tmp_path: Path) -> None:
    assert draw_run(tmp_path).files == ()
    assert class_names_of(tmp_path) is None


def test_curves_draw_over_nan_and_single_points(tmp_path: Path) -> None:
    records = [
        {"step": 1, "split": "train", "loss": float("nan"), "epoch": 0},
        {"step": 2, "split": "train", "loss": 0.0, "epoch": 0},
        {"step": 2, "split": "valid", "loss": float("inf"), "epoch": 0},
    ]
    assert figures.draw_curves(records, tmp_path / "a.png", best_step=2)
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_a_constant_prediction_can_be_drawn(tmp_path: Path) -> None:
    figures.draw_predictions([1.0, 1.0], [1.0, 1.0], tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
