"""Outputs and gradients of language models of the library transformers, which tests compare ours with.

    python tests/golden/make_language_references.py     # with torch 2.13, torchvision 0.28 and transformers 5.23

As `make_references.py`, whose weights, files and float64 these are; whole numbers that a model reads are kept in its
file. Logits of tied vectors are computed here, so that each array of weights has one name.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

import numpy as np
import torch
from make_references import write
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2Model,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
)

VOCABULARY = 13
TOKENS = (np.arange(2 * 7).reshape(2, 7) * 5 % (VOCABULARY - 1) + 1).astype(np.int32)
SEGMENTS = (np.arange(7) > 3).astype(np.int32)[None].repeat(2, 0)
REAL = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0]], np.int32)
LLAMA = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 16,
    "rms_norm_eps": 1e-5,
    "attn_implementation": "eager",
    "tie_word_embeddings": False,
    "use_cache": False,
}


def gpt2() -> None:
    """Tied logits of each position."""
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=8,
        n_embd=16,
        n_layer=2,
        n_head=2,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        attn_implementation="eager",
        use_cache=False,
    )

    def logits(model: nn.Module) -> torch.Tensor:
        return model(input_ids=torch.from_numpy(TOKENS).long()).last_hidden_state @ model.wte.weight.T

    write("gpt2", GPT2Model(config), {}, logits, tokens=TOKENS)


def bert() -> None:
    """Features of each token, and behind them those of the whole."""
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=8,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )

    def features(model: nn.Module) -> torch.Tensor:
        tokens, segments, real = (torch.from_numpy(array).long() for array in (TOKENS, SEGMENTS, REAL))
        found = model(input_ids=tokens, token_type_ids=segments, attention_mask=real)
        return torch.cat([found.last_hidden_state, found.pooler_output[:, None]], 1)

    write("bert", BertModel(config), {}, features, tokens=TOKENS, segments=SEGMENTS, real=REAL)


def causal(name: str, model: nn.Module) -> None:
    """Logits of a model of Llama's kind."""
    rotary = model.model.rotary_emb
    # Frequencies are no weights and no statistics: as a plain attribute they stay out of the file.
    for buffer in list(rotary._buffers):
        setattr(rotary, buffer, rotary._buffers.pop(buffer).double())
    write(name, model, {}, lambda model: model(input_ids=torch.from_numpy(TOKENS).long()).logits, tokens=TOKENS)


if __name__ == "__main__":
    gpt2()
    bert()
    causal("llama", LlamaForCausalLM(LlamaConfig(**LLAMA)))
    mixtral = MixtralConfig(
        **LLAMA, num_local_experts=4, num_experts_per_tok=2, rope_theta=10_000.0, experts_implementation="eager"
    )
    causal("moe_transformer", MixtralForCausalLM(mixtral))
