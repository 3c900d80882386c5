"""`trainer.compile` reaches XLA's compiler wherever a step is compiled, and means the same computation."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np
import pytest

from framework.config.compose import load
from framework.core.errors import ConfigError
from framework.runtime.effort import compiler_options
from framework.train.setup import Setup
from framework.train.stages import run

FEW = ["trainer.epochs=null", "trainer.steps=4", "report=quiet"]


@pytest.mark.parametrize("effort", ["fast", "balanced", "max"])
@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_xla_knows_the_options(effort: str, platform: str) -> None:
    options = compiler_options(effort, platform)  # pyright: ignore[reportArgumentType]
    assert bool(options) == (effort != "balanced")
    program = jax.jit(lambda x: x + 1, compiler_options=options or None)
    assert program(np.float32(1)) == 2  # one that it does not know is refused, on every platform


@pytest.mark.parametrize("layout", ["single", "data"])
def test_little_effort_computes_the_same(tmp_path: Path, layout: str) -> None:
    losses = []
    for effort in ("fast", "balanced"):
        loaded = load("digits_mlp", [*FEW, f"trainer.compile={effort}", f"parallel={layout}"])
        losses.append(run(loaded, ["train"], directory=tmp_path / effort).records[-1]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_programs_differ() -> None:
    texts = []
    for effort in ("fast", "balanced"):
        strategy = Setup(load("digits_mlp", [*FEW, f"trainer.compile={effort}"])).strategy
        compiled = strategy.compile(lambda x: x @ x, takes=(), gives=()).lower(np.ones((8, 8), np.float32)).compile()  # pyright: ignore[reportFunctionMemberAccess]
        texts.append(compiled.runtime_executable().serialize())
    assert texts[0] != texts[1]


def test_pmap_over_several_devices_has_no_such_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "devices", lambda: jax.local_devices() * 2)
    with pytest.raises(ConfigError, match=r"trainer.compile: jax.pmap compiles with XLA's own settings alone"):
        _ = Setup(load("digits_mlp", [*FEW, "trainer.compile=fast", "parallel=pmap"])).strategy
