"""The metric log reads back exactly, is the same text for the same training, and survives a crash."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from framework.core.errors import RunError
from framework.report.jsonl import MetricLog, encode, read_records


@pytest.mark.parametrize(
    "value",
    [0.1, 1 / 3, 1e-45, 5e-324, 1.7976931348623157e308, -0.0, float(np.float32(0.1)), 2**53 + 1, True, None, "x"],
)
def test_a_value_reads_back_exactly(tmp_path: Path, value: object) -> None:
    log = MetricLog(tmp_path / "metrics.jsonl")
    log.append({"step": 1, "split": "train", "loss": value})
    back = log.records()[0]["loss"]
    assert (back, type(back), repr(back)) == (value, type(value), repr(value))


@pytest.mark.parametrize(("value", "word"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_what_json_cannot_hold_is_null_and_named_beside(tmp_path: Path, value: float, word: str) -> None:
    line = encode({"step": 1, "split": "train", "loss": value, "accuracy": 0.5})
    plain = json.loads(line, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert plain == {"step": 1, "split": "train", "loss": None, "accuracy": 0.5, "nonfinite": {"loss": word}}
    MetricLog(tmp_path / "log").append({"step": 1, "split": "train", "loss": value})
    assert repr(read_records(tmp_path / "log")[0]["loss"]) == word
    assert "nonfinite" not in read_records(tmp_path / "log")[0]


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    line = encode({"step": np.int32(3), "split": "valid", "loss": np.float32(0.5), "count": np.array(2)})
    assert line == '{"step": 3, "split": "valid", "loss": 0.5, "count": 2}'


def test_a_record_starts_with_step_epoch_and_split() -> None:
    assert encode({"loss": 1.0, "split": "train", "epoch": 2, "step": 5}) == (
        '{"step": 5, "epoch": 2, "split": "train", "loss": 1.0}'
    )


def records(*steps: int) -> list[dict]:
    return [{"step": step, "epoch": 0, "split": "train", "loss": 1 / step} for step in steps]


def test_several_records_are_several_lines_in_order(tmp_path: Path) -> None:
    log = MetricLog(tmp_path / "metrics.jsonl")
    log.append(*records(1, 2))
    log.append(*records(3))
    log.sync()
    assert log.records() == records(1, 2, 3)
    assert log.path.read_text().count("\n") == 3


def test_truncating_gives_the_bytes_of_a_run_that_ended_there(tmp_path: Path) -> None:
    whole, cut = MetricLog(tmp_path / "whole"), MetricLog(tmp_path / "cut")
    whole.append(*records(10, 20))
    cut.append(*records(10, 20, 30, 40))
    cut.truncate_after(20)
    assert cut.path.read_bytes() == whole.path.read_bytes()
    cut.truncate_after(0)
    assert cut.path.read_bytes() == b""


@pytest.mark.parametrize("torn", ['{"step": 3, "spl', '{"step": 3', '{"step": 3}', "\x00\x00\x00", '{"step": 3}\x00\n'])
def test_a_line_cut_off_by_a_crash_is_passed_over_and_dropped(tmp_path: Path, torn: str) -> None:
    log = MetricLog(tmp_path / "metrics.jsonl")
    log.append(*records(1, 2))
    before = log.path.read_bytes()
    log.path.write_bytes(before + torn.encode())
    assert log.records() == records(1, 2)
    log.truncate_after(5)
    assert log.path.read_bytes() == before
    log.append(*records(3))
    assert log.records() == records(1, 2, 3)


def test_a_log_that_needs_no_cut_is_not_rewritten(tmp_path: Path) -> None:
    log = MetricLog(tmp_path / "metrics.jsonl")
    log.append(*records(1, 2))
    before = log.path.stat().st_ino
    log.truncate_after(2)
    assert log.path.stat().st_ino == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_log_that_was_never_written_is_empty(tmp_path: Path) -> None:
    log = MetricLog(tmp_path / "metrics.jsonl")
    log.truncate_after(5)
    log.sync()
    assert log.records() == []
    assert not log.path.exists()


def test_a_log_that_cannot_be_written_names_its_path(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"missing/metrics\.jsonl: could not be written: No such file or directory"):
        MetricLog(tmp_path / "missing" / "metrics.jsonl").append({"step": 1})
