"""A convolution as a product over patches is XLA's own convolution, in value and in both gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from framework.lowering.patches import convolve_patches

CASES = {
    "one_dimension": ((2, 9, 3), (3,), (1,), ((1, 1),), (1,)),
    "same": ((2, 6, 5, 3), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    "valid": ((2, 6, 5, 3), (2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    "strided_with_an_unread_edge": ((2, 8, 7, 2), (3, 2), (2, 3), ((0, 1), (0, 0)), (1, 1)),
    "dilated": ((1, 9, 9, 2), (3, 3), (1, 2), ((2, 2), (0, 3)), (2, 3)),
    "pointwise": ((2, 4, 4, 3), (1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    "three_dimensions": ((1, 4, 5, 4, 2), (2, 3, 2), (1, 2, 1), ((1, 0), (1, 1), (0, 1)), (1, 1, 1)),
    "causal": ((2, 7, 2), (3,), (1,), ((4, 0),), (2,)),
}


def xla(x, kernel, strides, sides, dilation):
    space = "DHW"[-(x.ndim - 2) :]
    return lax.conv_general_dilated(
        x,
        kernel,
        strides,
        sides,
        rhs_dilation=dilation,
        dimension_numbers=(f"N{space}C", f"{space}IO", f"N{space}C"),
    )


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_xla(name: str) -> None:
    shape, size, strides, sides, dilation = CASES[name]
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], shape)
    kernel = jax.random.normal(keys[1], (*size, shape[-1], 4))
    dy = jax.random.normal(keys[2], jax.eval_shape(lambda: xla(x, kernel, strides, sides, dilation)).shape)

    @partial(jax.jit, static_argnums=0)  # compiled as a whole: each slice by itself would be a program of its own
    def value_and_gradients(form: Any, x: jax.Array, kernel: jax.Array) -> Any:
        y, pullback = jax.vjp(lambda x, kernel: form(x, kernel, strides, sides, dilation), x, kernel)
        return y, *pullback(dy)

    for own, reference in zip(
        value_and_gradients(convolve_patches, x, kernel), value_and_gradients(xla, x, kernel), strict=True
    ):
        assert own.shape == reference.shape
        np.testing.assert_allclose(own, reference, rtol=1e-5, atol=1e-5)


def test_it_can_be_vectorised_over_models() -> None:
    shape, size, strides, sides, dilation = CASES["same"]
    x = jax.random.normal(jax.random.key(0), shape)
    kernels = jax.random.normal(jax.random.key(1), (3, *size, shape[-1], 4))

    @jax.jit
    def gradient(kernel: jax.Array) -> jax.Array:
        return jax.grad(lambda k: jnp.square(convolve_patches(x, k, strides, sides, dilation)).sum())(kernel)

    together = jax.vmap(gradient)(kernels)
    for index in range(3):
        np.testing.assert_allclose(together[index], gradient(kernels[index]), rtol=1e-5, atol=1e-4)


def test_a_loop_over_steps_holds_no_convolution_of_xla() -> None:
    """What the choice of many steps per dispatch relies on."""
    from framework.build.contents import primitives
    from framework.lowering.convolution import convolve

    def loss(kernel: jax.Array, x: jax.Array) -> jax.Array:
        return convolve(x, kernel, strides=(1, 1), padding="SAME", dilation=(1, 1)).sum()

    inside = primitives(jax.grad(loss), jnp.ones((3, 3, 2, 4)), jnp.ones((1, 6, 6, 2)))
    assert "dot_general" in inside
    assert "conv_general_dilated" not in inside
