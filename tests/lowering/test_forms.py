"""Every form of an operation is the operation: values and gradients, under jit, under vmap and inside of a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from framework.lowering.attention import attend
from framework.lowering.choice import Choices, using
from framework.lowering.convolution import convolve
from framework.lowering.gelu import gelu
from framework.lowering.pooling import max_pool
from framework.lowering.projection import project
from framework.network.context import Context
from framework.network.layers.normalization import BatchNorm, LayerNorm
from framework.objectives.losses import cross_entropy


@dataclass(frozen=True)
class Case:
    """An operation, what it is given, and the forms it can take besides `xla`."""

    family: str
    forms: tuple[str, ...]
    operation: Callable[..., jax.Array]
    shapes: tuple[tuple[int, ...], ...]
    dtype: str = "float32"


def _normalised(x: jax.Array, scale: jax.Array, bias: jax.Array) -> jax.Array:
    variables = {"params": {"scale": scale, "bias": bias}}
    out = LayerNorm(epsilon=1e-3).apply(variables, x, context=Context())
    assert isinstance(out, jax.Array)
    return out


def _over_batch(x: jax.Array, scale: jax.Array, bias: jax.Array) -> jax.Array:
    kept = {"mean": jnp.full(scale.shape, 0.1), "var": jnp.ones(scale.shape)}
    variables = {"params": {"scale": scale, "bias": bias}, "batch_stats": kept}
    context = Context(train=True)
    y, updates = BatchNorm(epsilon=1e-3, momentum=0.5).apply(variables, x, context=context, mutable=["batch_stats"])
    stats: Any = updates["batch_stats"]
    moved = stats["mean"] + stats["var"]
    return y + lax.stop_gradient(moved).astype(y.dtype)


def _attention(**options: Any) -> Callable[..., jax.Array]:
    return lambda query, key, value: attend(query, key, value, **options)


def _convolution(strides: int, padding: str, dilation: int = 1, groups: int = 1) -> Callable[..., jax.Array]:
    def convolution(x: jax.Array, kernel: jax.Array) -> jax.Array:
        dims = x.ndim - 2
        steps, gaps = (strides,) * dims, (dilation,) * dims
        return convolve(x, kernel, strides=steps, padding=padding, dilation=gaps, groups=groups)

    return convolution


def _pooling(window: int, strides: int, before: int = 0, after: int = 0) -> Callable[..., jax.Array]:
    return lambda x: max_pool(x, (window,) * (x.ndim - 2), (strides,) * (x.ndim - 2), ((before, after),) * (x.ndim - 2))


def _cost(smoothing: float) -> Callable[..., jax.Array]:
    labels = jnp.array([[0, 4, 2], [1, 1, 3]])
    return lambda logits: cross_entropy(30 * logits, labels, smoothing=smoothing)


SEEN = np.array([[[[True, True, False, True, True]]], [[[True, False, False, False, False]]]])
NOTHING_SEEN = np.zeros((1, 1, 1, 5), bool)
CASES = {
    "projection": Case("projection", ("fused",), project, ((3, 5, 4), (4, 6), (6,))),
    "projection_of_heads": Case("projection", ("fused",), project, ((2, 5, 4), (4, 3, 2, 2), (3, 2, 2))),
    "projection_from_heads": Case(
        "projection", ("fused",), lambda x, kernel: project(x, kernel, axes=2), ((2, 5, 3, 4), (3, 4, 6))
    ),
    "projection_half": Case("projection", ("fused",), project, ((3, 4), (4, 6), (6,)), "bfloat16"),
    "gelu": Case("activation", ("fused",), gelu, ((4, 9),)),
    "gelu_half": Case("activation", ("fused",), gelu, ((4, 9),), "bfloat16"),
    "layer_norm": Case("normalization", ("fused",), _normalised, ((2, 3, 7), (7,), (7,))),
    "layer_norm_half": Case("normalization", ("fused",), _normalised, ((4, 16), (16,), (16,)), "bfloat16"),
    "batch_norm": Case("normalization", ("fused",), _over_batch, ((4, 3, 2, 5), (5,), (5,))),
    "batch_norm_half": Case("normalization", ("fused",), _over_batch, ((8, 3), (3,), (3,)), "bfloat16"),
    "cross_entropy": Case("cross_entropy", ("fused",), _cost(0.0), ((2, 3, 5),)),
    "cross_entropy_smoothed": Case("cross_entropy", ("fused",), _cost(0.1), ((2, 3, 5),)),
    "attention": Case("attention", ("fused",), _attention(), ((2, 5, 3, 4),) * 3),
    "attention_causal": Case("attention", ("fused",), _attention(causal=True), ((2, 5, 3, 4),) * 3),
    "attention_masked": Case("attention", ("fused", "blocks"), _attention(mask=SEEN, causal=True), ((2, 5, 3, 4),) * 3),
    "attention_to_nothing": Case("attention", ("fused",), _attention(mask=NOTHING_SEEN), ((2, 5, 1, 4),) * 3),
    "attention_to_another": Case(
        "attention", ("fused", "blocks"), _attention(), ((2, 3, 2, 4), (2, 5, 2, 4), (2, 5, 2, 4))
    ),
    "attention_of_groups": Case(
        "attention", ("blocks",), _attention(causal=True), ((2, 6, 4, 4), (2, 6, 2, 4), (2, 6, 2, 4)), "bfloat16"
    ),
    "attention_half": Case("attention", ("fused",), _attention(causal=True), ((2, 5, 3, 4),) * 3, "bfloat16"),
    "convolution": Case("convolution", ("patches", "rows"), _convolution(1, "SAME"), ((2, 6, 5, 3), (3, 3, 3, 4))),
    "convolution_strided": Case(
        "convolution", ("patches", "rows"), _convolution(2, "SAME"), ((2, 7, 6, 3), (3, 2, 3, 4))
    ),
    "convolution_dilated": Case(
        "convolution", ("patches", "rows", "fft"), _convolution(1, "VALID", 2), ((2, 9, 3), (3, 3, 4))
    ),
    "convolution_in_groups": Case(
        "convolution", ("patches", "rows", "fft"), _convolution(2, "SAME", groups=2), ((2, 6, 5, 4), (3, 3, 2, 6))
    ),
    "depthwise": Case(
        "convolution", ("shifts", "patches", "fft"), _convolution(2, "SAME", groups=3), ((2, 6, 5, 3), (3, 3, 1, 6))
    ),
    "convolution_of_volumes": Case(
        "convolution", ("fft",), _convolution(1, "SAME"), ((1, 3, 4, 2, 2), (2, 3, 2, 2, 2)), "bfloat16"
    ),
    "max_pool": Case("pooling", ("tiles", "shifts"), _pooling(2, 2), ((2, 7, 6, 3),)),
    "max_pool_of_ties": Case("pooling", ("shifts",), lambda x: _pooling(2, 2)(jnp.round(x)), ((2, 7, 6, 3),)),
    "max_pool_overlapping": Case("pooling", ("shifts",), _pooling(3, 2, 1, 1), ((2, 7, 6, 3),)),
}
PAIRS = [(name, form) for name, case in CASES.items() for form in case.forms]


@pytest.mark.parametrize(("name", "form"), PAIRS)
def test_every_form_is_what_xla_computes(name: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.lowering.attention.BLOCK", 2)  # else these arrays are a block each
    case = CASES[name]
    keys = jax.random.split(jax.random.key(1), len(case.shapes) + 1)
    single = [jax.random.normal(key, shape) for key, shape in zip(keys, case.shapes, strict=False)]
    given = [jnp.stack([item, item[::-1]]).astype(case.dtype) for item in single]
    shape = jax.eval_shape(case.operation, *(item[0] for item in given)).shape
    back = jax.random.normal(keys[-1], shape).astype(case.dtype)

    def gradients(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        y, pullback = jax.vjp(case.operation, *arguments)
        return y, *pullback(back)

    def looped(*stacked: jax.Array) -> Any:
        return lax.scan(lambda carry, item: (carry, gradients(*item)), 0, stacked)[1]

    @jax.jit
    def every(*stacked: jax.Array) -> Any:
        return jax.vmap(gradients)(*stacked), looped(*stacked)

    with using(Choices({case.family: "xla"})):
        expected = jax.jit(jax.vmap(gradients))(*given)
    with using(Choices({case.family: form})):
        mapped, in_loop = every(*given)
    near = 1e-5 if case.dtype == "float32" else 0.04
    for way in (mapped, in_loop):
        for found, wanted in zip(way, expected, strict=True):
            assert found.dtype == wanted.dtype and found.shape == wanted.shape
            found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
            np.testing.assert_allclose(found, wanted, rtol=near, atol=near * max(1.0, float(np.abs(wanted).max())))
