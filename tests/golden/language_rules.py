"""How the names of weights in the library transformers become ours, for the language models with references."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from translation import Arrays, Rule, dense, heads_in, heads_out
from vision_rules import NORM, linear


def norm(theirs: str, ours: str, copy: str = "") -> Iterator[Rule]:
    """The rules of a layer norm, or of an RMS norm; `theirs` is a pattern."""
    for name, _, leaf in NORM:
        yield Rule(rf"{theirs}\.{name}", f"params.{ours}.{leaf}{copy}")


def joined(parts: Mapping[str, Sequence[str]]) -> Callable[[Arrays, bool], Arrays]:
    """Put arrays that stand apart there into one: a part of the joint name -> the parts in their order."""

    def prepare(arrays: Arrays, gradient: bool) -> Arrays:
        found = dict(arrays)
        for whole, names in parts.items():
            for first in [name for name in found if re.search(rf"\b{names[0]}\b", name)]:
                pieces = [found.pop(first.replace(names[0], name)) for name in names]
                found[first.replace(names[0], whole)] = np.concatenate(pieces)
        return found

    return prepare


def gpt2(heads: int) -> Iterator[Rule]:
    """Kernels lie as ours do, [inputs, outputs]."""
    yield Rule(r"wte\.weight", "params.embed.embedding")
    yield Rule(r"wpe\.weight", "params.position.embedding")
    block = r"h\.(\d+)"
    for part in (1, 2):
        yield from norm(rf"{block}\.ln_{part}", f"stack.norm{part}", "[{0}]")
    qkv = lambda array: array.reshape(*array.shape[:-1], 3, heads, -1)  # noqa: E731
    for name, leaf in (("weight", "kernel"), ("bias", "bias")):
        yield Rule(rf"{block}\.attn\.c_attn\.{name}", f"params.stack.attention.qkv.{leaf}[{{0}}]", qkv)
        yield Rule(rf"{block}\.mlp\.c_fc\.{name}", f"params.stack.mlp_in.{leaf}[{{0}}]")
        yield Rule(rf"{block}\.mlp\.c_proj\.{name}", f"params.stack.mlp_out.{leaf}[{{0}}]")
    out = lambda array: array.reshape(heads, -1, array.shape[-1])  # noqa: E731
    yield Rule(rf"{block}\.attn\.c_proj\.weight", "params.stack.attention.out.kernel[{0}]", out)
    yield Rule(rf"{block}\.attn\.c_proj\.bias", "params.stack.attention.out.bias[{0}]")
    yield from norm("ln_f", "norm")


BERT = joined({"qkv": ("query", "key", "value")})


def bert(heads: int) -> Iterator[Rule]:
    """After `BERT` has put queries, keys and values into one."""
    for theirs, ours in (("word", "token"), ("position", "positions"), ("token_type", "segment")):
        yield Rule(rf"embeddings\.{theirs}_embeddings\.weight", f"params.{ours}.embedding")
    yield from norm(r"embeddings\.LayerNorm", "norm")
    block = r"encoder\.layer\.(\d+)"
    for name, leaf in (("weight", "kernel"), ("bias", "bias")):
        path = f"params.stack.attention.qkv.{leaf}[{{0}}]"
        yield Rule(rf"{block}\.attention\.self\.qkv\.{name}", path, heads_in(heads))
    yield Rule(
        rf"{block}\.attention\.output\.dense\.weight", "params.stack.attention.out.kernel[{0}]", heads_out(heads)
    )
    yield Rule(rf"{block}\.attention\.output\.dense\.bias", "params.stack.attention.out.bias[{0}]")
    yield from norm(rf"{block}\.attention\.output\.LayerNorm", "stack.norm1", "[{0}]")
    yield from linear(rf"{block}\.intermediate\.dense", "stack.mlp_in", "[{0}]")
    yield from linear(rf"{block}\.output\.dense", "stack.mlp_out", "[{0}]")
    yield from norm(rf"{block}\.output\.LayerNorm", "stack.norm2", "[{0}]")
    yield from linear(r"pooler\.dense", "pooler")


LLAMA = joined({"kv_proj": ("k_proj", "v_proj"), "both_proj": ("gate_proj", "up_proj")})
LAYERS = r"model\.layers\.(\d+)"


def decoder(heads: int, kv_heads: int, *, attention: str, norms: Sequence[str]) -> Iterator[Rule]:
    """What Llama and Mixtral have in common, after `LLAMA` has put keys and values into one."""
    yield Rule(r"model\.embed_tokens\.weight", "params.embed.embedding")
    query = lambda array: heads_in(heads, 1)(array)[:, 0]  # noqa: E731
    theirs = rf"{LAYERS}\.self_attn"
    yield Rule(rf"{theirs}\.q_proj\.weight", f"params.stack.{attention}.query.kernel[{{0}}]", query)
    yield Rule(rf"{theirs}\.kv_proj\.weight", f"params.stack.{attention}.kv.kernel[{{0}}]", heads_in(kv_heads, 2))
    yield Rule(rf"{theirs}\.o_proj\.weight", f"params.stack.{attention}.out.kernel[{{0}}]", heads_out(heads))
    for name, ours in zip(("input", "post_attention"), norms, strict=True):
        yield from norm(rf"{LAYERS}\.{name}_layernorm", f"stack.{ours}", "[{0}]")
    yield from norm(r"model\.norm", "norm")
    yield Rule(r"lm_head\.weight", "params.logits.kernel", dense)


def llama(heads: int, kv_heads: int) -> Iterator[Rule]:
    """After `LLAMA`, which also puts the two products of the perceptron into one."""
    yield from decoder(heads, kv_heads, attention="attention", norms=("norm1", "norm2"))
    both = lambda array: np.moveaxis(array.reshape(2, -1, array.shape[-1]), -1, 0)  # noqa: E731
    yield Rule(rf"{LAYERS}\.mlp\.both_proj\.weight", "params.stack.mlp_in.kernel[{0}]", both)
    yield Rule(rf"{LAYERS}\.mlp\.down_proj\.weight", "params.stack.mlp_out.kernel[{0}]", dense)


def mixtral_parts(arrays: Arrays, gradient: bool) -> Arrays:
    """As `LLAMA`; the two products of the experts stand apart in ours."""
    found = LLAMA(arrays, gradient)
    for name in [name for name in found if name.endswith("gate_up_proj")]:
        gate, up = np.split(found.pop(name), 2, axis=1)
        start = name.removesuffix("gate_up_proj")
        found |= {f"{start}gate": gate, f"{start}in": up, f"{start}out": found.pop(f"{start}down_proj")}
    return found


def mixtral(heads: int, kv_heads: int) -> Iterator[Rule]:
    """After `mixtral_parts`."""
    yield from decoder(heads, kv_heads, attention="look.attend", norms=("look.norm", "think.norm"))
    turned = lambda array: np.swapaxes(array, 1, 2)  # noqa: E731
    experts = "params.stack.think.experts"
    for part in ("gate", "in", "out"):
        yield Rule(rf"{LAYERS}\.mlp\.experts\.{part}", f"{experts}.experts_{part}.kernel[{{0}}]", turned)
    yield Rule(rf"{LAYERS}\.mlp\.gate\.weight", f"{experts}.router.kernel[{{0}}]", dense)
