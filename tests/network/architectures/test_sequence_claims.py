"""What the networks for sequences, tables and recommendations claim of what they compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from architecture_cases import Published, Shape
from sequence_cases import REAL_NUMBERS
from test_architecture_counts import composed

from framework.network import Network


def small(name: str, inputs: Mapping[str, Shape], **args: Any) -> tuple[Network, Any]:
    """A network, and weights out of the standard normal law, which no compiled initialiser needs to make."""
    network = composed(Published(name, 0, dict(inputs), args))
    spec = {
        key: jax.ShapeDtypeStruct(shape, jnp.float32 if key in REAL_NUMBERS else jnp.int32)
        for key, shape in inputs.items()
    }
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), spec))
    draw = np.random.default_rng(1)
    return network, jax.tree.map(lambda leaf: draw.normal(size=leaf.shape).astype(np.float32), shapes)


def test_wavenet_sees_as_far_back_as_it_tells_and_never_ahead() -> None:
    network, weights = small(
        "wavenet", {"input": (1, 24)}, levels=5, residual=3, dilated=3, skip=4, kernel=2, stacks=2, layers=3
    )
    reach = 2 * (2**3 - 1) * (2 - 1) + 2
    apply = jax.jit(lambda tokens: network(weights, tokens))
    tokens = np.arange(24, dtype=np.int32)[None] % 5
    before = np.asarray(apply(tokens))
    changed = tokens.copy()
    changed[0, 3] = 4 - changed[0, 3]
    moved = np.flatnonzero((np.asarray(apply(changed)) != before).any((0, 2)))
    assert moved[0] == 3
    assert moved[-1] == 3 + reach - 1


def dlrm(features: np.ndarray, categories: np.ndarray, weights: Any) -> np.ndarray:
    """The paper's equations in NumPy, for tables of 3 and 5 categories."""
    params = weights["params"]

    def layer(name: str, x: np.ndarray) -> np.ndarray:
        return np.maximum(x @ params[name]["fc"]["kernel"] + params[name]["fc"]["bias"], 0)

    dense = features
    for name in ("bottom1", "bottom2", "bottom3", "dense"):
        dense = layer(name, dense)
    table = params["tables"]["embedding"]
    vectors = np.stack([dense, table[:3][categories[:, 0]], table[3:][categories[:, 1]]], 1)
    products = vectors @ np.swapaxes(vectors, 1, 2)
    rows, columns = np.tril_indices(3, -1)
    top = layer("top2", layer("top1", np.concatenate([dense, products[:, rows, columns]], -1)))
    return top @ params["logits"]["kernel"] + params["logits"]["bias"]


def test_dlrm_computes_the_papers_products_and_tells_categories_that_no_table_has() -> None:
    inputs: dict[str, Shape] = {"features": (4, 6), "categories": (4, 2)}
    network, weights = small("dlrm", inputs, sizes=[3, 5], width=4, bottom=[4, 4, 4], top=[4, 4])
    features = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    categories = np.array([[0, 0], [2, 4], [1, 3], [3, 0]], np.int32)
    apply = jax.jit(lambda inputs: network(weights, inputs))
    found = np.asarray(apply({"features": features, "categories": categories}))
    expected = dlrm(features[:3], categories[:3], weights)
    np.testing.assert_allclose(found[:3], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert np.isnan(found[3]).all()  # the first table has no category 3


@pytest.mark.parametrize("bidirectional", [True, False])
def test_what_fills_a_sequence_up_changes_nothing(bidirectional: bool) -> None:
    network, weights = small(
        "gru_classifier",
        {"input": (1, 6)},
        vocabulary=9,
        classes=3,
        embedding=4,
        width=3,
        depth=1,
        padding=0,
        bidirectional=bidirectional,
    )
    apply = jax.jit(lambda tokens: network(weights, tokens))
    both = np.asarray(apply(np.array([[5, 2, 8, 1, 0, 0], [5, 2, 8, 1, 7, 0]], np.int32)))
    alone = np.asarray(apply(np.array([[5, 2, 8, 1], [2, 2, 2, 2]], np.int32)))
    np.testing.assert_allclose(both[0], alone[0], rtol=1e-5)
    assert np.abs(both[1] - alone[0]).max() > 1e-3


def test_two_towers_give_vectors_of_length_one_and_their_cosine() -> None:
    inputs: dict[str, Shape] = {"user": (3,), "item": (3,)}
    network, weights = small("two_tower", inputs, users=5, items=4, embedding=4, hidden=6, width=3, temperature=0.5)
    apply = jax.jit(lambda inputs: network(weights, inputs))
    found = apply({"user": np.array([0, 4, 2], np.int32), "item": np.array([3, 0, 3], np.int32)})
    user, item = np.asarray(found["user"]), np.asarray(found["item"])
    np.testing.assert_allclose(np.linalg.norm(user, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(found["logits"])[:, 0], (user * item).sum(-1) / 0.5, rtol=1e-4, atol=1e-6)
    assert (item[0] == item[2]).all()
