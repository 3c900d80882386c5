"""An affine map of the last axes, as it lies: neither input nor kernel is made a matrix first."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from framework.lowering.choice import takes, whole
from framework.lowering.narrow import in_tiles, narrows, passed_back_rounded, rounded_through
from framework.lowering.narrow_projection import project_rounded


def project(x: jax.Array, kernel: jax.Array, bias: jax.Array | None = None, *, axes: int = 1) -> jax.Array:
    """x [..., *inputs] times kernel [*inputs, *outputs], summed over the `axes` axes of inputs, plus bias [*outputs].

    Form `xla` leaves the gradients to JAX. Form `fused` differs in two points. What comes back from behind is computed
    once and not again for each of the three gradients that read it. And the kernel's gradient is one product over all
    rows: with batch and time as two axes, XLA first writes out a transposed copy of one side, which on the CPU took up
    to ten times as long as the product, where both sizes were powers of two.

    Under `trainer.matmul_precision=bfloat16` all operands are rounded, whatever the form.
    """
    if narrows(x, kernel, axes):
        if whole():
            return project_rounded(x, kernel, bias, axes, in_tiles(x, axes))
        y = jnp.tensordot(rounded_through(x), rounded_through(kernel), axes=axes)
        y = passed_back_rounded(y)
        return y if bias is None else y + bias
    if not takes("projection", "fused"):
        y = jnp.tensordot(x, kernel, axes=axes)
        return y if bias is None else y + bias
    return _projected(x, kernel, bias, axes, whole())


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _projected(x: jax.Array, kernel: jax.Array, bias: jax.Array | None, axes: int, flat: bool) -> jax.Array:
    del flat
    y = jnp.tensordot(x, kernel, axes=axes)
    return y if bias is None else y + bias


def _forward(
    x: jax.Array, kernel: jax.Array, bias: jax.Array | None, axes: int, flat: bool
) -> tuple[jax.Array, tuple[jax.Array, jax.Array, bool]]:
    return _projected(x, kernel, bias, axes, flat), (x, kernel, bias is not None)


def _backward(
    axes: int, flat: bool, kept: tuple[jax.Array, jax.Array, bool], dy: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    x, kernel, biased = kept
    inputs, outputs = kernel.shape[:axes], kernel.shape[axes:]
    if flat:
        # As a matrix: what comes back is then computed once. Read in several shapes it is computed for each of them.
        matrix = kernel.reshape(math.prod(inputs), math.prod(outputs))
        dx, dkernel, dbias = _gradients(
            x.reshape(-1, matrix.shape[0]), matrix, dy.reshape(-1, matrix.shape[1]), 1, biased
        )
        return dx.reshape(x.shape), dkernel.reshape(kernel.shape), None if dbias is None else dbias.reshape(outputs)
    dx, dkernel, dbias = _gradients(x.reshape(-1, *inputs), kernel, dy.reshape(-1, *outputs), axes, biased)
    return dx.reshape(x.shape), dkernel, dbias


def _gradients(
    x: jax.Array, kernel: jax.Array, dy: jax.Array, axes: int, biased: bool
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    """Of rows x [rows, *inputs] and dy [rows, *outputs]."""
    dy = lax.optimization_barrier(dy)
    dx = lax.dot_general(dy, kernel, ((tuple(range(1, dy.ndim)), tuple(range(axes, kernel.ndim))), ((), ())))
    dkernel = lax.dot_general(x, dy, (((0,), (0,)), ((), ())))
    return dx, dkernel, dy.sum(0) if biased else None


_projected.defvjp(_forward, _backward)
