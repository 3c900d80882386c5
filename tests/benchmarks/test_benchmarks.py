"""The benchmarks run, with tiny models and few steps: what they print is read here, how fast they are is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"
sys.path.append(str(FOLDER))

from mfu import flops_per_token, mfu, peak_of  # noqa: E402


def run(name: str, *words: str) -> str:
    """What a benchmark prints."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / name), *words],
        env=os.environ | {"JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def test_flops_of_gpt2_small_are_those_of_its_products() -> None:
    width, depth, context, vocabulary = 768, 12, 1024, 50257
    matrices = depth * 12 * width**2 + vocabulary * width
    vectors = depth * 13 * width + 2 * width  # biases, and the scales and shifts of norms
    found = flops_per_token(matrices + vectors, depth=depth, width=width, context=context)
    # Three passes of two operations for each weight and token, and two products of attention with every other token.
    products = 3 * 2 * matrices + 3 * depth * 2 * (2 * context * width)
    assert found - products == 6 * vectors
    assert matrices + vectors + context * width == 124_439_808


def test_a_device_at_its_peak_is_used_in_full() -> None:
    assert mfu(989e12 / 854e6, 854e6, 989e12) == 1.0
    assert (peak_of("NVIDIA H200"), peak_of("NVIDIA H100 PCIe"), peak_of("cpu")) == (989e12, 756e12, None)


def test_where_there_is_no_gpu_nothing_is_measured_and_nothing_fails() -> None:
    assert "finds no GPU but cpu" in run("gpu.py")


@pytest.mark.slow
def test_gpt2_is_measured_beside_the_same_model_by_hand(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    told = run(
        *("gpu.py", "--device", "cpu", "--tiny", "--rounds", "1", "--seconds", "0.01", "--peak", "1e12"),
        *("--json", str(out)),
    )
    found = json.loads(out.read_text(encoding="utf-8"))
    assert told.startswith("34,688 parameters on one cpu, 128 tokens a step")
    assert found["memory"] == {"fw": None, "hand": None}
    assert found["mfu"]["fw"] == pytest.approx(found["rates"]["fw"][0] * found["flops_per_token"] / 1e12)
    assert set(found["rates"]) == {"fw", "hand"} and found["ratio"] > 0


@pytest.mark.slow
def test_layouts_are_timed_on_one_device_and_compiled_for_several(tmp_path: Path) -> None:
    out = tmp_path / "parallel.json"
    run(
        *("parallel.py", "--models", "mlp", "--layouts", "data", "fsdp", "--rounds", "1", "--seconds", "0.01"),
        *("--devices", "2", "--json", str(out)),
    )
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [one["layout"] for one in found["overheads"]] == ["data", "fsdp"]
    parts = {one["layout"]: one for one in found["divisions"]}
    # The gradients, and beside them a few single numbers such as the loss.
    assert 0 <= parts["data"]["sent"] - parts["data"]["predicted"] <= 16
    assert parts["fsdp"]["state"] < 0.6 * parts["fsdp"]["whole_state"]
    assert parts["fsdp"]["collectives"]["all-gather"] > 0
