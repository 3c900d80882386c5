"""`fw shardings` tells of any number of devices which parameter lies how, and draws it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from framework.cli.main import main
from framework.config.compose import load
from framework.inspect.shardings import Row, shardings
from framework.inspect.shardings_figure import parts_held

RECIPES = Path(__file__).parent / "recipes"
MESH = ["parallel=mesh", "parallel.axes={data: 2, fsdp: 2, tensor: 2}", "parallel.min_size=1"]


def test_copies_over_data_parts_over_fsdp_and_tensor() -> None:
    row = Row("kernel", (8, 8), ("fsdp", "tensor"), 256, 64, "")
    assert parts_held(row, {"data": 2, "fsdp": 2, "tensor": 2}).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    row = Row("kernel", (8, 8), ("tensor", None), 256, 128, "")
    assert parts_held(row, {"data": 2, "fsdp": 2, "tensor": 2}).tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert parts_held(Row("bias", (8,), (None,), 32, 32, ""), {}).tolist() == [0]


def test_devices_that_are_not_there_are_told_of_too() -> None:
    found = shardings(
        load(str(RECIPES / "transformer.yaml"), ["parallel=fsdp", "parallel.devices=512", "data.batch_size=512"])
    )
    assert (found.layout, found.axes, found.present) == ("fsdp", {"fsdp": 512}, 1)
    found = shardings(load(str(RECIPES / "transformer.yaml"), MESH))
    assert found.axes == {"data": 2, "fsdp": 2, "tensor": 2}


def test_bytes_are_those_of_the_parts() -> None:
    found = shardings(load(str(RECIPES / "transformer.yaml"), MESH))
    for row in found.rows:
        parts = len(np.unique(parts_held(row, found.axes)))
        assert row.device_bytes * parts == row.nbytes == 4 * int(np.prod(row.shape)), row.path
    assert found.parts["parameters"] == (sum(r.nbytes for r in found.rows), sum(r.device_bytes for r in found.rows))
    assert found.parts["optimizer state"][0] > 2 * found.parts["parameters"][0] - 64


def test_stacked_layers_are_divided_within_each_layer() -> None:
    found = shardings(
        load(str(RECIPES / "transformer.yaml"), ["parallel=fsdp", "parallel.devices=8", "parallel.min_size=1"])
    )
    stacked = [row for row in found.rows if row.path.startswith("stack.")]
    assert len(stacked) >= 12
    assert all(row.spec[0] is None and "fsdp" in row.spec for row in stacked)


def test_the_command_prints_a_table_and_draws_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "layout.png"
    assert main(["shardings", str(RECIPES / "transformer.yaml"), *MESH, "-o", str(picture)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("recipe transformer, mesh: data 2 x fsdp 2 x tensor 2 = 8 devices")
    assert re.search(
        r"^stack\.mlp_in\.kernel +\[9, 16, 64\] +\[-, fsdp, tensor\] +9 KiB +wide_kernel; largest", told, re.M
    )
    assert re.search(r"^total +[\d.]+ KiB +[\d.]+ KiB$", told, re.M)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_piped_table_keeps_each_parameter_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    recipe = load(str(RECIPES / "transformer.yaml"), MESH)
    assert main(["shardings", str(RECIPES / "transformer.yaml"), *MESH]) == 0
    lines = capsys.readouterr().out.splitlines()
    paths = [row.path for row in shardings(recipe).rows]
    assert [line.partition(" ")[0] for line in lines[2 : 2 + len(paths)]] == paths


def test_a_layout_that_cannot_be_had_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shardings", str(RECIPES / "mlp.yaml"), "parallel=tensor", "parallel.devices=5"]) == 2
    told = capsys.readouterr().err
    assert "no parameter is divided over the 5 devices of the axis 'tensor'" in told
    assert "hidden1.kernel [8, 16] has 16 in dimension 1" in told


def test_only_pictures_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shardings", "digits_mlp", "-o", "layout.txt"]) == 2
    assert "'layout.txt' is no PNG" in capsys.readouterr().err
