"""Our layers compute what PyTorch's do with the same weights, forward and backward."""

from __future__ import annotations

from functools import partial

import numpy as np
from golden_cases import compare
from translation import Arrays, Layout, Rule, dense, heads_in, heads_out, reference, transposed_conv
from vision_rules import attention

from framework.network import Network

PARTS = ("query", "key", "value")


def one(op: str, **arguments: object) -> Network:
    return Network({"layers": {"y": {op: arguments}}})


def weight_and_bias(leaf: str, layout: Layout | None = None) -> list[Rule]:
    return [Rule("weight", f"params.y.{leaf}", layout or (lambda array: array)), Rule("bias", "params.y.bias")]


def test_group_norm_computes_what_pytorchs_does() -> None:
    compare(
        one("group_norm", groups=3, epsilon=1e-5),
        "group_norm",
        weight_and_bias("scale"),
        {"x": (2, 12, 5, 4)},
        image=True,
    )


def test_transposed_conv_same_computes_what_pytorchs_with_padding_does() -> None:
    ours = one("transposed_conv", features=4, kernel=4, strides=2)
    rules = weight_and_bias("kernel", transposed_conv)
    compare(ours, "transposed_conv_same", rules, {"x": (2, 3, 5, 4)}, image=True)


def test_transposed_conv_valid_computes_what_pytorchs_does() -> None:
    ours = one("transposed_conv", features=4, kernel=3, strides=2, padding="valid")
    rules = weight_and_bias("kernel", transposed_conv)
    compare(ours, "transposed_conv_valid", rules, {"x": (2, 3, 5, 4)}, image=True)


def test_attention_computes_what_pytorchs_does() -> None:
    compare(one("attention", heads=3), "attention", attention("", "y", 3), {"x": (2, 7, 12)}, image=False)


def test_attention_to_another_sequence_computes_what_pytorchs_does() -> None:
    """PyTorch stacks the three projections, ours of another sequence stand apart."""
    ours = Network(
        {
            "inputs": {"x": "batch.x", "memory": "batch.memory", "seen": "batch.seen"},
            "layers": {"y": {"attention": {"heads": 3}, "from": {"x": "x", "key": "memory", "mask": "seen"}}},
        }
    )
    rules = [
        *(
            Rule(f"{part}_{theirs}", f"params.y.{part}.{leaf}", lambda array: heads_in(3, 1)(array).squeeze(-3))
            for part in PARTS
            for theirs, leaf in (("weight", "kernel"), ("bias", "bias"))
        ),
        Rule(r"out_proj\.weight", "params.y.out.kernel", heads_out(3)),
        Rule(r"out_proj\.bias", "params.y.out.bias"),
    ]
    shapes = {"x": (2, 7, 12), "memory": (2, 5, 12)}
    seen = reference("attention_across", shapes).arrays["seen"]
    compare(ours, "attention_across", rules, shapes, image=False, others={"seen": seen}, prepare=apart)


def apart(arrays: Arrays, gradient: bool) -> Arrays:
    """The stacked projections as three."""
    found = {name: array for name, array in arrays.items() if not name.startswith("in_proj")}
    for leaf in ("weight", "bias"):
        pieces = np.split(arrays[f"in_proj_{leaf}"], 3)
        found |= {f"{part}_{leaf}": piece for part, piece in zip(PARTS, pieces, strict=True)}
    return found


RECURRENT = [
    Rule("weight_ih_l0", "params.y.input.kernel", dense),
    Rule("weight_hh_l0", "params.y.recurrent.kernel", dense),
    Rule("input_bias", "params.y.input.bias"),
    Rule("recurrent_bias", "params.y.recurrent.bias"),
]


def one_bias(arrays: Arrays, gradient: bool, apart_from: int = 24) -> Arrays:
    """PyTorch has a bias on each side of a recurrence, which are added; ours is their sum, up to a feature."""
    first, second = arrays["bias_ih_l0"], arrays["bias_hh_l0"]
    added = np.where(np.arange(len(first)) < apart_from, second, 0)
    found = {name: array for name, array in arrays.items() if name.startswith("weight")}
    found["input_bias"] = first if gradient else first + added
    if apart_from < len(second):
        found["recurrent_bias"] = second[apart_from:]
    return found


def test_lstm_computes_what_pytorchs_does() -> None:
    compare(one("lstm", features=6), "lstm", RECURRENT, {"x": (3, 7, 5)}, image=False, prepare=one_bias)


def test_gru_computes_what_pytorchs_does() -> None:
    """The candidate has a bias of its own inside the reset gate's product, on both sides."""
    prepare = partial(one_bias, apart_from=12)
    compare(one("gru", features=6), "gru", RECURRENT, {"x": (3, 7, 5)}, image=False, prepare=prepare)
