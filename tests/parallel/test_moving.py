"""A run moves from layout to layout: its checkpoints hold one plain state, whoever wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from devices import run_file

import framework as fw
from framework.parallel.choose import LayoutWarning


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("moving")
    run_file("moves.py", str(folder))
    return folder, json.loads((folder / "report.json").read_text(encoding="utf-8"))


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_layout_gets_the_bits_that_the_last_one_left(runs: tuple[Path, dict[str, Any]]) -> None:
    _, report = runs
    assert report["handed_over"] == [[4, 0], [8, 0], [12, 0], [16, 0]]


def test_the_moved_run_goes_on_where_it_was(runs: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = runs
    whole, moved = records(folder / "whole"), records(folder / "moved")
    assert [(record["step"], record["split"]) for record in moved] == [(r["step"], r["split"]) for r in whole]
    for got, wanted in zip(moved, whole, strict=True):
        for name in set(wanted) - {"split"}:
            message = f"{name} at step {wanted['step']}"
            # The same tolerance as between layouts: see agreement.py.
            np.testing.assert_allclose(got[name], wanted[name], rtol=1e-5, atol=1e-6, err_msg=message)


def test_a_run_is_evaluated_under_its_last_layout(runs: tuple[Path, dict[str, Any]]) -> None:
    _, report = runs
    assert report["layout"] == "fsdp"
    assert list(report["test"]) == list(report["whole_test"])
    for name, value in report["whole_test"].items():
        np.testing.assert_allclose(report["test"][name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_run_is_evaluated_where_its_devices_are_not(runs: tuple[Path, dict[str, Any]]) -> None:
    folder, report = runs
    told = "the layout of the run is not used here: 8 devices are asked for, 1 is present"
    with pytest.warns(LayoutWarning, match=told):
        run = fw.open_run(folder / "moved", "last")
    results = run.evaluate("test")
    for name, value in report["test"].items():
        np.testing.assert_allclose(results[name], value, rtol=1e-5, atol=1e-6, err_msg=name)
