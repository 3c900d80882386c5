"""Convolution by spectra: where it is taken, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from framework.lowering import convolution_form as choosing
from framework.lowering.choice import Choices, using
from framework.lowering.convolution_form import convolution_form
from framework.lowering.fft_convolution import convolve_fft
from framework.lowering.rows_convolution import xla_convolution
from framework.lowering.spectra import smooth

Shape = tuple[int, ...]


def form(
    space: Shape, kernel: Shape, channels: int, features: int, groups: int = 1, strides: int = 1, dtype: str = "float32"
) -> str:
    """What a batch of 8 takes, whose space keeps its size."""
    dims = len(space)
    x: Any = jax.ShapeDtypeStruct((8, *space, channels), dtype)
    taps: Any = jax.ShapeDtypeStruct((*kernel, channels // groups, features), dtype)
    sides = tuple(((size - 1) // 2, size // 2) for size in kernel)
    return convolution_form(x, taps, (strides,) * dims, sides, (1,) * dims, groups)


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "platform", lambda: "cpu")


# Processor time over that of the form before, where it was measured (benchmarks/forms.py).
SPECTRA = {
    "depthwise, 5 x 5 on 32 x 32: 0.41": partial(form, (32, 32), (5, 5), 64, 64, 64),
    "depthwise, 7 x 7 on 14 x 14: 0.37": partial(form, (14, 14), (7, 7), 256, 256, 256),
    "depthwise, 16 taps of 1024: 0.54": partial(form, (1024,), (16,), 64, 64, 64),
    "depthwise, 31 x 31 on 56 x 56": partial(form, (56, 56), (31, 31), 64, 64, 64),
    "one channel, 256 taps of 8192: 0.07": partial(form, (8192,), (256,), 1, 16),
    "32 channels, 64 taps of 1024: 0.14": partial(form, (1024,), (64,), 32, 32),
    "16 channels, 7 x 7 on 32 x 32: 0.47": partial(form, (32, 32), (7, 7), 16, 16),
}
DIRECT = {
    "depthwise, 3 x 3 on 32 x 32: 1.66": (partial(form, (32, 32), (3, 3), 64, 64, 64), "shifts"),
    "depthwise, 8 taps of 1024: 1.5": (partial(form, (1024,), (8,), 64, 64, 64), "shifts"),
    "one channel, 32 taps of 8192: 0.95": (partial(form, (8192,), (32,), 1, 16), "rows"),
    "AlexNet's first layer": (partial(form, (224, 224), (11, 11), 3, 96, strides=4), "rows"),
    "ResNet's first layer": (partial(form, (224, 224), (7, 7), 3, 64, strides=2), "rows"),
    "VGG's first layer": (partial(form, (224, 224), (3, 3), 3, 64), "patches"),
    "64 channels, 3 x 3 on 32 x 32": (partial(form, (32, 32), (3, 3), 64, 64), "patches"),
    "64 channels, 7 x 7 on 32 x 32": (partial(form, (32, 32), (7, 7), 64, 64), "rows"),
    "256 channels, 1 x 1": (partial(form, (32, 32), (1, 1), 256, 256), "patches"),
    "halves": (partial(form, (1024,), (64,), 32, 32, dtype="bfloat16"), "rows"),
}


@pytest.mark.parametrize("case", SPECTRA)
def test_many_taps_of_few_channels_are_convolved_by_spectra(case: str) -> None:
    assert SPECTRA[case]() == "fft"


@pytest.mark.parametrize("case", DIRECT)
def test_few_taps_or_many_channels_are_not(case: str) -> None:
    taken, expected = DIRECT[case]
    assert taken() == expected


def test_arrays_on_several_devices_or_elsewhere_are_not_transformed(monkeypatch: pytest.MonkeyPatch) -> None:
    with using(Choices(whole=False)):
        assert form((1024,), (64,), 32, 32, 32) == "shifts"
    with using(Choices(memory="lean")):
        assert form((1024,), (64,), 32, 32) == "rows"
        assert form((1024,), (64,), 32, 32, 32) == "fft"
    monkeypatch.setattr(choosing, "platform", lambda: "gpu")
    assert form((1024,), (64,), 32, 32, 32) == "xla"


def test_gradients_are_those_of_xla_where_no_spectra_are_kept() -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    x, kernel = jax.random.normal(keys[0], (2, 11, 7, 4)), jax.random.normal(keys[1], (3, 2, 2, 6))
    strides, sides, dilation = (2, 1), ((3, 0), (0, 2)), (2, 3)

    @jax.jit
    def both(x: jax.Array, kernel: jax.Array) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
        def gradients(function: Callable[..., jax.Array]) -> tuple[jax.Array, ...]:
            y, pullback = jax.vjp(function, x, kernel)
            return y, *pullback(jax.random.normal(keys[2], y.shape))

        own = gradients(lambda x, kernel: convolve_fft(x, kernel, strides, sides, dilation, 2, False))
        return own, gradients(lambda x, kernel: xla_convolution(x, kernel, strides, sides, dilation, 2))

    for found, expected in zip(*both(x, kernel), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_sizes_are_products_of_two_three_and_five() -> None:
    assert [smooth(size) for size in (1, 7, 11, 31, 121, 1025)] == [1, 8, 12, 32, 125, 1080]
    assert [smooth(size, 2) for size in (1, 15, 27, 625)] == [2, 16, 30, 640]
