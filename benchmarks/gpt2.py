"""GPT-2 as people write it by hand in JAX, Flax Linen and Optax: the other side of `benchmarks/gpu.py`."""

from __future__ import annotations

from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

Attention = Literal["xla", "cudnn"]
EPSILON = 1e-5
NORMAL = nn.initializers.normal(0.02)


class Block(nn.Module):
    """Causal self-attention, then an MLP four times as wide, each after a norm and beside a shortcut."""

    heads: int
    attention: Attention
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[batch, time, width] -> same."""
        width = x.shape[-1]
        y = nn.LayerNorm(EPSILON, dtype=self.dtype)(x)
        qkv = nn.DenseGeneral((3, self.heads, width // self.heads), kernel_init=NORMAL, dtype=self.dtype)(y)
        query, key, value = jnp.unstack(qkv, axis=2)
        y = jax.nn.dot_product_attention(query, key, value, is_causal=True, implementation=self.attention)
        x = x + nn.DenseGeneral(width, axis=(-2, -1), kernel_init=NORMAL, dtype=self.dtype)(y)
        y = nn.LayerNorm(EPSILON, dtype=self.dtype)(x)
        y = nn.gelu(nn.Dense(4 * width, kernel_init=NORMAL, dtype=self.dtype)(y))
        return x + nn.Dense(width, kernel_init=NORMAL, dtype=self.dtype)(y)


class Gpt2(nn.Module):
    """Tied embeddings, learned positions, blocks that are computed again in the backward pass where `remat`."""

    vocabulary: int
    width: int
    depth: int
    heads: int
    remat: bool
    attention: Attention = "xla"
    dtype: Any = jnp.bfloat16

    @nn.compact
    def __call__(self, tokens: jax.Array, *, train: bool) -> jax.Array:
        """Logits [batch, time, vocabulary] of tokens [batch, time]."""
        embed = nn.Embed(self.vocabulary, self.width, embedding_init=NORMAL, dtype=self.dtype)
        positions = self.param("positions", NORMAL, (tokens.shape[1], self.width))
        x = embed(tokens) + positions.astype(self.dtype)
        block = nn.remat(Block) if self.remat else Block
        for _ in range(self.depth):
            x = block(self.heads, self.attention, self.dtype)(x)
        x = nn.LayerNorm(EPSILON, dtype=self.dtype)(x)
        return embed.attend(x).astype(jnp.float32)


def optimizer(steps: int) -> optax.GradientTransformation:
    """AdamW with clipping, warm-up and a cosine, as in the recipe."""
    schedule = optax.warmup_cosine_decay_schedule(0.0, 6e-4, min(700, steps // 2), steps, 6e-5)
    matrices = lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params)  # noqa: E731
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, b2=0.95, weight_decay=0.1, mask=matrices))
