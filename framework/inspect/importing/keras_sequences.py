"""Keras's layers of sequences and its wrappers of layers, in this framework's operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from framework.inspect.importing.draft import Draft
from framework.inspect.importing.keras_call import Call, Tensor
from framework.inspect.importing.keras_layers import Convert
from framework.inspect.importing.writing import layers_of

_STATES = {"LSTM": ("hidden", "cell"), "GRU": ("hidden",), "SimpleRNN": ("hidden",)}
_MERGES = {"concat": "concat", "sum": "add", "mul": "multiply", "ave": "mean"}


def recurrent(call: Call) -> str | list[str]:
    """LSTM, GRU or SimpleRNN."""
    arguments, states = call.arguments, _STATES[call.kind]
    words: dict[str, Any] = {"features": arguments.count("units")}
    if call.kind == "SimpleRNN":
        activation = arguments.among("activation", "tanh", "tanh", "relu")
        words |= {} if activation == "tanh" else {"activation": activation}
    else:
        arguments.among("activation", "tanh", "tanh")
        arguments.among("recurrent_activation", "sigmoid", "sigmoid")
    words |= _kernels(call)
    if call.kind == "LSTM" and not arguments.take("unit_forget_bias", True):
        words["forget_bias"] = 0.0
    if call.kind == "GRU":
        if not arguments.take("reset_after", True):
            arguments.problem("reset_after: False", "True: the reset gate after the recurrent product", "reset_after")
        words["recurrent_bias"] = True
    every, state = arguments.take("return_sequences", False), arguments.take("return_state", False)
    backwards = arguments.take("go_backwards", False)
    words |= {} if every else {"return_sequences": False}
    words |= ({"return_state": True} if state else {}) | ({"reverse": True} if backwards else {})
    penalty = arguments.regularizer("kernel_regularizer", "recurrent_regularizer")
    op = "rnn" if call.kind == "SimpleRNN" else call.kind.lower()
    node = call.weighted(op, words, _started(call, states), penalty=penalty)
    output = f"{node}.output" if state else node
    if backwards and every:
        # Keras gives what it read last at the end; here outputs keep their place in time.
        output = call.draft.add(f"{call.name}_as_read", "flip", output, {"axes": [1]})
    return [output, *(f"{node}.{name}" for name in states)] if state else output


def _kernels(call: Call) -> dict[str, Any]:
    arguments, words = call.arguments, {}
    for theirs, ours, usual in (
        ("kernel_initializer", "kernel_init", "lecun_normal"),
        ("recurrent_initializer", "recurrent_init", "orthogonal"),
        ("bias_initializer", "bias_init", "zeros"),
    ):
        initial = arguments.initializer(theirs)
        if initial not in (None, usual):
            words[ours] = initial
    return words if arguments.take("use_bias", True) else words | {"use_bias": False}


def _started(call: Call, states: tuple[str, ...]) -> Any:
    """What it reads: the sequence alone, or with the states that it starts from and the mask."""
    start = call.named.pop("initial_state", None)
    mask = call.named.pop("mask", None)
    more: dict[str, str] = {}
    if isinstance(mask, Tensor):
        more["mask"] = mask.node
    start = [start] if isinstance(start, Tensor) else start
    if start is not None:
        if len(start) != len(states):
            call.arguments.problem(f"{len(start)} states to start from", f"{len(states)}: {', '.join(states)}")
        more |= {name: tensor.node for name, tensor in zip(states, start, strict=False)}
    return {"x": call.source, **more} if more else None


def conv_lstm(call: Call) -> str | list[str]:
    """ConvLSTM of one to three space dimensions."""
    arguments = call.arguments
    arguments.among("activation", "tanh", "tanh")
    arguments.among("recurrent_activation", "sigmoid", "sigmoid")
    arguments.among("padding", "same", "same")
    for word in ("strides", "dilation_rate"):
        if arguments.sizes(word, 1) != 1:
            arguments.problem(f"{word} other than 1", "1", word)
    words: dict[str, Any] = {"features": arguments.count("filters"), "kernel": arguments.sizes("kernel_size", 3)}
    words |= _kernels(call)
    if not arguments.take("unit_forget_bias", True):
        words["forget_bias"] = 0.0
    arguments.among("go_backwards", False, False)
    state = arguments.take("return_state", False)
    words |= {} if arguments.take("return_sequences", False) else {"return_sequences": False}
    words |= {"return_state": True} if state else {}
    penalty = arguments.regularizer("kernel_regularizer", "recurrent_regularizer")
    node = call.weighted("conv_lstm", words, _started(call, ("hidden", "cell")), penalty=penalty)
    return [f"{node}.output", f"{node}.hidden", f"{node}.cell"] if state else node


def attention(call: Call) -> str:
    """MultiHeadAttention or GroupedQueryAttention."""
    arguments = call.arguments
    grouped = call.kind != "MultiHeadAttention"
    heads = arguments.count("num_query_heads" if grouped else "num_heads")
    size = arguments.count("head_dim" if grouped else "key_dim")
    words: dict[str, Any] = {"heads": heads, "head_features": size}
    if grouped:
        words["kv_heads"] = arguments.count("num_key_value_heads")
    elif arguments.take("value_dim") not in (None, size):
        arguments.problem(f"value_dim {arguments.take('value_dim')}", f"key_dim, {size}", "value_dim")
    if arguments.take("output_shape") is not None:
        arguments.problem("an output_shape", "null: that of the query", "output_shape")
    if arguments.take("attention_axes") not in (None, [1], 1):
        arguments.problem("attention_axes", "null or [1]", "attention_axes")
    initial = arguments.initializer("kernel_initializer")
    words |= {} if initial is None else {"kernel_init": initial}
    first = arguments.initializer("bias_initializer")
    words |= {} if first in (None, "zeros") else {"bias_init": first}
    words |= {} if arguments.take("use_bias", True) else {"use_bias": False}
    rate = arguments.take("dropout", 0.0)
    words |= {"dropout": rate} if rate else {}
    by_name = [call.named.pop(word, None) for word in ("query", "value", "key")]
    placed = [*call.given, *[None] * 3][:3]
    query, value, key = (found if found is not None else named for found, named in zip(placed, by_name, strict=True))
    if not isinstance(query, Tensor) or not isinstance(value, Tensor) or len(call.given) > 3:
        arguments.problem("a call without query and value", "attention(query, value, key)")
        return call.plain("identity", sources=call.given[0].node if call.given else "input")
    key = key if isinstance(key, Tensor) else value
    alone = query.node == key.node == value.node
    if call.options.pop("use_causal_mask", False):
        words["causal"] = True
        if not alone:
            arguments.problem("use_causal_mask between two sequences", "a sequence to itself")
    if call.options.pop("return_attention_scores", False):
        arguments.problem("return_attention_scores", "the output alone")
    sources = {"x": query.node}
    if not alone:
        sources["key"] = key.node
        if value.node != key.node:
            sources["value"] = value.node
    mask = call.named.pop("attention_mask", None)
    if isinstance(mask, Tensor):
        sources["mask"] = mask.node
    penalty = arguments.regularizer("kernel_regularizer")
    return call.weighted("attention", words, sources if len(sources) > 1 else query.node, penalty=penalty)


def wrapped(call: Call, convert: Any, inner: Mapping[str, Any], place: str) -> str:
    """Bidirectional or TimeDistributed around the layer `inner`.

    Args:
      convert: (entry, place, tensors, draft, root) -> what the layer gives, as for any layer.
    """
    inside = Draft(problems=call.root.problems, remarks=call.root.remarks)
    shape = call.given[0].shape if call.given else None
    source = call.source
    if call.kind == "TimeDistributed":
        given = None if shape is None else (shape[0], *shape[2:])
        convert(inner, place, [Tensor("input", given)], inside, call.root)
        return call.weighted("time_distributed", {"layers": layers_of(inside)}, source)
    arguments = call.arguments
    config = dict(inner.get("config") or {})
    merge = arguments.take("merge_mode")
    other = arguments.take("backward_layer")
    if merge not in _MERGES:
        arguments.problem(f"merge_mode: {merge!r}", f"one of {', '.join(_MERGES)}", "merge_mode")
        merge = "concat"
    if config.get("return_state") or config.get("go_backwards"):
        arguments.problem("a layer with return_state or go_backwards", "neither", "layer")
    if isinstance(other, Mapping) and _compared(other) != _compared(inner):
        arguments.problem("a backward_layer that differs from the layer", "the same layer", "backward_layer")
    convert(inner, place, [Tensor("input", shape)], inside, call.root)
    words = {"layers": layers_of(inside), "merge": _MERGES[merge]}
    return call.weighted("bidirectional", words, source)


def _compared(entry: Mapping[str, Any]) -> Any:
    """A layer without what tells its two directions apart."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items() if key not in ("name", "seed", "go_backwards")}
        return value

    return entry.get("class_name"), plain(entry.get("config"))


SEQUENCES: dict[str, Convert] = {
    "LSTM": recurrent,
    "GRU": recurrent,
    "SimpleRNN": recurrent,
    **{f"ConvLSTM{axes}D": conv_lstm for axes in (1, 2, 3)},
    "MultiHeadAttention": attention,
    "GroupQueryAttention": attention,
    "GroupedQueryAttention": attention,
}
"""A layer's class -> what converts it."""
