"""A program that is known is neither traced nor compiled, and never taken for another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.config.compose import load
from framework.runtime import fingerprint
from framework.runtime.known import PREFIX, Known
from framework.train.remembering import known_of

X = np.arange(6, dtype=np.float32).reshape(2, 3)
RECIPE = str(Path(__file__).parent.parent / "sweep" / "recipes" / "small_mlp.yaml")


class Traced:
    """A jitted function that counts how often it is traced."""

    def __init__(self, function: Callable[..., Any], name: str = "scaled") -> None:
        self.count = 0

        def kept(x: Any) -> Any:
            self.count += 1
            return function(x)

        kept.__name__ = f"{PREFIX}{name}"
        self.jitted = jax.jit(kept)


@pytest.fixture
def known(tmp_path: Path) -> Callable[..., Known]:
    return lambda *parts: Known(tmp_path / "known", tmp_path / "private", *parts)


def run(known: Known, traced: Traced, x: Any = X) -> Any:
    return np.asarray(known.program(traced.jitted, (x,), jax.devices()[:1])(x))


def test_the_second_time_nothing_is_traced_and_the_numbers_are_the_same(known: Callable[..., Known]) -> None:
    first, second = Traced(jnp.sin), Traced(jnp.sin)
    assert np.array_equal(run(known("a"), first), run(known("a"), second))
    assert (first.count, second.count) == (1, 0)


def test_other_parts_shapes_dtypes_and_names_are_other_programs(known: Callable[..., Known]) -> None:
    run(known("a"), Traced(jnp.sin))
    for parts, name, x in (
        (("b",), "scaled", X),
        (("a", ""), "scaled", X),
        (("a",), "other", X),
        (("a",), "scaled", X[:1]),
        (("a",), "scaled", X.astype(np.int32)),
    ):
        traced = Traced(jnp.cos, name)
        assert np.allclose(run(known(*parts), traced, x), np.cos(x), atol=1e-6)
        assert traced.count == 1


def test_other_parts_with_the_same_text_are_traced_but_not_compiled(
    known: Callable[..., Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(known("a"), Traced(jnp.sin))
    monkeypatch.setattr(jax.stages.Lowered, "compile", None)
    traced = Traced(jnp.sin)
    assert np.allclose(run(known("b"), traced), np.sin(X), atol=1e-6)
    assert traced.count == 1
    with pytest.raises(TypeError):
        run(known("b"), Traced(jnp.cos, "other"))


def test_settings_of_jax_variables_of_xla_and_the_code_tell_programs_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fingerprint.fingerprint("a")
    assert fingerprint.fingerprint("a") == plain
    with jax.default_matmul_precision("float32"):
        assert fingerprint.fingerprint("a") != plain
    monkeypatch.setenv("XLA_SOMETHING", "1")
    assert fingerprint.fingerprint("a") != plain
    monkeypatch.delenv("XLA_SOMETHING")
    monkeypatch.setattr(fingerprint, "_code", lambda: "other code")
    assert fingerprint.fingerprint("a") != plain


def test_a_damaged_program_is_made_again(known: Callable[..., Known], tmp_path: Path) -> None:
    run(known("a"), Traced(jnp.sin))
    for entry in (tmp_path / "known").glob("*.entry"):
        entry.write_bytes(entry.read_bytes()[:-3])
    traced = Traced(jnp.sin)
    assert np.allclose(run(known("a"), traced), np.sin(X), atol=1e-6)
    assert traced.count == 1
    assert run(known("a"), Traced(jnp.cos)).any(), "found by its parts again"


def test_a_value_is_made_once_and_an_error_is_not_kept(known: Callable[..., Known]) -> None:
    with pytest.raises(ZeroDivisionError):
        known("a").value("shape", lambda: 1 // 0)
    assert known("a").value("shape", lambda: (2, 3)) == (2, 3)
    assert known("a").value("shape", lambda: None) == (2, 3)


def test_nothing_is_known_of_a_users_own_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from framework.runtime.programs import Programs

    monkeypatch.setattr(jax.config, "update", lambda *setting: None)
    kept = Programs(tmp_path)
    kept._store = Known(tmp_path, tmp_path)._store
    monkeypatch.setattr("framework.train.remembering.programs", lambda: kept)
    assert known_of(load(RECIPE, [])) is not None
    own = ["+network.layers.own={module:{_target_:flax.linen.Dense,features:3}}"]
    assert known_of(load(RECIPE, own, trust=("flax",))) is None
    with jax.debug_nans(True):
        assert known_of(load(RECIPE, [])) is None
    kept.close()


COUNTING = """
import sys
from framework.build.experiment import Experiment
traced = []
def counted(name, function):
    def call(*a, **k):
        traced.append(name)
        return function(*a, **k)
    return call
for name in ("init", "step", "evaluate", "predict"):
    setattr(Experiment, name, counted(name, getattr(Experiment, name)))
from framework.cli.main import main
code = main(sys.argv[1:])
print("traced", len(traced), file=sys.stderr)
sys.exit(code)
"""


def command(cache: Path, *words: str, code: int = 0) -> int:
    """Run `fw` in a process of its own; how often a function of the experiment was traced there."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("JAX_COMPILATION")}
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, *words],
        env=env | {"FW_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == code, done.stderr
    return int(done.stderr.split()[-1])


def numbers(path: Path) -> list[dict[str, Any]]:
    """The records of a run without what depends on the clock."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        {key: value for key, value in line.items() if "per_second" not in key and "time" not in key} for line in lines
    ]


def predictions(path: Path) -> list[np.ndarray]:
    with np.load(path / "predictions" / "test.npz") as file:
        return [file[name] for name in sorted(file.files)]


def test_a_second_run_traces_nothing_and_computes_the_same_bits(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    words = ["run", RECIPE, "run.stages=[train,evaluate,predict]"]
    assert command(tmp_path / "cache", *words, f"run.dir={first}") > 0
    assert command(tmp_path / "cache", *words, f"run.dir={second}") == 0
    assert numbers(first) == numbers(second)
    assert all(np.array_equal(a, b) for a, b in zip(predictions(first), predictions(second), strict=True))
    # The rate is an input of the program, the width is not.
    assert command(tmp_path / "cache", *words, f"run.dir={other}", "optimizer.learning_rate=0.5", "seed=3") == 0
    assert numbers(other) != numbers(first)
    # What is wrong is told, although all programs are known.
    assert command(tmp_path / "cache", *words, "checkpoint.monitor=valid.los", code=2) > 0
    wide = ["network.layers.hidden.dense.features=9", f"run.dir={tmp_path / 'wide'}"]
    assert command(tmp_path / "cache", *words, *wide) > 0


def test_a_second_sweep_traces_nothing_and_computes_the_same_bits(tmp_path: Path) -> None:
    words = ["sweep", RECIPE, "optimizer.learning_rate=0.01,0.1", "seed=0,1"]
    assert command(tmp_path / "cache", *words, f"sweep.dir={tmp_path / 'first'}") > 0
    assert command(tmp_path / "cache", *words, f"sweep.dir={tmp_path / 'second'}") == 0
    members = [str(number) for number in range(4)]
    assert all(numbers(tmp_path / "first" / name) == numbers(tmp_path / "second" / name) for name in members)
