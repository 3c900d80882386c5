"""Attention that keeps no weights: when it is taken, what memory it takes, and the kernel for TPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from framework.lowering import attention_form as choosing
from framework.lowering.attention import attend
from framework.lowering.attention_form import attention_form
from framework.lowering.block_attention import block_attend
from framework.lowering.choice import Choices, using
from framework.lowering.memory import memory_bytes
from framework.lowering.splash_attention import splash_attend

Function = Callable[..., jax.Array]


def arrays(batch: int, time: int, heads: int = 2, groups: int = 2, dtype: str = "float32") -> tuple[Any, Any]:
    query = jax.ShapeDtypeStruct((batch, time, heads, 64), dtype)
    key = jax.ShapeDtypeStruct((batch, time, groups, 64), dtype)
    return query, key


def temporary_bytes(time: int) -> int:
    def loss(query: jax.Array, key: jax.Array, value: jax.Array) -> jax.Array:
        return jnp.sum(block_attend(query, key, value, None, True, 32))

    shape = jax.ShapeDtypeStruct((1, time, 1, 8), jnp.float32)
    compiled = jax.jit(jax.grad(loss, (0, 1, 2))).lower(shape, shape, shape).compile()
    analysis = compiled.memory_analysis()
    assert analysis is not None
    return analysis.temp_size_in_bytes


def test_memory_of_blocks_grows_with_time_and_not_with_its_square() -> None:
    short, long = temporary_bytes(512), temporary_bytes(2048)
    assert long < 4.5 * short
    assert long < 4 * 2048 * 2048 / 8  # all weights together, as one array, would take eight times as much


@pytest.mark.parametrize("platform", ["cpu", "gpu", "tpu"])
def test_weights_that_memory_has_no_room_for_are_not_made(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "platform", lambda: platform)
    query, key = arrays(batch=1 + memory_bytes() // (32 * 4 * 2 * 999**2), time=999)
    assert attention_form(query, key, None, simple=True, causal=True) == "blocks"
    assert attention_form(query, key, object(), simple=True, causal=True) == "blocks"
    assert attention_form(query, key, None, simple=False, causal=True) == "xla"
    with using(Choices(memory="fast")):
        assert attention_form(query, key, None, simple=True, causal=True) != "blocks"


def test_lean_memory_keeps_no_weights_of_more_than_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "platform", lambda: "cpu")
    with using(Choices(memory="lean")):
        assert attention_form(*arrays(1, 256), mask=None, simple=True, causal=False) == "fused"
        assert attention_form(*arrays(1, 257), mask=None, simple=True, causal=False) == "blocks"


@pytest.mark.parametrize(
    ("form", "platform", "given", "mask", "taken"),
    [
        ("auto", "cpu", arrays(2, 64), None, "fused"),
        ("auto", "cpu", arrays(2, 64, heads=2, groups=1), None, "xla"),
        ("auto", "gpu", arrays(2, 64, dtype="bfloat16"), None, "cudnn"),
        ("auto", "gpu", arrays(2, 64, dtype="bfloat16"), object(), "xla"),
        ("auto", "gpu", arrays(2, 64), None, "xla"),
        ("auto", "tpu", arrays(2, 256, groups=1), None, "splash"),
        ("auto", "tpu", arrays(2, 256), object(), "xla"),
        ("auto", "tpu", arrays(2, 200), None, "xla"),
        ("splash", "cpu", arrays(2, 256), None, "xla"),
        ("cudnn", "cpu", arrays(2, 64, dtype="bfloat16"), None, "xla"),
        ("blocks", "gpu", arrays(2, 64, dtype="bfloat16"), None, "blocks"),
        ("blocks", "cpu", arrays(2, 64, heads=2, groups=1), object(), "blocks"),
    ],
)
def test_the_form_follows_platform_and_arrays(
    form: str, platform: str, given: tuple[Any, Any], mask: object, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "platform", lambda: platform)
    with using(Choices({"attention": form})):
        assert attention_form(*given, mask=mask, simple=True, causal=True) == taken


def test_a_tpu_kernel_is_not_taken_for_arrays_that_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "platform", lambda: "tpu")
    with using(Choices(whole=False)):
        assert attention_form(*arrays(2, 256), mask=None, simple=True, causal=True) == "xla"


def test_the_tpu_kernel_is_attention_in_its_interpreter() -> None:
    keys = jax.random.split(jax.random.key(0), 4)
    query, key, value, back = (
        jax.random.normal(one, (1, 128, heads, 64)) for one, heads in zip(keys, (2, 1, 1, 2), strict=True)
    )

    def value_and_gradients(function: Function) -> Any:
        def both(*given: jax.Array) -> Any:
            y, pullback = jax.vjp(function, *given)
            return y, *pullback(back)

        return jax.jit(both)(query, key, value)

    own = value_and_gradients(lambda *given: splash_attend(*given, causal=True, interpret=True))
    with using(Choices(default="xla")):
        reference = value_and_gradients(lambda *given: attend(*given, causal=True))
    for found, expected in zip(own, reference, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", ["xla", "fused", "blocks"])
def test_a_query_whose_earlier_keys_are_all_masked_sees_nothing(form: str) -> None:
    ones = jnp.ones((1, 2, 1, 4))
    with using(Choices({"attention": form})):
        mask = jnp.array([[[[False, True]]]])
        seen = jax.jit(lambda mask: attend(ones, ones, ones, mask=mask, causal=True))(mask)
    np.testing.assert_allclose(seen[0, :, 0, 0], [0, 1], rtol=1e-6)
