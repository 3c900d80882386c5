"""On GPUs every layout computes what one of them does, and one what the CPU does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpus import environment, find

ROOT = Path(__file__).parent.parent.parent
PARALLEL = ROOT / "tests" / "parallel"
MODELS = ("mlp", "cnn", "transformer")
LAYOUTS = ("pmap", "data", "fsdp", "tensor", "mesh")

RELATIVE, ABSOLUTE = 1e-4, 1e-5
"""Ten times what layouts on CPUs are allowed: a GPU also adds up gradients of embeddings and convolutions in an order
that changes from run to run."""

Outcome = tuple[dict[str, np.ndarray], dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def present() -> None:
    """Skip where there is no GPU to test on."""
    if os.environ.get("JAX_PLATFORMS") == "cpu":
        pytest.skip("JAX_PLATFORMS is cpu, as for all tests but those of `make test-gpu`")
    found = find()
    if not found.names:
        pytest.skip(f"a GPU was looked for through JAX, and {found.told}")


class Outcomes:
    """What each layout came to, per model and platform; a model is trained when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, model: str, layout: str, **variables: str) -> Outcome:
        folder = self._folder / "_".join((model, *variables.values()))
        if not folder.exists():
            folder.mkdir()
            paths = os.pathsep.join(map(str, (ROOT, PARALLEL)))
            words = [sys.executable, str(Path(__file__).with_name("gpu_battery.py")), str(folder), model]
            given = environment() | {"PYTHONPATH": paths} | variables
            done = subprocess.run(words, env=given, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-6000:]
        with np.load(folder / f"{layout}.npz") as arrays:
            state = dict(arrays)
        return state, json.loads((folder / f"{layout}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return Outcomes(tmp_path_factory.mktemp("gpu"))


def agree(got: Outcome, wanted: Outcome) -> None:
    """The records of training, the final state, evaluation and prediction."""
    assert [list(record) for record in got[1]["history"]] == [list(record) for record in wanted[1]["history"]]
    for one, other in zip(got[1]["history"], wanted[1]["history"], strict=True):
        for name in set(other) - {"split"}:
            close(one[name], other[name], f"{name} at step {other['step']} ({other['split']})")
    assert list(got[0]) == list(wanted[0])
    for name, array in wanted[0].items():
        close(got[0][name], array, name)
    for split, results in wanted[1]["splits"].items():
        for name, value in results.items():
            close(got[1]["splits"][split][name], value, f"{name} of {split}")
    close(got[1]["predicted"], wanted[1]["predicted"], "predictions")


def close(got: Any, wanted: Any, what: str) -> None:
    np.testing.assert_allclose(got, wanted, rtol=RELATIVE, atol=ABSOLUTE, err_msg=what)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("model", MODELS)
def test_a_layout_computes_what_one_gpu_does(model: str, layout: str, outcomes: Outcomes) -> None:
    got, wanted = outcomes.of(model, layout), outcomes.of(model, "single")
    assert (got[1]["layout"], got[1]["platform"], wanted[1]["devices"]) == (layout, "gpu", 1)
    agree(got, wanted)


@pytest.mark.parametrize("model", MODELS)
def test_one_gpu_computes_what_the_cpu_does(model: str, outcomes: Outcomes) -> None:
    wanted = outcomes.of(model, "single", JAX_PLATFORMS="cpu")
    assert wanted[1]["platform"] == "cpu"
    agree(outcomes.of(model, "single"), wanted)
