"""Sequences given piece by piece, and written on token by token, agree with whole ones."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import framework as fw
from framework.core.errors import ConfigError
from framework.library.experiments import Experiment
from framework.network import Network
from framework.network.generation import generate

VOCABULARY = 11
TOKENS = jnp.asarray(np.random.default_rng(0).integers(0, VOCABULARY, (2, 7)), jnp.int32)


def language_model(**layers: Any) -> dict[str, Any]:
    embed = {"embed": {"embed": {"vocabulary": VOCABULARY, "features": 8}}}
    return {"layers": {**embed, **layers, "logits": {"unembed": {}, "share": "embed"}}}


def block(**arguments: Any) -> dict[str, Any]:
    return {"transformer_block": {"heads": 4, "causal": True, **arguments}}


MODELS: dict[str, dict[str, Any]] = {
    "gpt": language_model(
        positions={"positional_embedding": {"max_length": 7}},
        stack={**block(), "repeat": 2},
        norm="layer_norm",
    ),
    "llama": language_model(
        stack={
            **block(position="rotary", kv_heads=2, gated=True, activation="silu", norm_type="rms_norm", window=3),
            "repeat": 2,
        },
    ),
    "distances": language_model(
        waves={"positional_embedding": {"kind": "sinusoidal"}},
        one=block(position="alibi"),
        two=block(position="relative"),
        bias={"relative_bias": {"heads": 4, "causal": True}, "from": "two"},
        three={**block(), "from": {"x": "two", "bias": "bias"}},
    ),
    "recurrent": language_model(
        lstm={"lstm": {"features": 8}},
        gru={"residual": {"layers": {"gru": {"gru": {"features": 8}}}}},
        rnn={"ensemble": {"members": 2, "layers": {"rnn": {"rnn": {"features": 8}}}}},
    ),
    "state spaces": language_model(
        s4d={"s4d": {"states": 3}}, mamba={"residual": {"layers": {"m": {"mamba": {"states": 2}}}}}
    ),
}


def drawn(network: Network, spec: Any = TOKENS) -> Any:
    shapes = jax.eval_shape(lambda: network.init(jax.random.key(0), spec))
    random = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(random.normal(size=leaf.shape, scale=0.4), leaf.dtype), shapes)


@pytest.mark.parametrize("model", MODELS)
def test_pieces_give_what_the_whole_gives(model: str) -> None:
    network = Network(MODELS[model])
    variables = drawn(network)

    @jax.jit
    def both(variables: Any) -> Any:
        cache: Any = {}
        pieces = []
        for start, end in ((0, 3), (3, 5), (5, 6), (6, 7)):
            outputs, cache = network.decode(variables, cache, TOKENS[:, start:end], position=start, length=7)
            pieces.append(outputs["logits"])
        return network(variables, TOKENS), jnp.concatenate(pieces, axis=1)

    whole, pieces = both(variables)
    np.testing.assert_allclose(pieces, whole, 2e-4, 2e-5)


def test_the_most_likely_tokens_are_those_of_full_recomputation() -> None:
    network = Network(MODELS["gpt"])
    variables = drawn(network)
    found = np.asarray(generate(network, variables, TOKENS[:, :3], 4, temperature=0))
    np.testing.assert_array_equal(found[:, :3], TOKENS[:, :3])
    logits = np.asarray(jax.jit(lambda variables, tokens: network(variables, tokens))(variables, jnp.asarray(found)))
    np.testing.assert_array_equal(found[:, 3:], logits[:, 2:-1].argmax(-1))
    assert len(np.unique(found)) > 2


def test_tokens_are_drawn_by_their_probabilities() -> None:
    network = Network({"layers": {"logits": {"embed": {"vocabulary": 3, "features": 3}}}})
    table = jnp.log(jnp.asarray([[0.5, 0.3, 0.2]] * 3))
    variables = {"params": {"logits": {"embedding": table}}}
    start = jnp.zeros((4000, 1), jnp.int32)
    key = jax.random.key(0, impl="rbg")
    plain, sharp = (
        np.asarray(generate(network, variables, start, 2, key=key, temperature=temperature))[:, 1:]
        for temperature in (1.0, 0.5)
    )
    np.testing.assert_allclose(np.bincount(plain.ravel()) / plain.size, [0.5, 0.3, 0.2], atol=0.03)
    squares = np.square([0.5, 0.3, 0.2])
    np.testing.assert_allclose(np.bincount(sharp.ravel()) / sharp.size, squares / squares.sum(), atol=0.03)
    top = np.asarray(generate(network, variables, start, 1, key=key, top_k=2))[:, 1]
    np.testing.assert_allclose(np.bincount(top) / top.size, [0.625, 0.375], atol=0.03)


def test_a_decoder_attends_to_its_memory_at_each_step() -> None:
    layers = language_model(decoder=block(cross=True))["layers"]
    layers["embed"]["from"], layers["decoder"]["from"] = "tokens", {"x": "embed", "memory": "memory"}
    network = Network({"inputs": {"tokens": "batch.tokens", "memory": "batch.memory"}, "layers": layers})
    memory = jnp.asarray(np.random.default_rng(2).normal(size=(2, 4, 8)), jnp.float32)
    variables = drawn(network, {"tokens": TOKENS, "memory": memory})
    found = generate(network, variables, TOKENS[:, :2], 3, temperature=0, others={"memory": memory})
    logits = jax.jit(network)(variables, {"tokens": found, "memory": memory})
    np.testing.assert_array_equal(found[:, 2:], logits[:, 1:-1].argmax(-1))


def test_a_network_that_needs_whole_sequences_is_refused_node_by_node() -> None:
    network = Network(
        language_model(
            conv={"conv": {"features": 8, "kernel": 3, "padding": "causal"}},
            both={"bidirectional": {"layers": {"rnn": {"gru": {"features": 4}}}}},
            mix={"expr": "x - mean(x, axis=1, keepdims=True)"},
        )
    )
    with pytest.raises(ConfigError) as caught:
        generate(network, {}, TOKENS, 1, temperature=0)
    assert [problem.key for problem in caught.value.problems] == [
        f"network.layers.{name}" for name in ("conv", "both", "mix")
    ]
    assert "'conv' is not known to keep what it needs of earlier positions" in str(caught.value)


def test_attention_to_later_positions_is_refused() -> None:
    network = Network(language_model(attention={"attention": {"heads": 2}}))
    with pytest.raises(ConfigError, match="attention that sees later positions needs it whole") as caught:
        generate(network, drawn(network), TOKENS, 1, temperature=0)
    assert caught.value.problems[0].fix == "network.layers.attention.attention.causal=true"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"count": -1}, "count: found -1"),
        ({"temperature": -1.0}, "temperature: found -1.0"),
        ({"top_k": 0, "temperature": 0}, "top_k: found 0"),
        ({}, "key: tokens are drawn, but no key is given"),
        ({"output": "logit"}, "output: there is no output 'logit'"),
        ({"others": {"memory": TOKENS}}, "others: there is no input 'memory'"),
        ({"tokens": TOKENS[:, :0], "temperature": 0}, "tokens: found int32[2, 0]"),
    ],
)
def test_a_mistake_in_the_call_is_told(arguments: dict[str, Any], text: str) -> None:
    given = {"tokens": TOKENS, "count": 2} | arguments
    with pytest.raises(ConfigError) as caught:
        generate(Network(MODELS["gpt"]), {}, **given)
    assert text in str(caught.value)


def test_no_room_for_more_positions_than_the_network_learned_is_told() -> None:
    network = Network(MODELS["gpt"])
    with pytest.raises(ConfigError, match="max_length is 7") as caught:
        generate(network, drawn(network), TOKENS, 2, temperature=0)
    assert caught.value.problems[0].fix == "network.layers.positions.positional_embedding.max_length=9, or more"


def test_an_experiment_writes_on_from_what_it_holds() -> None:
    small = ["network.layers.lstm1.lstm.features=4", "network.layers.lstm2.lstm.features=4", "data.context=8"]
    recipe = fw.load("stdlib_lstm", small)
    with pytest.raises(fw.RunError, match="nothing was trained yet"):
        recipe.generate(TOKENS, 1)
    state = recipe.init()
    experiment = Experiment(recipe._setup, state)
    found = experiment.generate(TOKENS, 3, temperature=0)
    variables = state.best_variables
    expected = generate(recipe.network, variables, TOKENS, 3, temperature=0)
    np.testing.assert_array_equal(found, expected)
    assert found.shape == (2, 10)
