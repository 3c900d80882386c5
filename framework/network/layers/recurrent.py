"""Recurrent layers: [batch, time, inputs] -> [batch, time, features], or [batch, features] for the last step.

What depends on the input alone is one product over all steps; the scan over time holds the recurrent product only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from framework.network.context import Context
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.sequence import as_boolean, require_sequence
from framework.network.layers.wording import printed

Carry = tuple[jax.Array, ...]
Cell = Callable[[Carry, jax.Array], Carry]


class _Weights(nn.Module):
    """The kernel [inputs, gates · features] and, where `bias_size` is not 0, the bias of one side of a recurrence."""

    gates: int
    features: int
    bias_size: int
    kernel_init: str
    bias_init: Callable[[jax.Array, Sequence[int], jnp.dtype], jax.Array]
    param_dtype: str | None

    @nn.compact
    def __call__(self, inputs: int) -> tuple[jax.Array, jax.Array | None]:
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("kernel", self._gatewise, (inputs, self.gates * self.features), kept)
        bias = self.param("bias", self.bias_init, (self.bias_size,), kept) if self.bias_size else None
        return kernel, bias

    def _gatewise(self, key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        """Each gate has a kernel of its own, so that orthogonal means orthogonal for each."""
        init = initializer(self.kernel_init)
        each = jax.vmap(lambda key: init(key, (shape[0], self.features), dtype))(jax.random.split(key, self.gates))
        return jnp.moveaxis(each, 0, 1).reshape(shape)


class _Recurrence(nn.Module):
    """What both recurrent layers share."""

    features: int
    return_sequences: bool = True
    reverse: bool = False
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    recurrent_init: str = "orthogonal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    def _weights(
        self,
        name: str,
        gates: int,
        bias_size: int,
        init: str,
        bias_init: Callable[[jax.Array, Sequence[int], jnp.dtype], jax.Array] | None = None,
    ) -> _Weights:
        bias_init = initializer(self.bias_init) if bias_init is None else bias_init
        size = bias_size if self.use_bias else 0
        return _Weights(gates, self.features, size, init, bias_init, self.param_dtype, name=name)

    def _run(self, cell: Cell, carries: int, x: jax.Array, mask: jax.Array | None) -> jax.Array:
        """Scans `cell` over time; the first of its carries is the output.

        Args:
          cell: takes (carry, x_t) to the next carry.
          carries: number of arrays [batch, features] in a carry.
          x: [batch, time, ...].
          mask: boolean [batch, time] or None.
        """
        start = (jnp.zeros((x.shape[0], self.features), x.dtype),) * carries
        steps = jnp.swapaxes(x, 0, 1)
        held = None
        if mask is not None:
            if mask.shape != x.shape[:2]:
                raise ValueError(
                    f"found mask {printed(mask.shape)}, a recurrent layer needs [batch, {x.shape[1]}]; reshape it"
                )
            held = as_boolean(mask).T[..., None]

        def step(carry: Carry, inputs: tuple[jax.Array, jax.Array | None]) -> tuple[Carry, jax.Array | None]:
            now, real = inputs
            new = cell(carry, now)
            if real is not None:
                new = tuple(jnp.where(real, after, before) for after, before in zip(new, carry, strict=True))
            return new, new[0] if self.return_sequences else None

        last, outputs = lax.scan(step, start, (steps, held), reverse=self.reverse)
        return last[0] if outputs is None else jnp.swapaxes(outputs, 0, 1)


class LSTM(_Recurrence):
    """Long short-term memory; see the schema of the same name. Gates lie in the order input, forget, cell, output."""

    forget_bias: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array | None = None, *, context: Context) -> jax.Array:
        require_sequence(x, "a recurrent layer")
        kernel, bias = self._weights("input", 4, 4 * self.features, self.kernel_init, self._open_forget_gate)(
            x.shape[-1]
        )
        recurrent, _ = self._weights("recurrent", 4, 0, self.recurrent_init)(self.features)
        x, kernel, bias, recurrent = promote_dtype(x, kernel, bias, recurrent, dtype=self.dtype)
        projected = jnp.dot(x, kernel)
        if bias is not None:
            projected = projected + bias

        def cell(carry: Carry, now: jax.Array) -> Carry:
            output, memory = carry
            write, forget, candidate, read = jnp.split(now + jnp.dot(output, recurrent), 4, axis=-1)
            memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(write) * jnp.tanh(candidate)
            return jax.nn.sigmoid(read) * jnp.tanh(memory), memory

        return self._run(cell, 2, projected, mask)

    def _open_forget_gate(self, key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        bias = initializer(self.bias_init)(key, shape, dtype)
        return bias.at[self.features : 2 * self.features].add(self.forget_bias)


class GRU(_Recurrence):
    """Gated recurrent unit; see the schema of the same name. Gates lie in the order reset, update, candidate."""

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array | None = None, *, context: Context) -> jax.Array:
        require_sequence(x, "a recurrent layer")
        size = self.features
        kernel, bias = self._weights("input", 3, 3 * size, self.kernel_init)(x.shape[-1])
        recurrent, candidate_bias = self._weights("recurrent", 3, size, self.recurrent_init)(size)
        x, kernel, bias, recurrent, candidate_bias = promote_dtype(
            x, kernel, bias, recurrent, candidate_bias, dtype=self.dtype
        )
        projected = jnp.dot(x, kernel)
        if bias is not None:
            projected = projected + bias

        def cell(carry: Carry, now: jax.Array) -> Carry:
            (output,) = carry
            product = jnp.dot(output, recurrent)
            gates = jax.nn.sigmoid(now[:, : 2 * size] + product[:, : 2 * size])
            reset, update = jnp.split(gates, 2, axis=-1)
            recalled = product[:, 2 * size :]
            if candidate_bias is not None:
                recalled = recalled + candidate_bias
            candidate = jnp.tanh(now[:, 2 * size :] + reset * recalled)
            return (candidate + update * (output - candidate),)

        return self._run(cell, 1, projected, mask)
