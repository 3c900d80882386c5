"""Random changes of pictures: each has the law that it states, an example at a time, and none where nothing trains."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import CASES, array, layer, quick_key, refusal
from pydantic import ValidationError

from framework.config.schema.layers import LAYERS
from framework.network.context import Context, TracedValue
from framework.network.layers import module_for
from framework.network.layers.affine import inverse_map, resampled

RANDOM = [op for op in LAYERS if op.startswith("random_")]
STRENGTHS = ("degrees", "translation", "zoom", "shear")


def drawn(op: str, x: Any, *, seed: int = 1, train: bool = True, **arguments: Any) -> np.ndarray:
    """A layer in training on pictures, compiled."""
    module = layer(op, **arguments)
    run = jax.jit(lambda x, key: module.apply({}, x, context=Context(train=train), rngs={"dropout": key}))
    return np.asarray(run(jnp.asarray(x, jnp.float32), quick_key(seed)), np.float64)


def repeated(picture: np.ndarray, times: int) -> np.ndarray:
    return np.broadcast_to(picture[None], (times, *picture.shape))


def shares(found: np.ndarray, expected: list[np.ndarray]) -> list[float]:
    """How many of the examples are each of the expected pictures."""
    return [float(np.all(found == picture, axis=(1, 2, 3)).mean()) for picture in expected]


def ramps(height: int, width: int) -> np.ndarray:
    """A picture whose two channels are a pixel's row and column: [height, width, 2]."""
    return np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1).astype(np.float64)


def test_flips_along_both_axes_are_drawn_apart_and_as_often_as_stated() -> None:
    x = np.arange(4.0).reshape(2, 2, 1)
    y = drawn("random_flip", repeated(x, 4000), axis="both", probability=0.25)
    found = shares(y, [x, x[:, ::-1], x[::-1], x[::-1, ::-1]])
    # Standard deviations are at most 0.008.
    np.testing.assert_allclose(found, [0.5625, 0.1875, 0.1875, 0.0625], atol=0.03)


def test_a_flip_of_probability_1_is_the_mirror_image() -> None:
    x = np.asarray(array((3, 4, 5, 2)))
    np.testing.assert_array_equal(drawn("random_flip", x, probability=1), x[:, :, ::-1])
    np.testing.assert_array_equal(drawn("random_flip", x, axis="vertical", probability=1), x[:, ::-1])


@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_each_place_of_a_padded_crop_is_as_likely_and_shows_what_lies_there(mode: Any) -> None:
    x = 1 + np.arange(12.0).reshape(3, 4, 1)
    y = drawn("random_crop", repeated(x, 4000), padding=1, mode=mode, value=0)
    around = np.pad(x[..., 0], 1, mode=mode)
    places = [around[i : i + 3, j : j + 4, None] for i in range(3) for j in range(3)]
    np.testing.assert_allclose(shares(y, places), [1 / 9] * 9, atol=0.025)


def test_a_crop_to_a_size_is_the_centre_where_nothing_trains() -> None:
    x = np.asarray(array((2, 6, 7, 3)))
    np.testing.assert_array_equal(drawn("random_crop", x, size=[2, 4], train=False), x[:, 2:4, 1:5])


@cache
def affine() -> Any:
    """A compiled `random_affine` whose strengths are inputs, on 300 copies of the ramps of 11 x 13 pixels."""
    module = module_for("random_affine")(**{name: TracedValue(name, 0.0) for name in STRENGTHS}, mode="edge")
    x = jnp.asarray(repeated(ramps(11, 13), 300), jnp.float32)
    context = jax.jit(
        lambda hyper, key: module.apply({}, x, context=Context(train=True, hyper=hyper), rngs={"dropout": key})
    )
    return lambda **given: context(dict.fromkeys(STRENGTHS, jnp.float32(0)) | given, quick_key(2))


def seen(**strengths: float) -> tuple[np.ndarray, np.ndarray]:
    """(the map of places, where the centre comes from), for each example: a ramp's bilinear interpolation is exact."""
    y = np.asarray(affine()(**{name: jnp.float32(value) for name, value in strengths.items()}), np.float64)
    slopes = np.stack([(y[:, 6, 6] - y[:, 4, 6]) / 2, (y[:, 5, 7] - y[:, 5, 5]) / 2], axis=-1)
    return slopes, y[:, 5, 6] - [5, 6]


def uniform(values: np.ndarray, low: float, high: float) -> None:
    """The values may be a sample of the uniform law: 300 have a mean within 0.017 of the width of the interval."""
    share = (values - low) / (high - low)
    assert share.min() >= -1e-4
    assert share.max() <= 1 + 1e-4
    np.testing.assert_allclose([share.mean(), share.std()], [0.5, 12**-0.5], atol=0.07)
    assert len(np.unique(values.round(5))) > 290


def test_strengths_of_zero_that_the_program_is_given_change_nothing() -> None:
    np.testing.assert_array_equal(affine()(), repeated(ramps(11, 13), 300))


def test_rotations_are_uniform_counter_clockwise_angles() -> None:
    slopes, centre = seen(degrees=40)
    angles = np.arctan2(slopes[:, 0, 1], slopes[:, 0, 0])
    turned = np.stack([np.cos(angles), np.sin(angles), -np.sin(angles), np.cos(angles)], axis=-1).reshape(-1, 2, 2)
    np.testing.assert_allclose(slopes, turned, atol=1e-5)
    np.testing.assert_allclose(centre, np.zeros((300, 2)), atol=1e-5)
    uniform(np.degrees(angles), -40, 40)


def test_zoom_factors_are_uniform() -> None:
    slopes, centre = seen(zoom=0.25)
    factors = 1 / slopes[:, 0, 0]
    np.testing.assert_allclose(slopes, np.eye(2) / factors[:, None, None], atol=1e-5)
    np.testing.assert_allclose(centre, np.zeros((300, 2)), atol=1e-5)
    uniform(factors, 0.75, 1.25)


def test_shifts_are_uniform_shares_of_the_size_in_each_direction() -> None:
    slopes, centre = seen(translation=0.2)
    np.testing.assert_allclose(slopes, np.broadcast_to(np.eye(2), (300, 2, 2)), atol=1e-5)
    uniform(-centre[:, 0], -0.2 * 11, 0.2 * 11)
    uniform(-centre[:, 1], -0.2 * 13, 0.2 * 13)
    assert abs(np.corrcoef(centre.T)[0, 1]) < 0.2


def test_shear_leaves_rows_in_place_and_slants_columns() -> None:
    slopes, _ = seen(shear=30)
    np.testing.assert_allclose(slopes[:, 0], np.broadcast_to([1.0, 0.0], (300, 2)), atol=1e-5)
    uniform(np.degrees(np.arctan(-slopes[:, 1, 0])), -30, 30)


def test_a_sweep_over_strengths_gives_what_each_gives_alone() -> None:
    module = module_for("random_rotation")(degrees=TracedValue("a", 0.0))
    x = array((3, 5, 6, 2))

    def one(degrees: jax.Array) -> Any:
        context = Context(train=True, hyper={"a": degrees})
        return module.apply({}, x, context=context, rngs={"dropout": quick_key(3)})

    together = jax.jit(jax.vmap(one))(jnp.asarray([10.0, 90.0]))
    np.testing.assert_allclose(together[1], drawn("random_rotation", x, seed=3, degrees=90), atol=1e-5)


def test_resampling_by_quarter_turns_and_whole_pixels_is_exact() -> None:
    x = np.asarray(array((2, 5, 5, 3)))
    angles = jnp.asarray([90.0, -90.0])

    @jax.jit
    def run(x: jax.Array) -> tuple[list[jax.Array], jax.Array]:
        still = jnp.broadcast_to(jnp.eye(2), (2, 2, 2))
        down = jnp.asarray([[2.0, -1.0], [2.0, -1.0]])
        moved = [resampled(x, still, down, mode, 7.0) for mode in ("constant", "edge", "reflect")]
        return moved, resampled(x, inverse_map(angles, jnp.ones(2), jnp.zeros(2)), jnp.zeros((2, 2)), "constant", 7.0)

    moved, turned = run(x)
    for found, form in zip(moved, ({"constant_values": 7}, {"mode": "edge"}, {"mode": "reflect"}), strict=True):
        around = np.pad(x, [(0, 0), (2, 0), (0, 1), (0, 0)], **form)  # pyright: ignore[reportArgumentType,reportCallIssue]
        np.testing.assert_allclose(found, around[:, :5, 1:], atol=1e-6)
    np.testing.assert_allclose(turned[0], np.rot90(x[0], 1), atol=1e-5)
    np.testing.assert_allclose(turned[1], np.rot90(x[1], -1), atol=1e-5)


def test_resized_crops_have_the_areas_and_ratios_that_are_stated() -> None:
    x = repeated(ramps(16, 20), 300)
    # The result has more pixels than the box, so that its slopes are the size of the box by its own.
    y = drawn("random_resized_crop", x, size=32, scale=[0.3, 0.5], ratio=[0.8, 1.25])
    height, width = 32 * (y[:, 16, 16, 0] - y[:, 15, 16, 0]), 32 * (y[:, 16, 16, 1] - y[:, 16, 15, 1])
    uniform(height * width / 320, 0.3, 0.5)
    uniform(np.log(height / width), -np.log(1.25), np.log(1.25))
    centre = y[:, 15:17, 15:17].mean((1, 2))
    assert np.all(centre > np.stack([height, width], -1) / 2 - 0.51)
    assert np.all(centre < [16, 20] - np.stack([height, width], -1) / 2 - 0.49)


def test_a_resized_crop_takes_the_middle_where_nothing_trains() -> None:
    x = np.asarray(array((2, 4, 8, 3)))
    halved = x[:, :, 2:6].reshape(2, 4, 4, 3)
    np.testing.assert_allclose(drawn("random_resized_crop", x, size=4, train=False), halved, atol=1e-6)


def test_light_contrast_and_saturation_change_each_picture_by_one_uniform_number() -> None:
    x = np.asarray(array((300, 3, 4, 3)), np.float64)
    added = drawn("random_brightness", x, delta=0.4) - x
    np.testing.assert_allclose(np.ptp(added, axis=(1, 2, 3)), 0, atol=1e-5)
    uniform(added[:, 0, 0, 0], -0.4, 0.4)
    mean = x.mean((1, 2), keepdims=True)
    grey = x @ np.asarray([[0.299], [0.587], [0.114]])
    for op, middle in (("random_contrast", mean), ("random_saturation", grey)):
        y = drawn(op, x, factor=0.5)
        factors = ((y - middle) * (x - middle)).sum((1, 2, 3)) / ((x - middle) ** 2).sum((1, 2, 3))
        np.testing.assert_allclose(y, middle + factors[:, None, None, None] * (x - middle), atol=1e-5)
        uniform(factors, 0.5, 1.5)


def test_erasing_blanks_one_box_of_the_stated_size_in_as_many_pictures_as_stated() -> None:
    y = drawn("random_erasing", np.ones((1000, 20, 24, 2)), probability=0.6, scale=[0.1, 0.2], ratio=[0.5, 2], value=5)
    assert set(np.unique(y)) == {1, 5}
    np.testing.assert_array_equal(y[..., 0], y[..., 1])
    gone = y[..., 0] == 5
    has = gone.any((1, 2))
    np.testing.assert_allclose(has.mean(), 0.6, atol=0.05)
    height, width = gone.any(2).sum(1)[has], gone.any(1).sum(1)[has]
    np.testing.assert_array_equal(gone.sum((1, 2))[has], height * width)
    area = height * width / 480
    # Sides are rounded to whole pixels: half a pixel of about 7.
    assert 0.08 < area.min() < 0.11
    assert 0.19 < area.max() < 0.22
    where = gone[has].mean(0)
    assert where.min() > 0
    assert where[10, 12] == pytest.approx(where.max(), abs=0.1)


def test_erasing_with_noise_draws_each_pixel() -> None:
    y = drawn("random_erasing", np.full((200, 12, 12, 1), 9.0), probability=1, scale=[0.3, 0.3], fill="noise")
    noise = y[y != 9]
    np.testing.assert_allclose([noise.mean(), noise.std()], [0, 1], atol=0.06)
    assert len(np.unique(noise)) > 0.99 * noise.size


def everything(x: jax.Array, context: Context) -> jax.Array:
    """All of them, one behind the other; `random_affine` stands for those that draw less by the same function."""
    less = ("random_rotation", "random_zoom", "random_translation")
    for place, op in enumerate(op for op in RANDOM if op not in less):
        keys = {"dropout": jax.random.fold_in(jax.random.key(4), place)}
        x = layer(op, **CASES[op].arguments).apply({}, x, context=context, rngs=keys)  # pyright: ignore[reportAssignmentType]
    return x


def test_devices_draw_for_their_rows_what_one_device_draws_for_all_also_in_half_precision() -> None:
    x = array((4, 9, 9, 3))
    half = jax.jit(lambda x: everything(x, Context(train=True)))(x.astype(jnp.bfloat16))
    each = jax.jit(jax.vmap(lambda x: everything(x, Context(train=True, axis="d")), axis_name="d"))
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        np.asarray(half, np.float32), each(x.reshape(2, 2, 9, 9, 3)).reshape(half.shape), atol=0.1
    )


@pytest.mark.parametrize("op", RANDOM)
def test_where_nothing_trains_the_program_is_empty_or_only_cuts(op: str) -> None:
    x = jnp.ones((2, 6, 7, 3))
    module = layer(op, **CASES[op].arguments)
    program = jax.make_jaxpr(lambda x: module.apply({}, x, context=Context()))(x)
    cuts = {"random_crop", "random_resized_crop"}
    assert (program.jaxpr.eqns == []) == (op not in cuts)
    assert "random" not in str(program)


@pytest.mark.parametrize("op", [op for op in RANDOM if op not in ("random_crop", "random_resized_crop")])
def test_a_plain_strength_of_zero_draws_nothing(op: str) -> None:
    names = ("probability", "delta", "factor", "height", "width", *STRENGTHS)
    arguments = CASES[op].arguments | {name: 0 for name in names if name in LAYERS[op].model_fields}
    module = layer(op, **arguments)
    program = jax.make_jaxpr(lambda x: module.apply({}, x, context=Context(train=True)))(jnp.ones((2, 6, 7, 3)))
    assert program.jaxpr.eqns == []


@pytest.mark.parametrize(
    ("op", "shape", "arguments", "told"),
    [
        (
            "random_flip",
            (2, 9),
            {},
            r"rank 2 \[batch, 9\], random_flip needs \[batch, height, width, channels\]; put",
        ),
        ("random_crop", (2, 4, 5, 1), {"size": 5}, r"space \[4, 5\], .* set size to \[4, 5\] or less"),
        ("random_crop", (2, 4, 5, 1), {"padding": 4, "mode": "reflect"}, "set padding to 3 or less, or mode=edge"),
        ("random_saturation", (2, 4, 5, 1), {"factor": 0.1}, "found 1 channels, random_saturation needs 3: red, green"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(op: str, shape: Any, arguments: Any, told: str) -> None:
    assert re.search(told, refusal(op, shape, **arguments))


def test_integers_are_moved_but_not_mixed() -> None:
    whole = jax.ShapeDtypeStruct((2, 4, 4, 1), jnp.uint8)
    assert refusal("random_flip", whole) == "nothing was refused"
    assert "put {cast: {dtype: float32}} before it" in refusal("random_rotation", whole, degrees=5)


@pytest.mark.parametrize(
    ("op", "arguments", "told"),
    [
        ("random_crop", {}, "either padding or size is needed"),
        ("random_erasing", {"scale": [0.5, 0.1]}, "two numbers above 0 and up to 1, the smaller first"),
        ("random_resized_crop", {"size": 8, "ratio": [0, 1]}, "two positive numbers, the smaller first"),
        ("random_flip", {"probability": 1.5}, "less than or equal to 1"),
        ("random_rotation", {"degrees": -1}, "greater than or equal to 0"),
    ],
)
def test_arguments_without_a_meaning_are_refused(op: str, arguments: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        LAYERS[op](**arguments)
