"""Figures are drawn from what a run left, and a missing matplotlib is a sentence, not a failure."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from framework.report import figures


def shades(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"), np.int32)


def close_to(pixels: np.ndarray, color: tuple[int, int, int]) -> int:
    """How many pixels have a colour."""
    return int((np.abs(pixels - np.array(color)).sum(axis=-1) < 20).sum())


def test_curves_have_a_panel_a_metric_with_training_and_validation_and_the_best_step(tmp_path: Path) -> None:
    records = []
    for step in range(1, 6):
        records.append({"step": 10 * step, "epoch": step, "split": "train", "loss": 10.0**-step, "learning_rate": 0.1})
        records.append({"step": 10 * step, "epoch": step, "split": "valid", "loss": 0.1 / step, "accuracy": step / 5})
    assert figures.draw_curves(records, tmp_path / "figures" / "two.png")
    assert figures.draw_curves(records, tmp_path / "best.png", best_step=40)
    without_accuracy = [{name: value for name, value in record.items() if name != "accuracy"} for record in records]
    assert figures.draw_curves(without_accuracy, tmp_path / "one.png")
    two, best, one = (shades(tmp_path / name) for name in ("figures/two.png", "best.png", "one.png"))
    assert two.shape[1] == 2 * one.shape[1], "the learning rate is no metric"
    assert close_to(two, (47, 109, 179)) > 500
    assert close_to(two, (217, 115, 13)) > 500
    assert not np.array_equal(two, best)


def test_no_records_draw_nothing(tmp_path: Path) -> None:
    assert not figures.draw_curves([], tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_a_perfect_confusion_matrix_is_dark_on_its_diagonal_alone(tmp_path: Path) -> None:
    figures.draw_confusion([[5, 0], [0, 7]], tmp_path / "a.png", ["no", "yes"], title="test")
    figures.draw_confusion([[0, 5], [7, 0]], tmp_path / "b.png", ["no", "yes"], title="test")
    right, wrong = (
        np.abs(shades(tmp_path / name) - np.array((8, 48, 107))).sum(axis=-1) < 20 for name in ("a.png", "b.png")
    )
    assert right.sum() == pytest.approx(wrong.sum(), rel=0.02)
    assert (right & wrong).sum() < 0.1 * right.sum(), "only the colour bar is dark in both"
    down, across = np.argwhere(right & ~wrong).T
    assert np.corrcoef(down, across)[0, 1] > 0.5, "the diagonal runs from the upper left to the lower right"


def test_predictions_are_drawn_point_by_point(tmp_path: Path) -> None:
    figures.draw_predictions(np.arange(5.0), np.arange(5.0)[:, None] + 1, tmp_path / "a.png", title="test")
    pixels = shades(tmp_path / "a.png")
    assert (pixels[..., 2] - pixels[..., 0] > 40).sum() > 100, "blue points"


def test_without_matplotlib_there_is_a_sentence_that_tells_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert figures.missing() is None
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert figures.missing() == (
        "no figures were drawn, since matplotlib is missing; pip install 'framework[figures]' brings it"
    )


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
