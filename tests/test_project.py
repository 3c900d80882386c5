"""The project around the package: the lock file, the commands of the Makefile, and what the wheel holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import jax
import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def make(*words: str) -> subprocess.CompletedProcess[str]:
    # The tests themselves may run under `make`, whose flags and variables would reach this one through the environment.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES")}
    return subprocess.run(
        ["make", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_the_lock_holds_names_and_versions_and_no_urls() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    strange = [line for line in lines if not re.fullmatch(r"#.*|[a-z0-9][a-z0-9.-]*==[0-9][\w.+]*", line)]
    assert strange == []


def test_the_lock_pins_every_dependency() -> None:
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    declared += [
        item
        for name in ("parquet", "images", "figures", "sweep", "submitit")
        for item in PROJECT["optional-dependencies"][name]
    ]
    names = {re.split(r"[\[<>=!~ ]", item)[0].lower() for item in declared} - {PROJECT["name"]}
    assert names <= set(locked())


def test_make_without_a_target_lists_the_targets() -> None:
    done = make()
    listed = set(re.findall(r"^  make ([\w-]+) ", done.stdout, re.MULTILINE))
    assert done.returncode == 0
    assert listed == {
        "help",
        "setup",
        "run",
        "test",
        "test-slurm",
        "test-ray",
        "test-gpu",
        "check",
        "bench",
        "bench-peers",
        "wheel",
        "lock",
        "clean",
    }


def test_make_check_formats_lints_types_and_tests() -> None:
    shown = make("--dry-run", "check").stdout
    steps = ("ruff format --check .", "ruff check .", "pyright", "-m pytest")
    places = [shown.find(step) for step in steps]
    assert -1 not in places
    assert places == sorted(places)


def test_ci_runs_make_check() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "make check"


def test_each_interpreter_has_its_own_environment() -> None:
    assert "environment .venv)" in make("help", "PYTHON=python3").stdout
    assert "environment .venv-3.12)" in make("help", "PYTHON=/opt/bin/python3.12").stdout


def test_an_old_python_is_refused_in_a_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    pretend = "import sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (main)'; exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{pretend}" "$2"\n')
    old.chmod(0o755)
    done = make("setup", f"PYTHON={old}")
    assert done.returncode != 0
    assert f"Python 3.11 or newer is needed, but {old} is 3.9.2." in done.stderr
    assert not (ROOT / ".venv-3.9").exists()


def test_a_missing_python_is_told_in_a_sentence() -> None:
    done = make("setup", "PYTHON=python3.99")
    assert done.returncode != 0
    assert "python3.99 was not found. Name a Python of at least 3.11: make setup PYTHON=python3.12" in done.stdout
    assert not (ROOT / ".venv-3.99").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def files_below(name: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("folder", ["configs", "recipes"])
def test_the_wheel_ships_every_config_and_recipe(wheel: zipfile.ZipFile, folder: str) -> None:
    shipped = {f"framework/_shipped/{name}" for name in files_below(folder)}
    assert shipped
    assert shipped <= set(wheel.namelist())


def test_the_wheel_holds_the_whole_package_and_its_types(wheel: zipfile.ZipFile) -> None:
    assert "framework/py.typed" in wheel.namelist()
    assert files_below("framework") <= set(wheel.namelist())


def test_the_wheel_holds_no_tests_and_no_benchmarks(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"framework"}


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert "fw = framework.__main__:command" in wheel.read(path).decode()


def test_the_wheel_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    (path,) = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]
    assert "Apache License" in wheel.read(path).decode()


@pytest.mark.slow
def test_the_wheel_alone_trains_a_shipped_recipe_in_an_empty_folder(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    package, empty = tmp_path / "package", tmp_path / "empty"
    wheel.extractall(package)
    empty.mkdir()
    command = [sys.executable, "-m", "framework", "train", "digits_mlp", "trainer.epochs=1", "run.dir=mine"]
    environment = os.environ | {"PYTHONPATH": str(package)}
    done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "run: mine" in done.stdout
    assert json.loads((empty / "mine" / "result.json").read_text(encoding="utf-8"))["step"] > 0
    shown = subprocess.run(
        [sys.executable, "-c", "import framework; print(framework.__file__)"],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith(str(package))


@pytest.mark.slow
def test_the_step_benchmark_reports_both_rates_and_their_ratio(tmp_path: Path) -> None:
    outcome = tmp_path / "rates.json"
    command = [sys.executable, "benchmarks/step.py", "--models", "mlp", "--rounds", "1", "--seconds", "0.1"]
    done = subprocess.run(
        [*command, "--json", str(outcome), "data.limit=256"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    (measured,) = json.loads(outcome.read_text(encoding="utf-8"))["models"]
    assert measured["parameters"] == 64 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10
    assert measured["ratio"] == pytest.approx(measured["fw"][0] / measured["hand"][0])
    assert "mlp" in done.stdout


@pytest.mark.parametrize("model", ["mlp", "cnn", "transformer"])
def test_the_step_benchmark_has_the_same_model_on_both_sides(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from handwritten import MODELS

    from framework.library import load

    experiment = load(str(ROOT / "benchmarks" / "recipes" / f"step_{model}.yaml"), ["data.limit=64"])
    data = experiment.config.data
    classes = getattr(data, "vocabulary", None) or getattr(data, "classes", 0)
    ours = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(experiment.init).params))
    assert ours == MODELS[model](experiment.data.arrays("train"), classes).parameters
