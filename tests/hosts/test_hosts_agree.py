"""Two and four processes compute what one does: every step, every result, every output; and share the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import HERE, run

from framework.data.schedule import BatchSchedule

pytestmark = pytest.mark.slow

TWO = ("mlp:data:streamed", "mlp:fsdp:kept", "cnn:pmap:streamed")
FOUR = ("mlp:mesh:streamed",)
CASES = [(case, 2) for case in TWO] + [(case, 4) for case in FOUR]
BATCH = 16

ABSOLUTE = 1e-6
"""Sums over a batch come in another order; a number near zero has no relative precision to compare."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one, two and four processes came to."""
    root = tmp_path_factory.mktemp("hosts")
    saved = root / "2" / "runs" / TWO[1].replace(":", "_")
    jobs = {1: ("mlp:single", "cnn:single"), 2: TWO, 4: (*FOUR, str(saved))}
    for count, cases in jobs.items():
        (root / str(count)).mkdir()
        run([str(HERE / "together.py"), str(root / str(count)), *cases], count)
    return root


def report(folder: Path, case: str, count: int) -> dict[str, Any]:
    return json.loads((folder / str(count) / f"{case.replace(':', '_')}.json").read_text(encoding="utf-8"))


def state(folder: Path, name: str, count: int) -> dict[str, np.ndarray]:
    with np.load(folder / str(count) / f"{name.replace(':', '_')}.npz") as arrays:
        return dict(arrays)


def alone(case: str) -> str:
    return f"{case.partition(':')[0]}:single"


def close(got: Any, wanted: Any, what: str) -> None:
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=ABSOLUTE, err_msg=what)


@pytest.mark.parametrize(("case", "count"), CASES)
def test_the_loss_of_every_step_is_that_of_one_process(case: str, count: int, folder: Path) -> None:
    one, many = report(folder, alone(case), 1), report(folder, case, count)
    assert (many["layout"], many["processes"], many["devices"]) == (case.split(":")[1], count, count)
    assert len(many["history"]) == len(one["history"])
    for got, wanted in zip(many["history"], one["history"], strict=True):
        assert (got["step"], got["split"]) == (wanted["step"], wanted["split"])
        for name in wanted.keys() - {"split"}:
            close(got[name], wanted[name], f"{name} at step {wanted['step']}")


@pytest.mark.parametrize(("case", "count"), CASES)
def test_the_final_state_is_that_of_one_process(case: str, count: int, folder: Path) -> None:
    one, many = state(folder, alone(case), 1), state(folder, case, count)
    assert list(many) == list(one)
    for name, wanted in one.items():
        close(many[name], wanted, name)


@pytest.mark.parametrize(("case", "count"), CASES)
def test_results_and_outputs_of_an_uneven_split_are_those_of_one_process(case: str, count: int, folder: Path) -> None:
    one, many = report(folder, alone(case), 1), report(folder, case, count)
    for name, value in one["results"].items():
        close(many["results"][name], value, name)
    close(many["predicted"], one["predicted"], "outputs")


@pytest.mark.parametrize(("case", "count"), [pair for pair in CASES if "streamed" in pair[0]])
def test_each_process_loads_the_rows_of_its_own_devices_alone(case: str, count: int, folder: Path) -> None:
    name, own = case.replace(":", "_"), BATCH // count
    asked = [
        json.loads((folder / str(count) / f"{name}.rows{process}.json").read_text(encoding="utf-8"))
        for process in range(count)
    ]
    length = 1 + max(row for rows in asked for part in rows["train"] for row in part)
    schedule = BatchSchedule(length, BATCH, 0)
    first = schedule.block(0, length // BATCH)
    for process, rows in enumerate(asked):
        assert max(len(part) for parts in rows.values() for part in parts) <= own
        for other in range(count):
            shares = first[:, other * own : (other + 1) * own].tolist()
            assert [share in rows["train"] for share in shares] == [other == process] * len(shares)


def test_what_two_processes_saved_four_restore_bit_for_bit(folder: Path) -> None:
    two, four = state(folder, TWO[1], 2), state(folder, "restored", 4)
    assert list(four) == list(two)
    for name, value in two.items():
        assert four[name].tobytes() == value.tobytes(), name
