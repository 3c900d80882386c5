"""How torchvision's names of weights become ours, for the vision models with references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from translation import Rule, conv, dense, heads_in, heads_out

NORM = (("weight", "params", "scale"), ("bias", "params", "bias"))
KEPT = (("running_mean", "batch_stats", "mean"), ("running_var", "batch_stats", "var"))


def batch_norm(theirs: str, ours: str) -> Iterator[Rule]:
    """The rules of one batch norm; `theirs` is a pattern."""
    for name, collection, leaf in (*NORM, *KEPT):
        yield Rule(rf"{theirs}\.{name}", f"{collection}.{ours}.{leaf}")


def conv_norm(theirs_conv: str, theirs_norm: str, ours: str, conv_name: str = "conv") -> Iterator[Rule]:
    """The rules of a convolution without bias and the batch norm behind it."""
    yield Rule(rf"{theirs_conv}\.weight", f"params.{ours}.{conv_name}.kernel", conv)
    yield from batch_norm(theirs_norm, f"{ours}.norm")


def resnet18() -> Iterator[Rule]:
    """Basic blocks, two in each stage."""
    yield from conv_norm("conv1", "bn1", "stem")
    for index, place in enumerate(("first", "rest")):
        for part in (1, 2):
            theirs = rf"layer(\d)\.{index}"
            yield from conv_norm(rf"{theirs}\.conv{part}", rf"{theirs}\.bn{part}", f"stage{{0}}.{place}.conv{part}")
    yield from conv_norm(r"layer(\d)\.0\.downsample\.0", r"layer(\d)\.0\.downsample\.1", "stage{0}.first.skip")
    yield from linear("fc", "logits")


def mobilenet_v2(blocks: Sequence[int]) -> Iterator[Rule]:
    """Inverted residual blocks, at most two in each stage; the first one of all does not widen."""
    yield from conv_norm(r"features\.0\.0", r"features\.0\.1", "stem.unit")
    places = [f"stage{stage + 1}.{place}" for stage, count in enumerate(blocks) for place in ("first", "rest")[:count]]
    for index, ours in enumerate(places, start=1):
        theirs = rf"features\.{index}\.conv"
        narrow = 1 if index == 1 else 2
        if index > 1:
            yield from conv_norm(rf"{theirs}\.0\.0", rf"{theirs}\.0\.1", f"{ours}.widen")
        yield from conv_norm(rf"{theirs}\.{narrow - 1}\.0", rf"{theirs}\.{narrow - 1}\.1", ours, "look")
        yield Rule(rf"{theirs}\.{narrow}\.weight", f"params.{ours}.narrow.kernel", conv)
        yield from batch_norm(rf"{theirs}\.{narrow + 1}", f"{ours}.norm2")
    last = len(places) + 1
    yield from conv_norm(rf"features\.{last}\.0", rf"features\.{last}\.1", "last")
    yield from linear(r"classifier\.1", "logits")


def vit(heads: int) -> Iterator[Rule]:
    """Transformer blocks that are copies of one node."""
    yield Rule(r"conv_proj\.weight", "params.patches.kernel", conv)
    yield Rule(r"conv_proj\.bias", "params.patches.bias")
    yield Rule("class_token", "params.token.token", lambda array: array[0])
    yield Rule(r"encoder\.pos_embedding", "params.positions.embedding", lambda array: array[0])
    block = r"encoder\.layers\.encoder_layer_(\d+)"
    for part in (1, 2):
        for name, _, leaf in NORM:
            yield Rule(rf"{block}\.ln_{part}\.{name}", f"params.stack.norm{part}.{leaf}[{{0}}]")
    yield from attention(rf"{block}\.self_attention", "stack.attention", heads, "[{0}]")
    yield from linear(rf"{block}\.mlp\.0", "stack.mlp_in", "[{0}]")
    yield from linear(rf"{block}\.mlp\.3", "stack.mlp_out", "[{0}]")
    for name, _, leaf in NORM:
        yield Rule(rf"encoder\.ln\.{name}", f"params.norm.{leaf}")
    yield from linear(r"heads\.head", "logits")


def linear(theirs: str, ours: str, copy: str = "") -> Iterator[Rule]:
    """The rules of a dense layer."""
    yield Rule(rf"{theirs}\.weight", f"params.{ours}.kernel{copy}", dense)
    yield Rule(rf"{theirs}\.bias", f"params.{ours}.bias{copy}")


def attention(theirs: str, ours: str, heads: int, copy: str = "") -> Iterator[Rule]:
    """The rules of attention of a sequence to itself; `theirs` is a pattern that ends before a dot, or empty."""
    start = rf"{theirs}\." if theirs else ""
    yield Rule(rf"{start}in_proj_weight", f"params.{ours}.qkv.kernel{copy}", heads_in(heads))
    yield Rule(rf"{start}in_proj_bias", f"params.{ours}.qkv.bias{copy}", heads_in(heads))
    yield Rule(rf"{start}out_proj\.weight", f"params.{ours}.out.kernel{copy}", heads_out(heads))
    yield Rule(rf"{start}out_proj\.bias", f"params.{ours}.out.bias{copy}")
