"""Recurrent layers: [batch, time, inputs] -> [batch, time, features], or [batch, features] for the last step.

With `return_state` they give {output, hidden, ...} instead of the output alone. What depends on the input alone is one
product over all steps; the scan over time holds the recurrent product only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax

from framework.lowering.convolution import convolve
from framework.network.context import Context
from framework.network.layers.cache import carried
from framework.network.layers.initialization import initializer, parameter_dtype
from framework.network.layers.sequence import as_boolean, require_sequence
from framework.network.layers.space import per_dimension
from framework.network.layers.wording import printed

Carry = tuple[jax.Array, ...]
Cell = Callable[[Carry, jax.Array], Carry]
Product = Callable[[jax.Array, jax.Array], jax.Array]
Recall = Callable[[Product, jax.Array], jax.Array]
Given = jax.Array | dict[str, jax.Array]


class _Weights(nn.Module):
    """The kernel [*space, inputs, gates · features] of one side of a recurrence; a bias if `bias_size` is not 0."""

    gates: int
    features: int
    bias_size: int
    kernel_init: str
    bias_init: Callable[[jax.Array, Sequence[int], jnp.dtype], jax.Array]
    param_dtype: str | None
    space: tuple[int, ...] = ()

    @nn.compact
    def __call__(self, inputs: int) -> tuple[jax.Array, jax.Array | None]:
        kept = parameter_dtype(self.param_dtype)
        kernel = self.param("kernel", self._gatewise, (*self.space, inputs, self.gates * self.features), kept)
        bias = self.param("bias", self.bias_init, (self.bias_size,), kept) if self.bias_size else None
        return kernel, bias

    def _gatewise(self, key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        """Each gate has a kernel of its own, so that orthogonal means orthogonal for each."""
        init = initializer(self.kernel_init)
        one = (*shape[:-1], self.features)
        each = jax.vmap(lambda key: init(key, one, dtype))(jax.random.split(key, self.gates))
        return jnp.moveaxis(each, 0, -2).reshape(shape)


class _Recurrence(nn.Module):
    """What the recurrent layers share."""

    features: int
    return_sequences: bool = True
    return_state: bool = False
    reverse: bool = False
    use_bias: bool = True
    kernel_init: str = "lecun_normal"
    recurrent_init: str = "orthogonal"
    bias_init: str = "zeros"
    dtype: str | None = None
    param_dtype: str | None = None

    states: ClassVar[tuple[str, ...]] = ("hidden",)

    def _weights(
        self,
        name: str,
        gates: int,
        bias_size: int,
        init: str,
        bias_init: Callable[[jax.Array, Sequence[int], jnp.dtype], jax.Array] | None = None,
        space: tuple[int, ...] = (),
    ) -> _Weights:
        bias_init = initializer(self.bias_init) if bias_init is None else bias_init
        size = bias_size if self.use_bias else 0
        return _Weights(gates, self.features, size, init, bias_init, self.param_dtype, space, name=name)

    def _cast(
        self, x: jax.Array, kernel: jax.Array, bias: jax.Array | None, more: jax.Array | None, recurrent: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array | None, jax.Array | None, Recall]:
        """Input and weights in the format to compute in, and the recurrent product in it, of (product, state).

        The recurrent kernel is cast in each step, which XLA takes out of the loop: its gradient, a sum over all
        steps, is then taken in float32 or better.
        """
        x, kernel, bias, more, alike = promote_dtype(x, kernel, bias, more, recurrent, dtype=self.dtype)
        held = recurrent.astype(jnp.promote_types(alike.dtype, jnp.float32))
        return x, kernel, bias, more, lambda product, state: product(state.astype(x.dtype), held.astype(x.dtype))

    def _run(
        self,
        cell: Cell,
        x: jax.Array,
        mask: jax.Array | None,
        given: tuple[jax.Array | None, ...],
        context: Context,
    ) -> Given:
        """Scans `cell` over time; the first of its states is the output.

        Args:
          cell: takes (states, x_t) to the next states; states are in float32 or better.
          x: [batch, time, *space, ...].
          mask: [batch, time] or None.
          given: the states to start from, [batch, *space, features] each; None: zeros.
        """
        shape = (x.shape[0], *x.shape[2:-1], self.features)
        # What is carried from step to step adds up over all of them, in half precision without its later small terms.
        wide = jnp.promote_types(x.dtype, jnp.float32)
        start = tuple(self._start(*pair, shape, wide) for pair in zip(self.states, given, strict=True))
        held = None
        if mask is not None:
            if mask.shape != x.shape[:2]:
                raise ValueError(
                    f"found mask {printed(mask.shape)}, a recurrent layer needs [batch, {x.shape[1]}]; reshape it"
                )
            held = as_boolean(mask).T.reshape(x.shape[1], x.shape[0], *(1,) * (len(shape) - 1))
        kept = None
        if context.decoding is not None:
            if self.reverse:
                raise ValueError(
                    "found a sequence that is given piece by piece, one that is read from its end must be whole; "
                    "set reverse=false"
                )
            kept = [
                carried(self, name, lambda first=first: first) for name, first in zip(self.states, start, strict=True)
            ]
            start = tuple(variable.value for variable in kept)

        def step(carry: Carry, inputs: tuple[jax.Array, jax.Array | None]) -> tuple[Carry, jax.Array | None]:
            now, real = inputs
            new = tuple(state.astype(wide) for state in cell(carry, now))
            if real is not None:
                new = tuple(jnp.where(real, after, before) for after, before in zip(new, carry, strict=True))
            return new, new[0].astype(x.dtype) if self.return_sequences else None

        last, outputs = lax.scan(step, start, (jnp.swapaxes(x, 0, 1), held), reverse=self.reverse)
        for variable, state in zip(kept or (), last, strict=False):
            variable.value = state
        last = tuple(state.astype(x.dtype) for state in last)
        y = last[0] if outputs is None else jnp.swapaxes(outputs, 0, 1)
        return {"output": y, **dict(zip(self.states, last, strict=True))} if self.return_state else y

    def _start(self, name: str, given: jax.Array | None, shape: tuple[int, ...], dtype: jnp.dtype) -> jax.Array:
        if given is None:
            return jnp.zeros(shape, dtype)
        if given.shape != shape:
            raise ValueError(
                f"found {name} {printed(given.shape)}, a recurrent layer starts from {printed(shape)}; put "
                f"{{dense: {{features: {self.features}}}}} before it"
            )
        return given.astype(dtype)


class RNN(_Recurrence):
    """Plain recurrence; see the schema of the same name."""

    recurrent_bias: bool = False
    activation: str = "tanh"

    @nn.compact
    def __call__(
        self, x: jax.Array, mask: jax.Array | None = None, hidden: jax.Array | None = None, *, context: Context
    ) -> Given:
        require_sequence(x, "a recurrent layer")
        size = self.features
        kernel, bias = self._weights("input", 1, size, self.kernel_init)(x.shape[-1])
        second = size if self.recurrent_bias else 0
        recurrent, more = self._weights("recurrent", 1, second, self.recurrent_init)(size)
        x, kernel, bias, more, recall = self._cast(x, kernel, bias, more, recurrent)
        projected = _added(jnp.dot(x, kernel), bias, more)
        active = jnp.tanh if self.activation == "tanh" else jax.nn.relu

        def cell(carry: Carry, now: jax.Array) -> Carry:
            (output,) = carry
            return (active(now + recall(jnp.dot, output)),)

        return self._run(cell, projected, mask, (hidden,), context)


class LSTM(_Recurrence):
    """Long short-term memory; see the schema of the same name. Gates lie in the order input, forget, cell, output."""

    recurrent_bias: bool = False
    forget_bias: float = 1.0

    states: ClassVar[tuple[str, ...]] = ("hidden", "cell")

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        mask: jax.Array | None = None,
        hidden: jax.Array | None = None,
        cell: jax.Array | None = None,
        *,
        context: Context,
    ) -> Given:
        require_sequence(x, "a recurrent layer")
        size = 4 * self.features
        opened = _open_forget_gate(self.bias_init, self.features, self.forget_bias)
        kernel, bias = self._weights("input", 4, size, self.kernel_init, opened)(x.shape[-1])
        second = size if self.recurrent_bias else 0
        recurrent, more = self._weights("recurrent", 4, second, self.recurrent_init)(self.features)
        x, kernel, bias, more, recall = self._cast(x, kernel, bias, more, recurrent)
        projected = _added(jnp.dot(x, kernel), bias, more)
        step = _memory(lambda output: recall(jnp.dot, output))
        return self._run(step, projected, mask, (hidden, cell), context)


class GRU(_Recurrence):
    """Gated recurrent unit; see the schema of the same name. Gates lie in the order reset, update, candidate."""

    recurrent_bias: bool = False

    @nn.compact
    def __call__(
        self, x: jax.Array, mask: jax.Array | None = None, hidden: jax.Array | None = None, *, context: Context
    ) -> Given:
        require_sequence(x, "a recurrent layer")
        size = self.features
        kernel, bias = self._weights("input", 3, 3 * size, self.kernel_init)(x.shape[-1])
        second = 3 * size if self.recurrent_bias else size
        recurrent, more = self._weights("recurrent", 3, second, self.recurrent_init)(size)
        x, kernel, bias, more, recall = self._cast(x, kernel, bias, more, recurrent)
        projected = _added(jnp.dot(x, kernel), bias)
        candidate_bias = more
        if more is not None and self.recurrent_bias:
            candidate_bias = more[2 * size :]
            projected = projected.at[..., : 2 * size].add(more[: 2 * size])
        if candidate_bias is not None:
            candidate_bias = candidate_bias.astype(jnp.promote_types(x.dtype, jnp.float32))

        def cell(carry: Carry, now: jax.Array) -> Carry:
            (output,) = carry
            product = recall(jnp.dot, output)
            gates = jax.nn.sigmoid(now[:, : 2 * size] + product[:, : 2 * size])
            reset, update = jnp.split(gates, 2, axis=-1)
            added = None if candidate_bias is None else candidate_bias.astype(product.dtype)
            recalled = _added(product[:, 2 * size :], added)
            candidate = jnp.tanh(now[:, 2 * size :] + reset * recalled)
            return (candidate + update * (output - candidate),)

        return self._run(cell, projected, mask, (hidden,), context)


class ConvLSTM(_Recurrence):
    """Long short-term memory of pictures; see the schema of the same name. Gates lie as in `LSTM`."""

    kernel: int | tuple[int, ...] = 3
    forget_bias: float = 1.0

    states: ClassVar[tuple[str, ...]] = ("hidden", "cell")

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        mask: jax.Array | None = None,
        hidden: jax.Array | None = None,
        cell: jax.Array | None = None,
        *,
        context: Context,
    ) -> Given:
        if not 4 <= x.ndim <= 6:
            raise ValueError(
                f"found rank {x.ndim} {printed(x.shape)}, a convolutional recurrence needs "
                "[batch, time, *space, channels] with 1 to 3 space dimensions; put a reshape before it"
            )
        window = per_dimension(self.kernel, x.ndim - 3, "kernel")
        opened = _open_forget_gate(self.bias_init, self.features, self.forget_bias)
        size = 4 * self.features
        kernel, bias = self._weights("input", 4, size, self.kernel_init, opened, window)(x.shape[-1])
        recurrent, _ = self._weights("recurrent", 4, 0, self.recurrent_init, space=window)(self.features)
        x, kernel, bias, _, recall = self._cast(x, kernel, bias, None, recurrent)
        # What depends on the input alone is one convolution over all steps of all examples.
        merged = _convolved(x.reshape(math.prod(x.shape[:2]), *x.shape[2:]), kernel)
        projected = _added(merged.reshape(*x.shape[:2], *merged.shape[1:]), bias)
        step = _memory(lambda output: recall(_convolved, output))
        return self._run(step, projected, mask, (hidden, cell), context)


def _memory(recall: Callable[[jax.Array], jax.Array]) -> Cell:
    """The step of a long short-term memory, of (hidden, cell).

    Args:
      recall: the recurrent product: [batch, *space, features] -> [batch, *space, 4 features].
    """

    def cell(carry: Carry, now: jax.Array) -> Carry:
        output, memory = carry
        write, forget, candidate, read = jnp.split(now + recall(output), 4, axis=-1)
        memory = jax.nn.sigmoid(forget) * memory + jax.nn.sigmoid(write) * jnp.tanh(candidate)
        return jax.nn.sigmoid(read) * jnp.tanh(memory), memory

    return cell


def _open_forget_gate(
    bias_init: str, features: int, forget_bias: float
) -> Callable[[jax.Array, Sequence[int], jnp.dtype], jax.Array]:
    def init(key: jax.Array, shape: Sequence[int], dtype: jnp.dtype) -> jax.Array:
        bias = initializer(bias_init)(key, shape, dtype)
        return bias.at[features : 2 * features].add(forget_bias)

    return init


def _convolved(x: jax.Array, kernel: jax.Array) -> jax.Array:
    ones = (1,) * (x.ndim - 2)
    return convolve(x, kernel, strides=ones, padding="SAME", dilation=ones)


def _added(x: jax.Array, *biases: jax.Array | None) -> jax.Array:
    for bias in biases:
        x = x if bias is None else x + bias
    return x
