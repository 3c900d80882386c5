"""Sequences that a network writes on by itself, token by token."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from framework.core.errors import ConfigError, Problem
from framework.core.words import listed
from framework.network.network import Network, Variables

Others = Mapping[str, jax.Array]


def generate(
    network: Network,
    variables: Variables,
    tokens: jax.Array | np.ndarray,
    count: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    key: jax.Array | None = None,
    others: Others | None = None,
    output: str | None = None,
) -> jax.Array:
    """Tokens and those that the network adds to them, each drawn by its logits for the place before it.

    p(next = v) ~ exp(logits_v / temperature), over the top_k largest logits alone where top_k is given

    One compiled program reads the given tokens at once and then computes one position after the other; attention and
    recurrences keep what they need of earlier ones.

    Args:
      tokens: integers [batch, time] to go on from, at least one each.
      count: how many to add.
      temperature: 0 takes the most likely token, and of equal ones the first.
      key: a JAX random key; needed where temperature is not 0.
      others: the network's other inputs by name, the same at each step, such as the memory of a decoder.
      output: the output that holds logits [batch, time, vocabulary]; None: the only one.

    Returns:
      int32 [batch, time + count].

    Raises:
      ConfigError: the network, or an argument, does not fit.
    """
    name, held = _tokens_input(network, others or {})
    chosen = _logits_output(network, output)
    _require_fit(tokens, count, temperature, top_k, key)
    drawn = jax.random.key(0) if key is None else key
    start = jnp.asarray(tokens, jnp.int32)
    if count == 0:
        return start
    settings = (network, name, chosen, count, temperature == 0, top_k)
    return _written(settings, dict(variables), start, held, jnp.asarray(temperature, jnp.float32), drawn)


@partial(jax.jit, static_argnums=0)
def _written(
    settings: tuple[Any, ...], variables: Any, tokens: jax.Array, held: Others, temperature: jax.Array, key: jax.Array
) -> jax.Array:
    network, name, output, count, greedy, top_k = settings
    length = tokens.shape[1] + count

    def read(cache: Any, piece: jax.Array, position: int | jax.Array) -> tuple[jax.Array, Any]:
        inputs = {**held, name: piece}
        outputs, cache = network.decode(variables, cache, inputs, position=position, length=length)
        return outputs[output][:, -1], cache

    def draw(logits: jax.Array, position: jax.Array) -> jax.Array:
        own = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
        if greedy:
            return own.argmax(-1).astype(jnp.int32)
        if top_k is not None and top_k < own.shape[-1]:
            least = lax.top_k(own, top_k)[0][..., -1:]
            own = jnp.where(own >= least, own, -jnp.inf)
        step = jax.random.fold_in(key, position)
        return jax.random.categorical(step, own / temperature, axis=-1).astype(jnp.int32)

    first = jnp.asarray(tokens.shape[1], jnp.int32)
    logits, cache = read({}, tokens, 0)

    def step(carry: tuple[jax.Array, Any], position: jax.Array) -> tuple[tuple[jax.Array, Any], jax.Array]:
        logits, cache = read(carry[1], carry[0][:, None], position)
        token = draw(logits, position + 1)
        return (token, cache), token

    token = draw(logits, first)
    _, more = lax.scan(step, (token, cache), first + jnp.arange(count - 1, dtype=jnp.int32))
    return jnp.concatenate([tokens, token[:, None], more.T], axis=1)


def _tokens_input(network: Network, others: Others) -> tuple[str, dict[str, jax.Array]]:
    """The name of the input that takes tokens, and the other inputs."""
    names = network.graph.inputs
    free = [name for name in names if name not in others]
    unknown = [name for name in others if name not in names]
    if len(free) == 1 and not unknown:
        return free[0], {name: jnp.asarray(array) for name, array in others.items()}
    found = f"there is no input '{unknown[0]}'" if unknown else f"{listed(free) or 'no input'} could take the tokens"
    raise ConfigError(Problem("others", found, f"all inputs but that of the tokens: {listed(names)}"))


def _logits_output(network: Network, output: str | None) -> str:
    names = [name for name, _ in network.graph.outputs]
    if output is None and len(names) == 1:
        return names[0]
    if output in names:
        return str(output)
    found = "there are several outputs" if output is None else f"there is no output '{output}'"
    raise ConfigError(Problem("output", found, f"one of {listed(names)}", fix=f"output='{names[0]}'"))


def _require_fit(
    tokens: jax.Array | np.ndarray, count: int, temperature: float, top_k: int | None, key: jax.Array | None
) -> None:
    problems = []
    if len(tokens.shape) != 2 or not tokens.shape[1] or not jnp.issubdtype(tokens.dtype, jnp.integer):
        problems.append(
            Problem("tokens", f"found {tokens.dtype}{list(tokens.shape)}", "integers [batch, time], time >= 1")
        )
    if count < 0:
        problems.append(Problem("count", f"found {count}", "a count of at least 0"))
    if temperature < 0:
        problems.append(
            Problem("temperature", f"found {temperature}", "0 for the most likely token, or a positive number")
        )
    if top_k is not None and top_k < 1:
        problems.append(Problem("top_k", f"found {top_k}", "a count of at least 1, or None"))
    if temperature > 0 and key is None and count > 0:
        problems.append(
            Problem("key", "tokens are drawn, but no key is given", "a JAX random key", fix="key=jax.random.key(0)")
        )
    if problems:
        raise ConfigError(problems)
