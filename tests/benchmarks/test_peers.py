"""The benchmarks beside other libraries run, in a tiny mode: what they print is read here, how fast they are is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"
sys.path.append(str(FOLDER))

from chart import bars, spoken  # noqa: E402
from startup import ratios  # noqa: E402
from turns import AbsentError, Side, turns  # noqa: E402
from workloads import export  # noqa: E402

TINY = (
    *("data.batch_size=2", "data.context=8", "data.limit=64", "data.max_characters=9000"),
    "network.layers.stack.repeat=1",
    *("network.layers.embed.embed.features=8", "network.layers.stack.transformer_block.heads=1"),
)


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A benchmark that ended well."""
    command = [sys.executable, str(FOLDER / name), *words]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def test_everybody_runs_once_a_round_and_everybody_begins() -> None:
    orders = turns("abcd", 8)
    assert all(sorted(order) == list("abcd") for order in orders)
    assert {order[0] for order in orders} == set("abcd")
    assert any(order.index("a") < order.index("b") for order in orders)
    assert any(order.index("b") < order.index("a") for order in orders)


def test_ratios_are_taken_within_rounds() -> None:
    # Each round is ten times slower than the one before; only the ratio within a round is told.
    assert ratios({"help": [1, 10, 100], "import jax": [2, 20, 200]}) == {("help", "import jax"): 0.5}


def test_peers_read_whole_batches_as_they_are_scaled_for_training(tmp_path: Path) -> None:
    export("mlp", tmp_path / "mlp.npz", ["data.examples=200"])
    with np.load(tmp_path / "mlp.npz") as file:
        inputs, labels = file["inputs"], file["labels"]
        assert file["batch_size"] == 64 and file["classes"] == 10 and file["model"] == "mlp"
    assert (inputs.shape, inputs.dtype, labels.shape) == ((192, 64), np.float32, (192,))
    assert np.abs(inputs.mean(axis=0)).max() < 0.1 and np.abs(inputs.std(axis=0) - 1).max() < 0.1


def test_sides_train_in_turns_and_absent_peers_are_told(tmp_path: Path) -> None:
    out = tmp_path / "rates.json"
    done = run(
        *("peers.py", "--models", "mlp", "--sides", "fw", "lowered", "torch", "keras50"),
        *("--peers", str(tmp_path / "nowhere"), "--rounds", "2", "--seconds", "0.01", "--json", str(out)),
    )
    assert f"without PyTorch: {tmp_path}/nowhere/torch/bin/python does not exist" in done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))["models"]["mlp"]
    assert found["parameters"] == 64 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10
    assert {name: len(rates) for name, rates in found["rates"].items()} == {"fw": 2, "lowered": 2}
    assert all(last < first for first, last in found["losses"].values())
    assert set(found["absent"]) == {"torch", "keras50"}
    assert "mlp: 26,122 parameters" in done.stdout

    # What was measured is drawn.
    run("chart.py", str(out), "-o", str(tmp_path / "chart.png"))
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_a_peer_that_fails_is_left_out_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "torch" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho no such module >&2\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    side = Side("torch", [str(broken)])
    with pytest.raises(AbsentError, match="ended with 3: no such module"):
        side.wait_ready()
    side.close()


def test_commands_are_timed_and_absent_ones_left_out(tmp_path: Path) -> None:
    out = tmp_path / "startup.json"
    words = ("--only", "help", "torch", "--peers", str(tmp_path), "--rounds", "1", "--json", str(out))
    done = run("startup.py", *words)
    assert "fw --help" in done.stdout and "PyTorch" not in done.stdout
    assert set(json.loads(out.read_text(encoding="utf-8"))["seconds"]) == {"help"}


def test_what_keeping_and_telling_cost_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "overhead.json"
    run("overhead.py", "--seconds", "0", "--pairs", "2", "--every", "4", "--json", str(out), *TINY)
    found = json.loads(out.read_text(encoding="utf-8"))
    assert set(found["slower"]) == {"checkpoints", "records"}
    for way, pairs in found["turns"].items():
        assert len(pairs) == 2
        for plain, other in pairs:
            assert plain["inside"] == 0 < other["inside"] < other["clock"], way
        middle, low, high = found["slower"][way]["clock"]
        assert low <= middle <= high


def test_peak_memory_is_told_beside_the_loop_by_hand(tmp_path: Path) -> None:
    out = tmp_path / "memory.json"
    run("memory.py", "--models", "mlp", "--steps", "2", "--rounds", "1", "--sides", "hand", "--json", str(out))
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["ratios"]["mlp"] == {"hand": 1.0}
    assert found["peaks"]["mlp"]["hand"][0] > 50 << 20
    assert found["temporary"]["mlp"]["hand"] > 0


def test_a_library_with_several_settings_shows_the_fastest() -> None:
    found = {bar.label: bar.rate for bar in bars({"rates": {"fw": [9, 8, 7], "keras": [1], "keras20": [3, 3]}})}
    assert (found["fw"], found["Keras, JAX"], found["PyTorch"]) == (8, 3, None)
    assert (spoken(6543.2), spoken(123.4), spoken(12.34)) == ("6,540", "123", "12.3")
