"""Initialisers have the moments, the structure and the bounds that they state."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from pydantic import ValidationError

from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.initializers import INITIALIZERS
from framework.network.layers.initialization import initializer

SHAPE = (3, 3, 40, 64)
INPUTS, OUTPUTS = 9 * 40, 9 * 64


def drawn(init: Any, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """A kernel as a layer of this `kernel_init` starts with."""
    spec = LAYERS["dense"](features=1, kernel_init=init)  # pyright: ignore[reportCallIssue]
    return np.asarray(initializer(spec.kernel_init)(jax.random.key(3, impl="rbg"), shape), np.float64)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("init", "mean", "stddev", "bound"),
    [
        ("normal", 0, 0.02, np.inf),
        ({"normal": {"stddev": 0.5, "mean": 2.0}}, 2, 0.5, np.inf),
        ({"truncated_normal": {"stddev": 0.1, "lower": -1.0, "upper": 1.0}}, 0, 0.1 * 0.5396, 0.1),
        ("uniform", 0, 0.05 / 3**0.5, 0.05),
        ({"uniform": {"low": 0.0, "high": 1.0}}, 0.5, 1 / 12**0.5, 1),
        ("lecun_normal", 0, INPUTS**-0.5, 2 / 0.8796 * INPUTS**-0.5),
        ("glorot_uniform", 0, (2 / (INPUTS + OUTPUTS)) ** 0.5, (6 / (INPUTS + OUTPUTS)) ** 0.5),
        ({"xavier_uniform": {"gain": 2.0}}, 0, 2 * (2 / (INPUTS + OUTPUTS)) ** 0.5, np.inf),
        ({"he_normal": {"mode": "fan_out"}}, 0, (2 / OUTPUTS) ** 0.5, np.inf),
        ({"kaiming_uniform": {"negative_slope": 5**0.5}}, 0, (1 / 3 / INPUTS) ** 0.5, INPUTS**-0.5),
        (
            {"variance_scaling": {"scale": 3.0, "mode": "fan_geo_avg", "distribution": "normal"}},
            0,
            (3 / (INPUTS * OUTPUTS) ** 0.5) ** 0.5,
            np.inf,
        ),
    ],
)
def test_the_law_has_the_moments_and_bounds_that_it_states(init: Any, mean: float, stddev: float, bound: float) -> None:
    kernel = drawn(init)
    np.testing.assert_allclose(kernel.mean(), mean, atol=0.03 * stddev)
    np.testing.assert_allclose(kernel.std(), stddev, rtol=0.02)
    assert np.abs(kernel).max() <= bound * (1 + 1e-5)


def test_constants_fill_everything() -> None:
    assert np.all(drawn({"constant": {"value": 0.25}}) == 0.25)
    assert np.all(drawn("ones") == 1)
    assert not np.any(drawn("zeros"))


def test_an_orthogonal_kernel_keeps_lengths() -> None:
    kernel = drawn({"orthogonal": {"gain": 2.0}}, (12, 5))
    np.testing.assert_allclose(kernel.T @ kernel, 4 * np.eye(5), atol=1e-5)


def test_a_delta_orthogonal_kernel_is_orthogonal_at_its_centre_and_zero_around() -> None:
    kernel = drawn("delta_orthogonal", (3, 3, 4, 6))
    np.testing.assert_allclose(kernel[1, 1] @ kernel[1, 1].T, np.eye(4), atol=1e-5)
    kernel[1, 1] = 0
    assert not np.any(kernel)


@pytest.mark.parametrize("name", ["identity", "dirac"])
def test_the_identity_passes_features_on(name: str) -> None:
    kernel = drawn(name, (3, 4, 4))
    np.testing.assert_array_equal(kernel[1], np.eye(4))
    assert not np.any(kernel[[0, 2]])


def test_a_sparse_kernel_has_its_share_of_zeros_in_each_column() -> None:
    kernel = drawn({"sparse": {"sparsity": 0.75, "stddev": 1.0}}, (20, 30))
    np.testing.assert_array_equal((kernel == 0).sum(0), np.full(30, 15))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initialiser_takes_its_bare_name_half_precision_and_vectors(name: str) -> None:
    init = initializer(name)
    for shape in ((5,), (3, 4, 6)):
        made = jax.eval_shape(lambda key, shape=shape: init(key, shape, "bfloat16"), jax.random.key(0))
        assert (made.shape, str(made.dtype)) == (shape, "bfloat16")


@pytest.mark.parametrize(
    ("init", "told"),
    [
        ("he_norml", "Input should be 'zeros'"),
        ({"norml": {}}, r"did you mean 'normal'\?"),
        ({"normal": {"std": 1}}, "expected arguments of 'normal': stddev, mean"),
        ({"normal": {"stddev": -1}}, "found -1 at normal.stddev; expected greater than or equal to 0"),
        ({"uniform": {"low": 1.0, "high": 0.0}}, "low must be less than high"),
        ({"normal": 0.02}, "expected the arguments of 'normal' by name"),
        ({"zeros": {}, "ones": {}}, "expected one initialiser"),
    ],
)
def test_a_wrong_initialiser_is_told(init: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        LAYERS["dense"](features=1, kernel_init=init)  # pyright: ignore[reportCallIssue]
