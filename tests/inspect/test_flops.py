"""Counts against closed forms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from framework.inspect.flops import count


def total(function: object, *shapes: tuple[int, ...]) -> int:
    return count(function, *(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)).total()  # type: ignore[arg-type]


def test_a_product_of_matrices_costs_two_m_k_n() -> None:
    assert total(jnp.dot, (3, 5), (5, 7)) == 2 * 3 * 5 * 7


def test_a_batched_product_costs_as_many_products() -> None:
    assert total(lambda a, b: jnp.einsum("bij,bjk->bik", a, b), (4, 3, 5), (4, 5, 7)) == 4 * 2 * 3 * 5 * 7


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_costs_two_products_for_each_output_and_tap(groups: int) -> None:
    def convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups
        )

    assert total(convolve, (2, 8, 8, 4), (3, 3, 4 // groups, 6)) == 2 * (2 * 8 * 8 * 6) * (3 * 3 * 4 // groups)


def test_arithmetic_costs_one_for_each_element_written_and_a_sum_one_for_each_read() -> None:
    assert total(lambda x: jnp.exp(x) * 2.0, (3, 4)) == 2 * 12
    assert total(jnp.sum, (3, 4)) == 12


def test_moving_data_costs_nothing() -> None:
    assert total(lambda x: jnp.concatenate([x.T.reshape(2, -1), x.reshape(2, -1)])[:, ::-1], (3, 4)) == 0


def test_a_scan_costs_its_body_times_its_length() -> None:
    def loop(x: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda carry, _: (carry @ carry, None), x, None, length=5)[0]

    assert total(loop, (3, 3)) == 5 * 2 * 27


def test_a_branch_costs_the_costliest_side() -> None:
    def branch(x: jax.Array) -> jax.Array:
        return jax.lax.cond(x[0, 0] > 0, lambda y: y @ y, lambda y: y, x)

    assert total(branch, (3, 3)) == 2 * 27


def test_nested_functions_and_rematerialisation_are_looked_into() -> None:
    assert total(jax.jit(jax.checkpoint(jnp.dot)), (3, 5), (5, 7)) == 210


def test_operations_are_counted_by_scope() -> None:
    def scoped(x: jax.Array) -> jax.Array:
        with jax.named_scope("outer"):
            with jax.named_scope("inner"):
                x = x @ x
            return x + 1.0

    counted = count(scoped, jax.ShapeDtypeStruct((3, 3), jnp.float32))
    assert counted == {("outer", "inner"): 54, ("outer",): 9}
