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


@pytest.mark.parametrize(("kernel", "steps"), [(3, 256), (7, 256), (3, 1)])
def test_only_a_convolution_left_to_xla_takes_its_steps_one_by_one(kernel: int, steps: int) -> None:
    """Its weight gradient is slow inside a loop; a kernel of 7 x 7 has a gradient of its own too."""
    from framework.config.compose import load
    from framework.train.runner import Runner
    from framework.train.setup import Setup

    form = "auto" if steps > 1 else "xla"
    setup = Setup(
        load(
            "digits_cnn",
            [
                f"network.blocks.conv_norm_relu.layers.conv.conv.kernel={kernel}",
                f"trainer.lowering.convolution={form}",
            ],
        )
    )
    runner = Runner(setup.experiment, setup.dataset, setup.strategy)
    runner.close()
    assert runner.steps_per_dispatch == steps
