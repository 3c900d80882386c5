"""Products with rounded operands: what a kernel of tiles computes, and what the same numbers give in float32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import framework as fw
from framework.lowering import narrow
from framework.lowering.choice import Choices, using
from framework.lowering.convolution import convolve
from framework.lowering.projection import project

ROUNDED = Choices(matmul_precision="bfloat16")


def _convolved(form: str, groups: int = 1) -> Callable[..., jax.Array]:
    def convolution(x: jax.Array, kernel: jax.Array) -> jax.Array:
        with using(Choices({"convolution": form}, matmul_precision="bfloat16")):
            return convolve(x, kernel, strides=(2, 2), padding="SAME", dilation=(1, 1), groups=groups)

    return convolution


CASES: dict[str, tuple[Callable[..., jax.Array], tuple[tuple[int, ...], ...]]] = {
    "dense": (project, ((6, 8, 16), (16, 12), (12,))),
    "odd rows": (project, ((7, 16), (16, 5), (5,))),
    "one example": (project, ((1, 8, 16), (16, 12))),
    "heads": (lambda x, kernel: project(x, kernel, axes=2), ((4, 6, 2, 8), (2, 8, 12))),
    "patches": (_convolved("patches"), ((4, 6, 6, 8), (3, 3, 8, 6))),
    "patches of few channels": (_convolved("patches"), ((4, 6, 6, 2), (3, 3, 2, 32))),
    "patches in groups": (_convolved("patches", 2), ((4, 6, 6, 4), (3, 3, 2, 6))),
    "rows": (_convolved("rows"), ((4, 6, 6, 8), (3, 3, 8, 6))),
    "xla": (_convolved("xla"), ((4, 6, 6, 8), (3, 3, 8, 6))),
}


def _given(shapes: tuple[tuple[int, ...], ...]) -> list[jax.Array]:
    keys = jax.random.split(jax.random.key(0), len(shapes))
    return [jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True)]


def _gradients(operation: Callable[..., jax.Array]) -> Callable[..., Any]:
    def both(*given: jax.Array) -> Any:
        y, back = jax.vjp(operation, *given)
        return y, *back(jnp.cos(7.0 * jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))

    return both


@pytest.mark.parametrize("name", CASES)
def test_tiles_and_float32_give_the_same_numbers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, shapes = CASES[name]
    given, found = _given(shapes), {}
    for tiles in (True, False):
        monkeypatch.setattr(narrow, "multiplies_tiles", lambda tiles=tiles: tiles)
        with using(ROUNDED):
            found[tiles] = jax.jit(_gradients(operation))(*given)
    for one, other in zip(found[True], found[False], strict=True):
        assert one.dtype == jnp.float32
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * float(jnp.abs(other).max()))


def test_operands_are_rounded_and_sums_are_not() -> None:
    x, kernel = _given(((64, 256), (256, 3)))
    with using(ROUNDED):
        found = np.asarray(jax.jit(project)(x, kernel), np.float64)
    exact = np.asarray(lax.reduce_precision(x, 8, 7), np.float64) @ np.asarray(
        lax.reduce_precision(kernel, 8, 7), np.float64
    )
    np.testing.assert_allclose(found, exact, rtol=1e-4, atol=1e-4)
    assert np.abs(found - np.asarray(x, np.float64) @ np.asarray(kernel, np.float64)).max() > 1e-3


@pytest.mark.parametrize("tiles", [True, False])
def test_vectorised_products_are_those_of_each(tiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrow, "multiplies_tiles", lambda: tiles)
    given = [jnp.stack([item, 2 * item, -item]) for item in _given(((4, 6, 16), (16, 8), (8,)))]
    with using(ROUNDED):
        mapped = jax.jit(jax.vmap(_gradients(project)))(*given)
        alone = jax.jit(_gradients(project))(*(item[1] for item in given))
    for one, other in zip(mapped, alone, strict=True):
        np.testing.assert_allclose(one[1], other, rtol=1e-4, atol=1e-5 * float(jnp.abs(other).max()))


def test_bfloat16_layers_have_float32_sums() -> None:
    x, kernel = (item.astype(jnp.bfloat16) for item in _given(((8, 16, 512), (512, 64))))
    found = jax.jit(project)(x, kernel)
    assert found.dtype == jnp.bfloat16
    exact = np.asarray(x, np.float64) @ np.asarray(kernel, np.float64)
    np.testing.assert_allclose(np.asarray(found, np.float64), exact, rtol=2.0**-8, atol=1e-3)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="tells CPUs apart")
def test_fast_is_decided_by_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for tiles, meant in ((True, "bfloat16"), (False, None)):
        monkeypatch.setattr(narrow, "multiplies_tiles", lambda tiles=tiles: tiles)
        assert narrow.precision_of("fast") == meant
    assert narrow.precision_of("float32") == "float32" and narrow.precision_of(None) is None


def test_a_recipe_asks_for_it_and_trains(tmp_path: Path) -> None:
    steps = ["trainer.epochs=null", "trainer.steps=30", "trainer.validate_every_steps=30", "report.figures=false"]
    losses = []
    for precision in ("null", "bfloat16"):
        exp = fw.load("digits_mlp", [*steps, f"trainer.matmul_precision={precision}"])
        exp.train(tmp_path / precision)
        losses.append(exp.evaluate("valid")["loss"])
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.02)
