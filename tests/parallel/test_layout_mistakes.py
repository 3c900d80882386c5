"""A layout that cannot be had ends the command with exit code 2, the numbers and what to type instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from framework.cli.main import main

RECIPE = str(Path(__file__).parent / "recipes" / "mlp.yaml")
HEADS = "parallel.rules.heads.spec=[tensor]"

WITHOUT_JAX = [
    (
        ["parallel=mesh", "parallel.axes.fsdp=-1"],
        ["parallel.axes: data and fsdp are -1", "at most one -1", "fix:       parallel.axes.fsdp=1"],
    ),
    (
        ["parallel=mesh", "parallel.devices=8", "parallel.axes={data: 2, fsdp: 2, tensor: 1}"],
        ["data 2 x fsdp 2 = 4 devices, but 8 devices are asked for", "fix:       parallel.axes.data=4"],
    ),
    (
        ["parallel=mesh", "parallel.devices=6", "parallel.axes.fsdp=4"],
        ["data takes what fsdp 4 leaves, but 6 devices", "fix:       parallel.axes.fsdp=3"],
    ),
    (
        ["parallel=fsdp", "parallel.devices=6"],
        ["16 rows cannot be divided among 6 devices: 16 = 2 x 6 + 4", "fix:       data.batch_size=18"],
    ),
    (
        ["parallel=mesh", "parallel.axes={data: 3, fsdp: 1, tensor: -1}"],
        ["data.batch_size: 16 rows cannot be divided among 3 devices", "fix:       data.batch_size=15"],
    ),
    (["parallel=mesh", "parallel.axes.tensor=0"], ["parallel.axes.tensor: 0 is out of range", ">= 1, or -1"]),
    (["parallel=mesh", "parallel.axes.depth=2"], ["parallel.axes.depth: unknown key 'depth'", "data, fsdp, tensor"]),
    (
        ["parallel=mesh", "parallel.axes.model=2", "parallel.axes.dp=4"],
        ["parallel.axes.model: unknown axis 'model'", "fix:       parallel.axes.tensor=2", "parallel.axes.data=4"],
    ),
    (["parallel=data", "parallel.devices=0"], ["parallel.devices: 0 is out of range", "fix:       parallel.devices=1"]),
    (["parallel=tensr"], ["parallel: unknown option 'tensr'", "fix:       parallel=tensor"]),
    (["parallel=single", "parallel.devices=2"], ["type single has no setting 'devices'"]),
    (
        ["parallel=tensor", "parallel.rules.heads.spec=[model]"],
        ["parallel.rules.heads.spec.0: unknown value 'model'", "one of fsdp, tensor"],
    ),
    (
        ["parallel=tensor", "parallel.rules.heads.match='(a'"],
        ["parallel.rules.heads.match: '(a' is no regular expression", "unterminated subpattern"],
    ),
    (["parallel=tensor", "+parallel.rules.mine={match: kernel}"], ["parallel.rules.mine.spec"]),
]

WITH_ONE_DEVICE = [
    (
        ["parallel=data", "parallel.devices=8"],
        [
            "parallel.devices: 8 devices are asked for, 1 is present",
            "expected:  at most 1",
            "fix:       parallel.devices=1, or to try it out on the CPU",
            "XLA_FLAGS=--xla_force_host_platform_device_count=8",
        ],
    ),
    (
        ["parallel=mesh", "parallel.axes={data: 2, fsdp: 2, tensor: 2}"],
        [
            "data 2 x fsdp 2 x tensor 2 = 8 devices, but 1 device is present",
            "came from: override parallel.axes",
        ],
    ),
]


def names(case: tuple[list[str], list[str]]) -> str:
    return " ".join(case[0])


@pytest.mark.parametrize("case", WITHOUT_JAX + WITH_ONE_DEVICE, ids=names)
def test_it_is_told_with_the_numbers_and_the_fix(
    case: tuple[list[str], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides, words = case
    folder = tmp_path / "run"
    assert main(["train", RECIPE, *overrides, f"run.dir={folder}"]) == 2
    told = capsys.readouterr().err
    for word in words:
        assert word in told
    assert "Traceback" not in told
    assert not folder.exists()


def test_what_needs_no_device_is_told_without_jax() -> None:
    cases = [overrides for overrides, _ in WITHOUT_JAX]
    program = f"""
import sys
from framework.cli.main import main
for overrides in {cases!r}:
    assert main(["train", {RECIPE!r}, *overrides]) == 2, overrides
assert "jax" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
