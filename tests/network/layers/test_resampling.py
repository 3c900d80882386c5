"""Positions in closed form: what moves where, and what interpolation gives on straight lines."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import call, layer, refusal


def of(op: str, x: Any, **arguments: Any) -> np.ndarray:
    """A layer without parameters on an array."""
    return np.asarray(call(layer(op, **arguments), {}, jnp.asarray(x, jnp.float32)))


RAMP = np.arange(4.0).reshape(1, 4, 1)
IMAGE = np.arange(2 * 4 * 6 * 8, dtype=np.float32).reshape(2, 4, 6, 8)


def test_nearest_repeats_each_element() -> None:
    np.testing.assert_array_equal(of("resize", RAMP, scale=2).ravel(), [0, 0, 1, 1, 2, 2, 3, 3])


def test_bilinear_looks_between_the_centres_of_pixels() -> None:
    grown = of("resize", RAMP, scale=2, method="bilinear").ravel()
    np.testing.assert_allclose(grown, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], atol=1e-6)


def test_aligned_corners_stretch_a_ramp_from_end_to_end() -> None:
    grown = of("resize", RAMP, size=7, method="bilinear", align_corners=True).ravel()
    np.testing.assert_allclose(grown, np.linspace(0, 3, 7), atol=1e-6)


def test_bicubic_weighs_four_elements_by_keys_kernel() -> None:
    """The centre of an output pixel lies 1/4 from an element: weights -0.0703125, 0.8671875, 0.2265625, -0.0234375."""
    grown = of("resize", RAMP**3, scale=2, method="bicubic").ravel()
    near = np.array([-0.0234375, 0.2265625, 0.8671875, -0.0703125])
    np.testing.assert_allclose(grown[4], near @ np.arange(4.0) ** 3, rtol=1e-5)


def test_antialiasing_averages_where_positions_get_fewer() -> None:
    x = np.tile([0.0, 1.0], 8).reshape(1, 16, 1)
    assert np.ptp(of("resize", x, size=4, method="bilinear", antialias=True)) < 0.1


def test_pixel_shuffle_has_the_channel_first_and_depth_to_space_the_channel_last() -> None:
    x = np.arange(8.0).reshape(1, 1, 1, 8)
    np.testing.assert_array_equal(of("pixel_shuffle", x)[0, :, :, 0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(of("depth_to_space", x)[0, :, :, 0], [[0, 2], [4, 6]])


@pytest.mark.parametrize(
    ("there", "back", "arguments", "home"),
    [
        ("pixel_unshuffle", "pixel_shuffle", {"factor": 2}, {"factor": 2}),
        ("space_to_depth", "depth_to_space", {"factor": 2}, {"factor": 2}),
        ("patchify", "unpatchify", {"patch": [2, 3]}, {"patch": [2, 3], "space": [4, 6]}),
        ("pad", "crop", {"padding": [[1, 2], 3]}, {"cropping": [[1, 2], 3]}),
    ],
)
def test_the_inverse_gives_the_input_again(there: str, back: str, arguments: Any, home: Any) -> None:
    np.testing.assert_array_equal(of(back, of(there, IMAGE, **arguments), **home), IMAGE)


def test_patches_lie_in_row_major_order() -> None:
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(
        of("patchify", x, patch=2)[0], [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("constant", [9, 9, 0, 1, 2, 3, 9]),
        ("edge", [0, 0, 0, 1, 2, 3, 3]),
        ("reflect", [2, 1, 0, 1, 2, 3, 2]),
        ("symmetric", [1, 0, 0, 1, 2, 3, 3]),
        ("wrap", [2, 3, 0, 1, 2, 3, 0]),
    ],
)
def test_padding_fills_the_edges_by_its_mode(mode: str, expected: list[int]) -> None:
    np.testing.assert_array_equal(of("pad", RAMP, padding=[[2, 1]], mode=mode, value=9).ravel(), expected)


def test_a_crop_by_size_keeps_the_centre() -> None:
    np.testing.assert_array_equal(of("crop", np.arange(7.0).reshape(1, 7, 1), size=4).ravel(), [1, 2, 3, 4])


def test_adaptive_windows_divide_space_as_evenly_as_they_can() -> None:
    """Of 5 positions, 3 windows take 0 to 1, 1 to 3 and 3 to 4."""
    x = np.array([1.0, 3.0, 5.0, 7.0, 9.0]).reshape(1, 5, 1)
    np.testing.assert_allclose(of("adaptive_avg_pool", x, size=3).ravel(), [2, 5, 8])
    np.testing.assert_allclose(of("adaptive_max_pool", x, size=3).ravel(), [3, 7, 9])
    np.testing.assert_allclose(of("adaptive_avg_pool", x, size=1).ravel(), [5])


def test_padding_counts_in_a_mean_where_it_is_asked_to() -> None:
    x = np.ones((1, 3, 1))
    ends = {"window": 3, "strides": 1, "padding": 1}
    np.testing.assert_allclose(of("avg_pool", x, **ends).ravel(), [1, 1, 1])
    np.testing.assert_allclose(of("avg_pool", x, count_padding=True, **ends).ravel(), [2 / 3, 1, 2 / 3])


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "told"),
    [
        ("patchify", (2, 6, 6, 3), {"patch": 4}, "a patch of [4, 4] must divide it; put a pad or a crop before it"),
        ("pixel_shuffle", (2, 6, 6, 6), {}, "needs a multiple of 4; put a conv with features: 8 before it"),
        ("unpatchify", (2, 5, 12), {"patch": 2, "space": [4, 4]}, "[batch, 4, features]; set space to sizes"),
        ("pad", (2, 2, 3), {"padding": 3, "mode": "reflect"}, "at most [1] elements to add at a side"),
        ("crop", (2, 4, 3), {"cropping": 2}, "it is too small for the crop"),
        ("resize", (2, 4, 3), {"scale": 0.1}, "a scale of 0.1 leaves nothing of it"),
        ("resize", (2, 4), {"scale": 2}, "resize needs [batch, *space, channels]"),
    ],
)
def test_what_does_not_fit_is_told(op: str, shape: tuple[int, ...], arguments: Any, told: str) -> None:
    assert told in refusal(op, shape, **arguments)
