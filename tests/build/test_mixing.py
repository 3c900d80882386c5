"""Mixed batches: which examples meet, what shares they have, and that the loss is the mixture that the inputs are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import framework as fw
from framework.build.mixing import Mixed, mixed
from framework.config.schema.mixing import CutMix, Mixup
from framework.core.errors import ConfigError
from framework.core.random import base_key, derive

LINEAR = "+network.layers={flat: flatten, logits: {dense: {features: 10}}}"


def batch(rows: int = 6, real: int | None = None) -> dict[str, jax.Array]:
    """Pictures whose pixels all are the number of their row, which is their label too."""
    number = jnp.arange(rows)
    image = jnp.broadcast_to(number[:, None, None, None], (rows, 8, 10, 2)).astype(jnp.float32)
    return {"image": image, "label": number} | ({} if real is None else {"mask": (number < real).astype(jnp.float32)})


def mix(spec: Any, data: Any, step: Any = 0, axis: str | None = None, hyper: Any = None) -> Mixed:
    values = {f"trainer.mix.{name}": jnp.float32(getattr(spec, name)) for name in ("alpha", "probability")}
    values |= {f"trainer.mix.{name}": jnp.asarray(value) for name, value in (hyper or {}).items()}
    return mixed(spec, data, ["image"], ["label"], values, derive(base_key(0), "mix", step), axis)


def many(spec: Any, data: Any, steps: int = 400, **hyper: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mixed images, labels of those that were mixed in, shares) of many steps."""

    @jax.jit
    @jax.vmap
    def run(step: jax.Array) -> Any:
        made = mix(spec, data, step, None, hyper)
        return made.first["image"], made.second["label"], made.share

    return tuple(np.asarray(x) for x in run(jnp.arange(steps)))  # pyright: ignore[reportReturnType]


MIXUP, CUTMIX = Mixup(type="mixup"), CutMix(type="cutmix")  # pyright: ignore[reportCallIssue]


def test_mixup_is_the_weighted_mean_with_the_row_before_and_its_weights_have_their_law() -> None:
    image, other, share = many(MIXUP, batch(real=4), alpha=0.5)
    np.testing.assert_array_equal(other, np.broadcast_to([3, 0, 1, 2, 3, 4], other.shape))
    expected = share[:, None] * np.arange(6) + (1 - share[:, None]) * other
    np.testing.assert_allclose(image, np.broadcast_to(expected[:, :, None, None, None], image.shape), atol=1e-5)
    # Beta(a, a) has the variance 1 / (4 (2 a + 1)); 400 draws.
    np.testing.assert_allclose([share.mean(), share.var()], [0.5, 0.125], atol=0.06)
    assert len(np.unique(share)) > 390


def test_cutmix_replaces_one_box_and_its_share_is_the_area_that_stays() -> None:
    image, other, share = many(CUTMIX, batch())
    foreign = image[:, 0, ..., 0] == 5
    np.testing.assert_allclose(1 - foreign.mean((1, 2)), share, atol=1e-6)
    box = foreign.any(2).sum(1) * foreign.any(1).sum(1)
    np.testing.assert_array_equal(foreign.sum((1, 2)), box)
    for row in range(6):
        np.testing.assert_array_equal(image[:, row, ..., 1] == other[0, row], foreign)
    assert 0.5 < share.mean() < 0.8  # of uniform areas a part is cut off at the borders
    where = foreign.mean(0)
    assert np.all(where > 0.1)
    np.testing.assert_allclose(where, where[::-1, ::-1], atol=0.15)


def test_a_probability_is_that_of_a_batch_and_what_is_not_mixed_stays_as_it_is() -> None:
    image, _, share = many(CUTMIX, batch(), probability=0.25)
    np.testing.assert_allclose((share == 1).mean(), 0.75, atol=0.12)
    whole = image[share == 1]
    np.testing.assert_array_equal(whole, np.broadcast_to(batch()["image"], whole.shape))


@pytest.mark.parametrize("real", [8, 5])
def test_devices_mix_their_rows_as_one_device_does(real: int) -> None:
    data = batch(8, real)

    def run(data: Any, axis: str | None) -> Any:
        made = mix(MIXUP, data, 3, axis)
        return made.first["image"], made.second["label"]

    parts = jax.tree.map(lambda x: x.reshape(4, 2, *x.shape[1:]), data)
    together = jax.jit(jax.vmap(lambda data: run(data, "d"), axis_name="d"))(parts)
    for found, expected in zip(together, run(data, None), strict=True):
        np.testing.assert_array_equal(found.reshape(expected.shape), expected)


def test_the_step_of_a_linear_classifier_is_that_of_mixed_labels() -> None:
    """Cross-entropy is linear in the labels, so the loss is that of labels mixed as the pictures are."""
    made = fw.load("digits_mlp", ["~network.layers", LINEAR, "trainer.mix={type: mixup, alpha: 1}", "trainer.epochs=1"])
    state, rows = made.init(), made.batch(0)
    _, logs = jax.jit(made.step)(state, rows)
    hyper = {name: jnp.asarray(value) for name, value in made.hyper.items()}
    assert {"trainer.mix.alpha", "trainer.mix.probability"} <= set(hyper)
    pair = mixed(made.config.trainer.mix, rows, ["image"], ["label"], hyper, derive(state.rng, "mix", 0), None)  # pyright: ignore[reportArgumentType]
    label = pair.share * jax.nn.one_hot(rows["label"], 10) + (1 - pair.share) * jax.nn.one_hot(pair.second["label"], 10)
    flat = pair.first["image"].reshape(len(label), -1)
    logits = flat @ state.params["logits"]["kernel"] + state.params["logits"]["bias"]
    expected = -(label * jax.nn.log_softmax(logits)).sum(-1).mean()
    assert 0.01 < float(pair.share) < 0.99
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-5)


def test_what_cannot_be_mixed_is_told_with_the_override_that_mends_it() -> None:
    with pytest.raises(ConfigError, match=r"batch.image is int32") as caught:
        mix(MIXUP, batch() | {"image": jnp.ones((6, 4), jnp.int32)})
    assert caught.value.problems[0].fix == "trainer.mix=null"
    with pytest.raises(ConfigError, match=r"cutmix, where batch.image has \[4\]") as caught:
        mix(CUTMIX, batch() | {"image": jnp.ones((6, 4))})
    assert caught.value.problems[0].fix == "trainer.mix.type=mixup"
