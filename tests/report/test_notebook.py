"""Results in a notebook are well-formed and escape what comes from outside."""

from __future__ import annotations

import json
import math
from pathlib import Path
from xml.etree import ElementTree

from framework.report.notebook import confusion_html, curve_html, metrics_html, result_html

HISTORY = [
    {"step": 10 * step, "epoch": step, "split": split, "loss": 10.0 ** (-step)}
    for step in range(1, 4)
    for split in ("train", "valid")
]


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<root>{text}</root>")


def texts(element: ElementTree.Element, tag: str) -> list[str]:
    return ["".join(item.itertext()) for item in element.iter(tag)]


def test_a_result_shows_its_metrics_curves_and_matrix_with_class_names(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(json.dumps({"class_names": ["no", "yes"]}))
    metrics = {"test": {"accuracy": 0.97222, "confusion": [[3, 1], [0, 4]]}}
    root = parsed(result_html(tmp_path, metrics, HISTORY))
    assert texts(root, "th") == ["", "test", "accuracy", "", "no", "yes", "no", "yes"]
    assert texts(root, "td") == ["0.9722", "3", "1", "", "4"]
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polyline"))) == 2


def test_a_result_without_metrics_or_history_is_still_well_formed(tmp_path: Path) -> None:
    root = parsed(result_html(tmp_path, {}, []))
    assert tmp_path.name in texts(root, "b")


def test_names_are_escaped(tmp_path: Path) -> None:
    bad = '<script>alert(1)</script>&"'
    root = parsed(
        metrics_html({bad: {bad: 1.0}})
        + confusion_html([[1, 0], [0, 1]], [bad, "b"], title=bad)
        + curve_html([{"step": 1, "split": bad, bad: 1.0}], bad)
        + result_html(tmp_path / bad, {})
    )
    assert list(root.iter("script")) == []
    assert texts(root, "th").count(bad) == 4


def test_a_curve_over_orders_of_magnitude_is_logarithmic_and_fills_its_frame() -> None:
    root = parsed(curve_html(HISTORY))
    assert "log scale" in "".join(root.itertext())
    points = next(root.iter("{http://www.w3.org/2000/svg}polyline")).attrib["points"].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == [8.0, 75.0, 142.0]


def test_a_curve_passes_over_what_is_not_finite() -> None:
    history = [{"step": 1, "split": "train", "loss": math.nan}, {"step": 2, "split": "train", "loss": 1.0}]
    points = next(parsed(curve_html(history)).iter("{http://www.w3.org/2000/svg}polyline")).attrib["points"].split()
    assert len(points) == 1
    assert curve_html(history[:1]) == ""


def test_many_classes_are_not_laid_out_in_a_notebook() -> None:
    assert "40 classes" in confusion_html([[0] * 40] * 40)
