"""Products whose operands are rounded to bfloat16 and whose sums are in float32, on the CPU.

Intel's processors since Sapphire Rapids multiply tiles of bfloat16 numbers (AMX), six times as many in a second as
float32 numbers. XLA (jaxlib 0.10.2) reaches these instructions for a product of two matrices that lie row by row,
summed over the last axis of the first, with its result in float32. Everything else it computes in float32, or it fails
when the program runs: where it takes a transpose into such a product after it has chosen how to compute it. So operands
are matrices here whose axes no transpose can reach, and a product that is vectorised is computed in float32.

A product of two bfloat16 numbers is exact in float32, so the numbers are the same in either way, but for the order of
sums.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_batching import custom_vmap

from framework.core.processor import processor_features
from framework.lowering.choice import matmul_precision, platform, whole

_BLOCKS = (32, 16, 8, 4, 2)
"""Rows that are turned together; a plain transpose XLA would take into the product."""


def multiplies_tiles() -> bool:
    """Whether the processor has instructions for tiles of bfloat16 numbers."""
    return " amx_bf16" in (processor_features() or "")


def precision_of(wanted: str | None) -> str | None:
    """What `fast` means here: bfloat16 on a CPU with these instructions, else JAX's own rule; others as they are."""
    if wanted != "fast":
        return wanted
    return "bfloat16" if platform() == "cpu" and multiplies_tiles() else None


def narrows(x: jax.Array, kernel: jax.Array, axes: int = 1) -> bool:
    """Whether products of x [..., *inputs] with a kernel are computed here, `axes` being the number of inputs' axes.

    Those of float32 numbers, where the recipe lets their operands be rounded; those of bfloat16 numbers, where XLA's
    own are the slower ones.
    """
    if platform() != "cpu" or x.dtype != kernel.dtype:
        return False
    if x.dtype == jnp.float32:
        return matmul_precision() == "bfloat16"
    return x.dtype == jnp.bfloat16 and in_tiles(x, axes)


def in_tiles(x: jax.Array, axes: int = 1) -> bool:
    """Whether rows of x [..., *inputs] are multiplied as bfloat16 numbers."""
    leading = x.shape[: x.ndim - axes]
    apart = len(leading) == 1 or sum(size > 1 for size in leading) > 1
    return apart and whole() and multiplies_tiles()


def rounded(x: jax.Array, tiles: bool) -> jax.Array:
    """x with the precision of bfloat16, in the format that it is multiplied in."""
    return x.astype(jnp.bfloat16) if tiles else lax.reduce_precision(x, 8, 7)


@jax.custom_vjp
def rounded_through(x: jax.Array) -> jax.Array:
    """float32 x with the precision of bfloat16; gradients pass as they are."""
    return lax.reduce_precision(x, 8, 7)


@jax.custom_vjp
def passed_back_rounded(y: jax.Array) -> jax.Array:
    """y; what comes back has the precision of bfloat16."""
    return y


def product(x: jax.Array, y: jax.Array) -> jax.Array:
    """Of rounded x [m, k] and y [k, n]; float32 [m, n]."""
    return _product(x, y) if x.dtype == jnp.bfloat16 else x @ y


def product_with_rows(x: jax.Array, y: jax.Array) -> jax.Array:
    """Of rounded x [m, k] and y [n, k]; float32 [m, n]."""
    return _product_with_rows(x, y) if x.dtype == jnp.bfloat16 else lax.dot_general(x, y, (((1,), (1,)), ((), ())))


def product_over_rows(x: jax.Array, y: jax.Array) -> jax.Array:
    """Of rounded x [rows, m] and y [rows, n]; float32 [m, n]."""
    if x.dtype != jnp.bfloat16:
        return lax.dot_general(x, y, (((0,), (0,)), ((), ())))
    block = next((size for size in _BLOCKS if x.shape[0] % size == 0), None)
    if block is None:
        return lax.dot_general(x.astype(jnp.float32), y.astype(jnp.float32), (((0,), (0,)), ((), ())))
    if y.shape[1] < x.shape[1]:
        columns = next((size for size in _BLOCKS if x.shape[1] % size == 0), None)
        if columns is not None:
            # The side with fewer columns is turned, and then the result, in another way than a transpose.
            back = product(_turned(y, block), x).reshape(y.shape[1], -1, columns)
            return back.transpose(1, 2, 0).reshape(x.shape[1], y.shape[1])
    return product(_turned(x, block), y)


def _turned(x: jax.Array, block: int) -> jax.Array:
    blocks = bits(x).reshape(x.shape[0] // block, block, x.shape[1])
    return from_bits(blocks.transpose(2, 0, 1).reshape(x.shape[1], x.shape[0]))


def bits(x: jax.Array) -> jax.Array:
    """The bits of bfloat16 numbers, other arrays as they are.

    Moved as numbers, they would be made float32, moved, and made bfloat16 again by XLA's CPU compiler.
    """
    return lax.bitcast_convert_type(x, jnp.uint16) if x.dtype == jnp.bfloat16 else x


def from_bits(x: jax.Array) -> jax.Array:
    """What `bits` was given."""
    return lax.bitcast_convert_type(x, jnp.bfloat16) if x.dtype == jnp.uint16 else x


@custom_vmap
def _product(x: jax.Array, y: jax.Array) -> jax.Array:
    return lax.dot_general(x, y, (((1,), (0,)), ((), ())), preferred_element_type=jnp.float32)


@custom_vmap
def _product_with_rows(x: jax.Array, y: jax.Array) -> jax.Array:
    return lax.dot_general(x, y, (((1,), (1,)), ((), ())), preferred_element_type=jnp.float32)


def _vectorised(letters: str, size: int, mapped: list[bool], x: jax.Array, y: jax.Array) -> tuple[jax.Array, bool]:
    """The product of wider operands, by any number of axes in front."""
    del size
    first, second, given = letters.replace("->", ",").split(",")
    equation = f"{'...' if mapped[0] else ''}{first},{'...' if mapped[1] else ''}{second}->...{given}"
    return jnp.einsum(equation, x.astype(jnp.float32), y.astype(jnp.float32)), True


def _products(size: int, mapped: list[bool], x: jax.Array, y: jax.Array) -> tuple[Any, Any]:
    return _vectorised("mk,kn->mn", size, mapped, x, y)


def _products_with_rows(size: int, mapped: list[bool], x: jax.Array, y: jax.Array) -> tuple[Any, Any]:
    return _vectorised("mk,nk->mn", size, mapped, x, y)


rounded_through.defvjp(lambda x: (rounded_through(x), None), lambda _, dx: (dx,))
passed_back_rounded.defvjp(lambda y: (y, None), lambda _, dy: (lax.reduce_precision(dy, 8, 7),))
_product.def_vmap(_products)
_product_with_rows.def_vmap(_products_with_rows)
