"""What attention may see and how it weighs distances: windows, biases, other sequences."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import array, call, computed, init, layer, made_up, refusal
from pydantic import ValidationError

from framework.config.schema.layers import LAYERS
from framework.network.layers.positions import alibi_slopes, bucket, distances

X = array((2, 6, 4))


def made(op: str, *inputs: Any, **arguments: Any) -> tuple[Any, Any]:
    module = layer(op, **arguments)
    return module, made_up(jax.eval_shape(lambda: init(module, *inputs)))


@pytest.mark.parametrize("causal", [True, False])
def test_a_window_is_the_mask_of_what_is_near(causal: bool) -> None:
    module, variables = made("attention", X, heads=2, window=3, causal=causal)
    away = np.arange(6)[:, None] - np.arange(6)
    mask = jnp.asarray((abs(away) < 3) & ((away >= 0) | (not causal)))[None]
    expected = call(layer("attention", heads=2), variables, X, None, None, mask)
    np.testing.assert_allclose(call(module, variables, X), expected, 1e-5, 1e-6)


def test_a_window_as_long_as_the_sequence_hides_nothing() -> None:
    module, variables = made("attention", X, heads=2, window=6)
    np.testing.assert_array_equal(call(module, variables, X), call(layer("attention", heads=2), variables, X))


def test_slopes_are_a_geometric_sequence_and_those_of_twelve_heads_the_published_ones() -> None:
    assert alibi_slopes(8) == tuple(2.0**-power for power in range(1, 9))
    assert alibi_slopes(12)[:8] == alibi_slopes(8)
    np.testing.assert_allclose(alibi_slopes(12)[8:], [2**-0.5, 2**-1.5, 2**-2.5, 2**-3.5], 1e-6)


def test_alibi_is_a_bias_that_falls_with_the_distance() -> None:
    module, variables = made("attention", X, heads=2, position="alibi", causal=True)
    slopes = np.asarray([2.0**-4, 2.0**-8])
    away = np.abs(np.arange(6)[:, None] - np.arange(6))
    bias = jnp.asarray(-slopes[:, None, None] * away, jnp.float32)[None]
    expected = call(layer("attention", heads=2, causal=True), variables, X, None, None, None, bias)
    np.testing.assert_allclose(call(module, variables, X), expected, 1e-5, 1e-6)


def reference_bucket(distance: int, buckets: int, furthest: int, causal: bool) -> int:
    """One distance k - q at a time, as the paper says it."""
    first = 0
    if not causal:
        buckets //= 2
        first = buckets if distance > 0 else 0
        distance = -abs(distance)
    away = max(-distance, 0)
    exact = buckets // 2
    if away < exact:
        return first + away
    coarse = exact + int(math.log(away / exact) / math.log(furthest / exact) * (buckets - exact))
    return first + min(coarse, buckets - 1)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("buckets", "furthest"), [(32, 128), (8, 20)])
def test_buckets_are_exact_when_near_and_logarithmic_when_far(causal: bool, buckets: int, furthest: int) -> None:
    away = distances(50, 200, 100)
    found = np.asarray(bucket(away, buckets, furthest, causal=causal))
    expected = [[reference_bucket(int(one), buckets, furthest, causal) for one in row] for row in np.asarray(away)]
    # A logarithm in float32 may fall on the other side of a whole number.
    assert np.mean(found != np.asarray(expected)) < 0.01
    assert np.abs(found - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize("causal", [True, False])
def test_relative_positions_are_the_bias_that_a_layer_of_its_own_gives(causal: bool) -> None:
    settings = {"heads": 2, "causal": causal}
    module, variables = made("attention", X, **settings, position="relative", relative_buckets=8, relative_distance=16)
    params = dict(variables["params"])
    table = params.pop("relative_bias")
    shared = layer("relative_bias", **settings, buckets=8, distance=16)
    bias = call(shared, {"params": {"embedding": table}}, X)
    assert bias.shape == (1, 2, 6, 6)
    np.testing.assert_array_equal(bias[0, :, 3, 3], table[0])
    expected = call(layer("attention", **settings), {"params": params}, X, None, None, None, bias)
    np.testing.assert_allclose(call(module, variables, X), expected, 1e-5, 1e-6)


def test_a_scale_of_its_own_replaces_that_of_the_head() -> None:
    module, variables = made("attention", X, heads=2, scale=0.5)
    sharper = jax.tree.map(lambda leaf: leaf, variables)
    for name in ("kernel", "bias"):
        qkv = sharper["params"]["qkv"][name]
        place = (0,) if name == "bias" else (slice(None), 0)
        sharper["params"]["qkv"][name] = qkv.at[place].multiply(0.5 * math.sqrt(2))
    expected = call(layer("attention", heads=2), sharper, X)
    np.testing.assert_allclose(call(module, variables, X), expected, 1e-5, 1e-6)


def normed(x: np.ndarray, params: Any) -> np.ndarray:
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * params["scale"] + params["bias"]


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_block_attends_to_a_memory_between_itself_and_the_perceptron(norm: str) -> None:
    memory, real = array((2, 3, 4), 1), jnp.asarray([[1, 1, 0], [1, 1, 1]])
    settings = {"heads": 2, "causal": True, "norm": norm, "hidden": 5}
    variables, y = computed("transformer_block", X, None, memory, real, cross=True, **settings)
    own: Any = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), variables["params"])

    def looked(x: Any) -> np.ndarray:
        look = layer("attention", heads=2)
        return np.asarray(call(look, {"params": own["cross_attention"]}, jnp.asarray(x), memory, None, real))

    def itself(x: Any) -> np.ndarray:
        return np.asarray(call(layer("attention", heads=2, causal=True), {"params": own["attention"]}, jnp.asarray(x)))

    def mlp(x: Any) -> np.ndarray:
        inner = jax.nn.gelu(jnp.asarray(x) @ own["mlp_in"]["kernel"] + own["mlp_in"]["bias"])
        return np.asarray(inner @ own["mlp_out"]["kernel"] + own["mlp_out"]["bias"])

    expected = np.asarray(X)
    for name, branch in (("norm1", itself), ("norm_cross", looked), ("norm2", mlp)):
        if norm == "pre":
            expected = expected + branch(normed(expected, own[name]))
        else:
            expected = normed(expected + branch(expected), own[name])
    np.testing.assert_allclose(y, expected, 2e-4, 2e-4)


def test_the_exact_gelu_of_a_block_is_not_the_approximate_one() -> None:
    _, approximate = computed("gated_mlp", X, hidden=3, activation="gelu")
    variables, exact = computed("gated_mlp", X, hidden=3, activation="gelu_exact")
    own: Any = variables["params"]
    gate, up = (np.asarray(X) @ own["mlp_in"]["kernel"][:, part] + own["mlp_in"]["bias"][part] for part in range(2))
    phi = np.vectorize(lambda value: 0.5 * (1 + math.erf(value / math.sqrt(2))))
    expected = (gate * phi(gate) * up) @ own["mlp_out"]["kernel"] + own["mlp_out"]["bias"]
    np.testing.assert_allclose(exact, expected, 1e-5, 1e-5)
    assert np.abs(exact - approximate).max() > 1e-5


REFUSED: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], str]] = {
    "alibi of another sequence": (
        "attention", ((2, 5, 4), (2, 3, 4)), {"heads": 2, "position": "alibi"},
        "found a key of its own, alibi positions are those of one sequence; wire no key, or set position: none",
    ),
    "window over another length": (
        "attention", ((2, 5, 4), (2, 3, 4)), {"heads": 2, "window": 2},
        "found 5 positions that attend to 3, a window needs equal lengths; set window=null",
    ),
    "bias of another length": (
        "attention", ((2, 5, 4), None, None, None, (2, 5, 4)), {"heads": 2},
        "found bias [batch, 5, 4], attention needs [batch, 5, 5] or [batch, 2, 5, 5]; reshape it",
    ),
    "no memory": (
        "transformer_block", ((2, 5, 4),), {"heads": 2, "cross": True},
        "found no memory, a block with cross: true attends to one; wire memory, or set cross=false",
    ),
    "memory without cross": (
        "transformer_block", ((2, 5, 4), None, (2, 3, 4)), {"heads": 2},
        "found memory, a block with cross: false attends to itself alone; set cross=true",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_input_that_does_not_fit_is_told(case: str) -> None:
    op, inputs, arguments, text = REFUSED[case]
    assert refusal(op, *inputs, **arguments) == text


@pytest.mark.parametrize(
    ("op", "arguments", "said"),
    [
        ("attention", {"heads": 2, "relative_buckets": 16}, "read by position: relative alone; set position=relative"),
        (
            "transformer_block", {"heads": 2, "position": "relative", "relative_distance": 16},
            "relative_distance 16 leaves 32 buckets nothing to tell apart; set relative_distance=128",
        ),
        ("relative_bias", {"heads": 2, "distance": 8}, "distance 8 leaves 32 buckets nothing to tell apart"),
        ("attention", {"heads": 2, "relative_buckets": 5}, "multiple of 2"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_go_together_are_refused(op: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LAYERS[op](**arguments)
