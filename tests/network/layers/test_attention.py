"""Attention and the transformer block against a walk over examples, heads and positions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import Shape, array, call, computed, init, layer, made_up, refusal

MASK = np.array([[[1, 1, 0, 1, 1], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]]] * 2, bool)


def projected(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """[time, features] -> [time, heads, head features]."""
    return np.einsum("ti,ihf->thf", x, kernel) + bias


def attended(query: np.ndarray, key: np.ndarray, value: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """One example: [queries, heads, features]; visible [queries, keys]. A query that sees nothing gets zeros."""
    y = np.zeros((len(query), *value.shape[1:]))
    for head in range(query.shape[1]):
        for place in range(len(query)):
            seen = np.flatnonzero(visible[place])
            if len(seen):
                logits = key[seen, head] @ query[place, head] / np.sqrt(query.shape[-1])
                weights = np.exp(logits - logits.max())
                y[place, head] = weights / weights.sum() @ value[seen, head]
    return y


def self_attention(x: np.ndarray, params: Any, visible: np.ndarray) -> np.ndarray:
    """All examples; visible [batch, queries, keys]."""
    qkv, out = params["qkv"], params["out"]
    rows = []
    for example, sight in zip(np.asarray(x, np.float64), visible, strict=True):
        parts = [projected(example, qkv["kernel"][:, part], qkv["bias"][part]) for part in range(3)]
        rows.append(np.einsum("thf,hfo->to", attended(*parts, sight), out["kernel"]) + out["bias"])
    return np.stack(rows)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_self_attention_mixes_the_values_of_what_is_visible(causal: bool, masked: bool) -> None:
    x = array((2, 5, 6))
    mask = jnp.asarray(MASK) if masked else None
    variables, y = computed("attention", x, None, None, mask, heads=2, causal=causal)
    visible = np.tril(np.ones((2, 5, 5), bool)) if causal else np.ones((2, 5, 5), bool)
    expected = self_attention(np.asarray(x), variables["params"], visible & MASK if masked else visible)
    np.testing.assert_allclose(y, expected, 1e-4, 1e-5)


@pytest.mark.parametrize("with_value", [False, True])
def test_cross_attention_mixes_the_values_of_the_other_sequence(with_value: bool) -> None:
    x, key, value = array((2, 5, 6)), array((2, 3, 4)), array((2, 3, 7))
    given = (x, key, value) if with_value else (x, key)
    variables, y = computed("attention", *given, heads=2, head_features=5)
    params = variables["params"]
    parts = {"query": x, "key": key, "value": value if with_value else key}
    expected = []
    for row in range(2):
        found = [
            projected(np.asarray(part[row], np.float64), params[name]["kernel"], params[name]["bias"])
            for name, part in parts.items()
        ]
        mixed = attended(*found, np.ones((5, 3), bool))
        expected.append(np.einsum("thf,hfo->to", mixed, params["out"]["kernel"]) + params["out"]["bias"])
    np.testing.assert_allclose(y, np.stack(expected), 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("mask", "full"),
    [
        (np.array([[1, 1, 0, 1, 0], [1, 0, 0, 0, 0]]), lambda m: m[:, None, :].repeat(5, 1)),
        (MASK.astype(np.int32), lambda m: m),
        (MASK[:, None], lambda m: m[:, 0]),
        (MASK[:, None].repeat(2, 1), lambda m: m[:, 0]),
        (MASK[:1], lambda m: m.repeat(2, 0)),
    ],
    ids=["keys", "pairs", "one for all heads", "each head", "one for all examples"],
)
def test_a_mask_may_have_any_rank_from_two_to_four(mask: np.ndarray, full: Any) -> None:
    x = array((2, 5, 6))
    variables, y = computed("attention", x, None, None, jnp.asarray(mask), heads=2)
    expected = self_attention(np.asarray(x), variables["params"], full(mask) != 0)
    np.testing.assert_allclose(y, expected, 1e-4, 1e-5)


def test_what_is_hidden_gets_no_gradient() -> None:
    x = array((2, 5, 6))
    mask = jnp.asarray([[1, 1, 1, 0, 0]] * 2)
    module = layer("attention", heads=2)
    variables = made_up(jax.eval_shape(lambda: init(module, x)))

    def cost(x: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(call(module, variables, x, None, None, mask)[:, :3]))

    slope = np.asarray(jax.jit(jax.grad(cost))(x))
    assert np.all(np.isfinite(slope))
    assert np.all(slope[:, :3] != 0)
    np.testing.assert_array_equal(slope[:, 3:], np.zeros((2, 2, 6)))


@pytest.mark.parametrize("op", ["attention", "transformer_block"])
def test_causal_attention_does_not_see_the_future(op: str) -> None:
    x = array((1, 6, 4))
    _, before = computed(op, x, heads=2, causal=True)
    _, after = computed(op, x.at[:, 4:].add(1.0), heads=2, causal=True)
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.all(np.any(before[:, 4:] != after[:, 4:], -1))


def test_attention_without_positions_does_not_know_their_order() -> None:
    x = array((1, 6, 4))
    order = np.array([3, 1, 5, 0, 2, 4])
    _, y = computed("attention", x, heads=2)
    _, shuffled = computed("attention", x[:, order], heads=2)
    np.testing.assert_allclose(y[:, order], shuffled, 1e-5, 1e-6)


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def normed(x: np.ndarray, params: Any) -> np.ndarray:
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * params["scale"] + params["bias"]


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_block_is_attention_and_a_perceptron_each_added_to_its_input(norm: str) -> None:
    x = array((2, 5, 4))
    variables, y = computed("transformer_block", x, heads=2, hidden=7, norm=norm)
    params = variables["params"]
    visible = np.ones((2, 5, 5), bool)

    def mlp(x: np.ndarray) -> np.ndarray:
        inner = gelu(x @ params["mlp_in"]["kernel"] + params["mlp_in"]["bias"])
        return inner @ params["mlp_out"]["kernel"] + params["mlp_out"]["bias"]

    expected = np.asarray(x, np.float64)
    if norm == "pre":
        expected = expected + self_attention(normed(expected, params["norm1"]), params["attention"], visible)
        expected = expected + mlp(normed(expected, params["norm2"]))
    else:
        expected = normed(expected + self_attention(expected, params["attention"], visible), params["norm1"])
        expected = normed(expected + mlp(expected), params["norm2"])
    np.testing.assert_allclose(y, expected, 1e-4, 1e-4)


def test_a_block_of_rms_norms_has_scales_alone() -> None:
    variables, _ = computed("transformer_block", array((2, 5, 4)), heads=2, norm_type="rms_norm", use_bias=False)
    params = variables["params"]
    assert {name: sorted(params[name]) for name in ("norm1", "norm2", "mlp_in", "mlp_out")} == {
        "norm1": ["scale"],
        "norm2": ["scale"],
        "mlp_in": ["kernel"],
        "mlp_out": ["kernel"],
    }
    assert params["mlp_in"]["kernel"].shape == (4, 16)


SEQUENCE = (2, 5, 6)


@pytest.mark.parametrize(
    ("inputs", "arguments", "text"),
    [
        (
            ((2, 6),), {"heads": 2},
            "found rank 2 [batch, 6], attention needs [batch, time, features]; put an embed before it for tokens, or a "
            "reshape, e.g. {reshape: {shape: [-1, 1]}}",
        ),
        (
            ((2, 3, 4, 6),), {"heads": 2},
            "found rank 4 [batch, 3, 4, 6], attention needs [batch, time, features]; put a reshape before it, e.g. "
            "{reshape: {shape: [-1, 6]}}",
        ),
        (
            (SEQUENCE,), {"heads": 4},
            "found 6 features, 4 heads must divide them; set heads to e.g. 3, or set head_features",
        ),
        (
            (SEQUENCE, None, SEQUENCE), {"heads": 2},
            "found value without key, attention to another sequence needs its key; wire key too",
        ),
        (
            (SEQUENCE, (2, 4, 6), (2, 3, 6)), {"heads": 2},
            "found key [batch, 4, 6] and value [batch, 3, 6], they need one length; wire both from one sequence",
        ),
        (
            (SEQUENCE, (2, 4, 6)), {"heads": 2, "causal": True},
            "found 5 positions that attend to 4, causal attention needs equal lengths; set causal=false",
        ),
        (
            (SEQUENCE, None, None, jax.ShapeDtypeStruct((2, 4), bool)), {"heads": 2},
            "found mask [batch, 4], a mask is [batch, 5], [batch, 5, 5] or [batch, 2, 5, 5]; reshape it",
        ),
        (
            (SEQUENCE, None, None, (2, 5)), {"heads": 2},
            "found a mask of float32 [batch, 5], a mask needs booleans or integers; compare it with a number first, "
            "e.g. {expr: 'mask > 0'}",
        ),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit_is_told(
    inputs: tuple[Shape | jax.ShapeDtypeStruct | None, ...], arguments: dict[str, Any], text: str
) -> None:
    assert refusal("attention", *inputs, **arguments) == text
