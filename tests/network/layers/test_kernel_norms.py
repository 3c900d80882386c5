"""Kernels that are normalised: their length is one trained number, or their largest singular value is one."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from layer_cases import Shape, array, call, init, layer

from framework.network.context import Context

LAYERS = [
    ("dense", (4, 6), {"features": 5}),
    ("conv", (2, 4, 4, 3), {"features": 5, "kernel": 3}),
    ("depthwise_conv", (2, 4, 4, 3), {"kernel": 3}),
    ("transposed_conv", (2, 4, 4, 3), {"features": 5, "kernel": 3, "strides": 2}),
]
each = pytest.mark.parametrize(("op", "shape", "arguments"), LAYERS, ids=[op for op, _, _ in LAYERS])


def started(op: str, shape: Shape, kind: str, arguments: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """The module with a normed kernel, its variables, the plain module and an input."""
    module, x = layer(op, **arguments, kernel_norm=kind), array(shape)
    return module, init(module, x), layer(op, **arguments), x


def plain(module: Any, kernel: Any, variables: Any, x: Any) -> np.ndarray:
    params = {"kernel": kernel, "bias": variables["params"]["bias"]}
    return np.asarray(jax.jit(lambda params, x: call(module, {"params": params}, x))(params, x))


@each
def test_weight_norm_starts_as_the_layer_without_it_and_does_not_see_the_length(
    op: str, shape: Shape, arguments: dict[str, Any]
) -> None:
    module, variables, bare, x = started(op, shape, "weight", arguments)
    kernel = variables["params"]["kernel"]
    expected = plain(bare, kernel, variables, x)
    run = jax.jit(lambda variables, x: call(module, variables, x))
    np.testing.assert_allclose(run(variables, x), expected, rtol=1e-5, atol=1e-6)
    longer = {"params": {**variables["params"], "kernel": 3 * kernel}}
    np.testing.assert_allclose(run(longer, x), expected, rtol=1e-5, atol=1e-6)
    assert variables["params"]["scale"].shape == kernel.shape[-1:]


@each
def test_spectral_norm_divides_by_the_largest_singular_value(op: str, shape: Shape, arguments: dict[str, Any]) -> None:
    module, variables, bare, x = started(op, shape, "spectral", arguments)
    kernel = variables["params"]["kernel"]
    largest = np.linalg.svd(np.asarray(kernel).reshape(-1, kernel.shape[-1]))[1][0]

    @jax.jit
    def trained(variables: Any, x: Any) -> Any:
        def step(_: int, variables: Any) -> Any:
            return variables | module.apply(variables, x, context=Context(train=True), mutable=["batch_stats"])[1]

        return jax.lax.fori_loop(0, 60, step, variables)

    after = trained(variables, x)
    np.testing.assert_allclose(
        call(module, after, x), plain(bare, kernel / largest, variables, x), rtol=2e-4, atol=1e-5
    )


def test_a_frozen_spectral_norm_keeps_its_vector() -> None:
    module, variables, _, x = started("dense", (4, 6), "spectral", {"features": 5})
    context = Context(train=True, frozen=True)
    _, changed = module.apply(variables, x, context=context, mutable=["batch_stats"])
    np.testing.assert_array_equal(changed["batch_stats"]["kernel_u"], variables["batch_stats"]["kernel_u"])
