"""Rotary positions, grouped queries and gated perceptrons against closed forms."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, call, computed, init, layer, made_up, refusal
from pydantic import ValidationError

from framework.config.schema.layers import LAYERS
from framework.lowering.attention import attend
from framework.network.layers.positions import rotated


def test_rotation_turns_feature_i_with_feature_i_plus_half() -> None:
    x = np.asarray(array((1, 3, 2, 4)), np.float64)
    y = np.asarray(rotated(jnp.asarray(x, jnp.float32), 100.0))
    for time in range(3):
        for pair, speed in enumerate((1.0, 100.0**-0.5)):
            both = x[0, time, :, pair] + 1j * x[0, time, :, pair + 2]
            turned = both * np.exp(1j * time * speed)
            np.testing.assert_allclose(y[0, time, :, pair], turned.real, 1e-5, 1e-6)
            np.testing.assert_allclose(y[0, time, :, pair + 2], turned.imag, 1e-5, 1e-6)


def test_products_of_rotated_vectors_depend_on_their_distance_alone() -> None:
    query, key = (np.asarray(array((8,), seed)) for seed in (0, 1))
    turned = [np.asarray(rotated(jnp.broadcast_to(x, (1, 12, 1, 8)), 50.0))[0, :, 0] for x in (query, key)]
    products = turned[0] @ turned[1].T
    for distance in range(-11, 12):
        along = np.diagonal(products, distance)
        np.testing.assert_allclose(along, np.full_like(along, along[0]), 1e-4, 1e-5)
    np.testing.assert_allclose(products[0, 0], query @ key, 1e-5)
    assert np.ptp(products[0]) > 0.1


def test_rotation_keeps_lengths() -> None:
    x = array((2, 40, 3, 6))
    before, after = (np.linalg.norm(np.asarray(one), axis=-1) for one in (x, rotated(x, 10000.0)))
    np.testing.assert_allclose(before, after, 1e-5)


def test_attention_with_rotary_positions_knows_distances_but_not_places() -> None:
    x = array((1, 9, 8))
    _, whole = computed("attention", x, heads=2, position="rotary")
    _, plain = computed("attention", x, heads=2)
    assert np.max(np.abs(whole - plain)) > 1e-4
    module = layer("attention", heads=2, position="rotary")
    variables = made_up(jax.eval_shape(lambda: init(module, x)))
    # A window of the sequence, three places further on: hidden from the rest, it is as if it began at 0.
    window = jnp.zeros((1, 9), bool).at[:, 3:].set(True)
    later = call(module, variables, x, None, None, window)[:, 3:]
    np.testing.assert_allclose(later, call(module, variables, x[:, 3:]), 1e-4, 1e-5)


ALIKE: tuple[dict[str, Any], ...] = ({}, {"kv_heads": 4})


@pytest.mark.parametrize("op", ["attention", "transformer_block"])
def test_as_many_kv_heads_as_heads_are_plain_attention(op: str) -> None:
    x = array((2, 5, 8))
    plain, same = (computed(op, x, heads=4, causal=True, **more) for more in ALIKE)
    assert jax.tree.structure(plain[0]) == jax.tree.structure(same[0])
    np.testing.assert_array_equal(plain[1], same[1])


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_head_of_keys_serves_neighbouring_queries(groups: int) -> None:
    query, key, value = array((2, 5, 4, 3)), array((2, 6, groups, 3), 1), array((2, 6, groups, 3), 2)
    copied = (jnp.repeat(x, 4 // groups, axis=2) for x in (key, value))
    mask = jnp.asarray(np.random.default_rng(0).random((2, 4, 5, 6)) < 0.7)
    found = attend(query, key, value, mask=mask)
    np.testing.assert_allclose(found, attend(query, *copied, mask=mask), 1e-5, 1e-6)


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_grouped_queries_are_plain_attention_with_repeated_kernels(kv_heads: int) -> None:
    x = array((2, 5, 8))
    module = layer("attention", heads=4, kv_heads=kv_heads, causal=True)
    variables = made_up(jax.eval_shape(lambda: init(module, x)))
    own = variables["params"]
    assert {name: own[name]["kernel"].shape for name in ("query", "kv", "out")} == {
        "query": (8, 4, 2),
        "kv": (8, 2, kv_heads, 2),
        "out": (4, 2, 8),
    }
    each = jax.tree.map(lambda leaf: jnp.repeat(leaf, 4 // kv_heads, axis=-2), own["kv"])
    qkv = {
        "kernel": jnp.concatenate([own["query"]["kernel"][:, None], each["kernel"]], axis=1),
        "bias": jnp.concatenate([own["query"]["bias"][None], each["bias"]]),
    }
    plain = call(layer("attention", heads=4, causal=True), {"params": {"qkv": qkv, "out": own["out"]}}, x)
    np.testing.assert_allclose(call(module, variables, x), plain, 1e-5, 1e-6)


def test_another_sequence_may_have_fewer_heads_too() -> None:
    variables, y = computed("attention", array((2, 5, 8)), array((2, 3, 6)), heads=4, kv_heads=2)
    assert y.shape == (2, 5, 8)
    assert variables["params"]["key"]["kernel"].shape == (6, 2, 2)


def test_a_gated_perceptron_multiplies_by_a_second_product() -> None:
    x = array((2, 3, 4))
    variables, y = computed(
        "transformer_block", x, heads=2, hidden=5, gated=True, activation="silu", norm_type="rms_norm", use_bias=False
    )
    params: Any = variables["params"]
    assert params["mlp_in"]["kernel"].shape == (4, 2, 5)

    def normed(x: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return scale * x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)

    first = jnp.asarray(normed(np.asarray(x), params["norm1"]["scale"]), jnp.float32)
    module = layer("attention", heads=2, use_bias=False)
    own = {"params": jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params["attention"])}
    middle = np.asarray(x, np.float64) + np.asarray(call(module, own, first))
    inner = normed(middle, params["norm2"]["scale"])
    gate, up = (inner @ params["mlp_in"]["kernel"][:, part] for part in range(2))
    expected = middle + (gate / (1 + np.exp(-gate)) * up) @ params["mlp_out"]["kernel"]
    np.testing.assert_allclose(y, expected, 1e-4, 1e-4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"heads": 6, "kv_heads": 4}, "6 heads cannot share 4 kv_heads evenly; set kv_heads to one of 1, 2, 3, 6"),
        ({"heads": 2, "rotary_base": 5e5}, "rotary_base is read by position: rotary alone; set position=rotary"),
    ],
)
@pytest.mark.parametrize("op", ["attention", "transformer_block"])
def test_arguments_that_do_not_go_together_are_refused(op: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LAYERS[op](**arguments)


def test_heads_of_an_odd_size_cannot_be_rotated() -> None:
    assert refusal("attention", (2, 5, 6), heads=2, position="rotary") == (
        "found heads [batch, 5, 2, 3] of 3 features, rotary positions turn pairs and need an even number; set "
        "head_features=4, or position: none"
    )


def test_another_sequence_has_no_rotary_positions() -> None:
    text = refusal("attention", (2, 5, 4), (2, 3, 4), heads=2, position="rotary")
    assert (
        text == "found a key of its own, rotary positions are those of one sequence; wire no key, or set position: none"
    )
