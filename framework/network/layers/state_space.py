"""State-space layers: [batch, time, features] -> same."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import canonicalize_dtype, promote_dtype
from jax import lax

from framework.network.context import Context, Decoding
from framework.network.layers.cache import carried
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.projection import Projection
from framework.network.layers.sequence import require_sequence

Init = Callable[[jax.Array, Sequence[int], jnp.dtype], jax.Array]


def accumulated(decay: jax.Array, added: jax.Array, start: jax.Array | None = None) -> jax.Array:
    """s_t = decay_t · s_{t-1} + added_t for all t at once, by an associative scan over axis 1.

    Args:
      decay: [batch or 1, time, ...].
      added: [batch, time, ...].
      start: the state before the first step, [batch, ...]; None: zeros.
    """
    if start is not None:
        added = added.at[:, 0].add(decay[:, 0] * start)

    def together(first: tuple[jax.Array, jax.Array], then: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        return first[0] * then[0], then[0] * first[1] + then[1]

    return lax.associative_scan(together, (decay, added), axis=1)[1]


class S4D(nn.Module):
    """Diagonal state-space layer; see the schema of the same name."""

    states: int = 32
    min_step: float = 0.001
    max_step: float = 0.1
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        require_sequence(x, "a state-space layer")
        kept = parameter_dtype(self.param_dtype)
        each = (x.shape[-1], self.states)
        parameters = (
            self.param("log_step", _log_uniform(self.min_step, self.max_step), each[:1], kept),
            self.param("log_decay", _filled(lambda n: jnp.full_like(n, math.log(0.5))), each, kept),
            self.param("frequency", _filled(lambda n: math.pi * n), each, kept),
            self.param("output", _normal(math.sqrt(0.5)), (*each, 2), kept),
            self.param("skip", _normal(1.0), each[:1], kept),
        )
        result = canonicalize_dtype(x, *parameters, dtype=self.dtype)
        wide = jnp.promote_types(result, jnp.float32)
        given = x.astype(wide)
        log_step, log_decay, frequency, output, skip = (item.astype(wide) for item in parameters)
        rate = lax.complex(-jnp.exp(log_decay), frequency)
        decay = jnp.exp(jnp.exp(log_step)[:, None] * rate)
        added = given[..., None] * ((decay - 1) / rate)
        states = _remembered(self, jnp.broadcast_to(decay, (1, *added.shape[1:])), added, context.decoding)
        # The real part of a product of complex numbers, as two real products.
        real = jnp.einsum("btfn,fn->btf", states.real, output[..., 0])
        imaginary = jnp.einsum("btfn,fn->btf", states.imag, output[..., 1])
        return (2 * (real - imaginary) + skip * given).astype(result)


class Mamba(nn.Module):
    """Selective state-space layer; see the schema of the same name."""

    states: int = 16
    expand: int = 2
    kernel: int = 4
    rank: int | None = None
    use_bias: bool = False
    kernel_init: str = "lecun_normal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    @nn.compact
    def __call__(self, x: jax.Array, *, context: Context) -> jax.Array:
        require_sequence(x, "a state-space layer")
        features = x.shape[-1]
        inner = self.expand * features
        rank = -(-features // 16) if self.rank is None else self.rank
        u, z = jnp.unstack(self._map("in", features, (2,), inner, self.use_bias)(x), axis=-2)
        u = jax.nn.silu(self._convolved(u, context.decoding))
        selected = self._map("select", inner, (), rank + 2 * self.states, use_bias=False)(u)
        low, entry, reading = jnp.split(selected, [rank, rank + self.states], axis=-1)
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("step_kernel", initializer(self.kernel_init), (rank, inner), kept)
        bias = self.param("step_bias", _steps, (inner,), kept)
        log_decay = self.param("log_decay", _filled(lambda n: jnp.log(n + 1)), (inner, self.states), kept)
        skip = self.param("skip", initializer("ones"), (inner,), kept)
        wide = jnp.promote_types(u.dtype, jnp.float32)
        low, entry, reading, fed, kernel, bias, log_decay, skip = (
            item.astype(wide) for item in (low, entry, reading, u, kernel, bias, log_decay, skip)
        )
        step = jax.nn.softplus(jnp.dot(low, kernel) + bias)
        decay = jnp.exp(step[..., None] * -jnp.exp(log_decay))
        added = (step * fed)[..., None] * entry[..., None, :]
        states = _remembered(self, decay, added, context.decoding)
        y = jnp.einsum("btfn,btn->btf", states, reading) + skip * fed
        return self._map("out", inner, (), features, self.use_bias)(y.astype(u.dtype) * jax.nn.silu(z))

    def _convolved(self, x: jax.Array, decoding: Decoding | None) -> jax.Array:
        """Each feature's causal convolution, as a sum over its few taps."""
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("conv_kernel", initializer(self.kernel_init), (self.kernel, x.shape[-1]), kept)
        bias = self.param("conv_bias", initializer(self.bias_init), (x.shape[-1],), kept)
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        before = jnp.zeros((x.shape[0], self.kernel - 1, x.shape[-1]), x.dtype)
        if decoding is not None:
            held = carried(self, "inputs", lambda: before)
            whole = jnp.concatenate([held.value, x], axis=1)
            held.value = whole[:, whole.shape[1] - before.shape[1] :]
        else:
            whole = jnp.concatenate([before, x], axis=1)
        time = x.shape[1]
        for tap in range(self.kernel):
            bias = bias + whole[:, tap : tap + time] * kernel[tap]
        return bias

    def _map(self, name: str, inputs: int, stack: tuple[int, ...], outputs: int, use_bias: bool) -> Projection:
        return Projection(
            (inputs,),
            stack,
            (outputs,),
            use_bias,
            self.kernel_init,
            self.bias_init,
            self.dtype,
            self.param_dtype,
            name=name,
        )


def _remembered(module: nn.Module, decay: jax.Array, added: jax.Array, decoding: Decoding | None) -> jax.Array:
    """The states of all steps; piece by piece, they go on from what the cache holds."""
    if decoding is None:
        return accumulated(decay, added)
    held = carried(module, "state", lambda: jnp.zeros_like(added[:, 0]))
    states = accumulated(decay, added, held.value)
    held.value = states[:, -1]
    return states


def _filled(values: Callable[[jax.Array], jax.Array]) -> Init:
    """The same function of the place along the last axis for all features."""

    def init(key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        del key
        return jnp.broadcast_to(values(jnp.arange(shape[-1], dtype=jnp.float32)), tuple(shape)).astype(dtype)

    return init


def _log_uniform(low: float, high: float) -> Init:
    def init(key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        return jax.random.uniform(key, shape, jnp.float32, math.log(low), math.log(high)).astype(dtype)

    return init


def _normal(deviation: float) -> Init:
    def init(key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        return (deviation * jax.random.normal(key, shape, jnp.float32)).astype(dtype)

    return init


def _steps(key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
    """Biases whose softplus lies between 0.001 and 0.1, uniformly in its logarithm."""
    step = jnp.exp(_log_uniform(0.001, 0.1)(key, shape, jnp.dtype("float32")))
    return (step + jnp.log(-jnp.expm1(-step))).astype(dtype)
