"""`fw plan` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from framework.cli.main import main
from framework.inspect.plan.planning import merged

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
MLP, TRANSFORMER = str(HERE / "tiny_mlp.yaml"), str(HERE / "tiny_transformer.yaml")


@pytest.mark.parametrize(
    ("words", "said", "fix"),
    [
        (("parallel.devices=0",), "parallel.devices: '0' devices", "parallel.devices=8"),
        (("parallel.devices=8,x",), "parallel.devices: 'x' devices", "parallel.devices=8"),
        ((), "parallel.devices: nothing says for how many devices", "parallel.devices=8,64,512"),
        (("parallel.devices=2", "--hbm", "3GIB"), "--hbm: unknown unit 'GIB'", "--hbm 3GiB"),
        (("parallel.devices=2", "--flops", "fast"), "--flops: 'fast'", "--flops 990e12"),
        (("parallel.devices=2", "--bandwidth", "-1"), "--bandwidth: '-1'", "--bandwidth 450e9"),
        (("parallel=data", "parallel.devices=2,7"), "32 rows cannot be divided among 7 devices", "data.batch_size=35"),
        (
            ("parallel=tensor", "parallel.devices=8,4096"),
            "4096 devices, of which XLA simulates at most 2048, and a smaller mesh tells of more copies alone",
            "parallel=mesh 'parallel.axes={data: -1, fsdp: 1, tensor: 128}', or parallel.devices=2048",
        ),
        (
            ("parallel=mesh", "parallel.axes={data: -1, fsdp: 4, tensor: 1024}", "parallel.devices=8192"),
            "each of which is fsdp 4 x tensor 1024 here",
            "'parallel.axes={data: -1, fsdp: 1, tensor: 512}', or parallel.devices=2048",
        ),
        (("parallel=auto", "parallel.devices=4096"), "XLA simulates at most 2048", "parallel=fsdp or parallel=data"),
    ],
)
def test_a_mistake_ends_with_two_and_the_fix(
    words: tuple[str, ...], said: str, fix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", MLP, *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert any(line.strip().startswith("fix:") and fix in line for line in err.splitlines()), err


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["plan", *words, "--json"]) == 0
    (outcome,) = json.loads(capsys.readouterr().out)["outcomes"]
    return outcome


def test_accumulation_is_found_where_nothing_is_repeated_and_mends_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = (MLP, "parallel=data", "parallel.devices=2", "data.batch_size=4096", "--hbm", "1.4MiB")
    tight = planned(capsys, *words)
    (attempt,) = tight["attempts"]
    assert attempt["overrides"] == ["data.batch_size=2048", "optimizer.accumulate_steps=2", "trainer.steps=16"]
    assert (tight["fits"], attempt["fits"]) == (False, True)
    mended = planned(capsys, *(word for word in words if "batch" not in word), *attempt["overrides"])
    assert (mended["fits"], mended["found"]["peak"], mended["attempts"]) == (True, attempt["peak"], [])


def test_remat_comes_first_where_layers_are_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    whole = planned(capsys, TRANSFORMER, "parallel=data", "parallel.devices=2", "--hbm", "6MiB")
    (attempt,) = whole["attempts"]
    assert attempt["overrides"] == ["network.layers.stack.remat=true"]
    assert attempt["peak"] < 6 * 2**20 < whole["found"]["peak"]


def test_a_real_command_prints_memory_collectives_and_time(tmp_path: Path) -> None:
    rates = ["--hbm", "1GiB", "--flops", "1e12", "--bandwidth", "1e9", "--memory-bandwidth", "1e10"]
    done = subprocess.run(
        [sys.executable, "-m", "framework", "plan", MLP, "parallel=data", "parallel.devices=2,4096",
         "data.batch_size=4096", *rates],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[:3] == [
        "recipe tiny_mlp: one training step, on each device",
        "2 x data 4096 x data",
        "rows of the batch 4,096 in all 4,096 in all",
    ]
    assert "parameters 8.31 KiB 8.31 KiB" in lines
    for name in ("peak memory", "fits 1 GiB yes", "FLOPs", "step, nothing overlapped", "bound by", "efficiency"):
        assert any(line.startswith(name) for line in lines), name
    assert any(line.startswith("all-reduce 4096 ") for line in lines)
    assert any("XLA simulates at most 2048 devices: the state is closed form" in line for line in lines)


def test_an_override_takes_the_place_of_what_sets_the_same() -> None:
    words = ("parallel=data", "parallel.devices=8", "data.batch_size=64", "seed=1")
    assert merged(words, ("parallel=fsdp", "data.batch_size=32")) == ("seed=1", "parallel=fsdp", "data.batch_size=32")
