"""What a node of the network language looks like to an editor: JSON schema for completion and for checks while typing.

It is looser than `config/language`: it knows no names of nodes or blocks, and requires nothing, since a recipe may
complete a network that it builds upon.
"""

from __future__ import annotations

from typing import Any

from framework.config.schema.layers import LAYERS
from framework.config.schema.layers.base import LayerSpec

_FORMULA = {"type": "string", "pattern": "^="}
_REFERENCE = {"type": "string", "description": "a node, `input`, or node.output"}
_NODE_WORDS: dict[str, Any] = {
    "from": {
        "description": "what the node takes; without it, the node before",
        "anyOf": [
            _REFERENCE,
            {"type": "array", "items": _REFERENCE},
            {"type": "object", "additionalProperties": _REFERENCE},
        ],
    },
    "repeat": {"description": "copies behind each other", "anyOf": [{"type": "integer", "minimum": 1}, _FORMULA]},
    "remat": {"description": "recompute in the backward pass", "anyOf": [{"type": "boolean"}, _FORMULA]},
    "share": {"type": "string", "description": "the node whose weights are used"},
    "freeze": {"description": "keep the weights as they are", "anyOf": [{"type": "boolean"}, _FORMULA]},
    "kernel_regularizer": {
        "description": "l1 · sum |w| + l2 · sum w² over the kernels, added to the loss",
        "type": "object",
        "properties": {kind: {"anyOf": [{"type": "number", "minimum": 0}, _FORMULA]} for kind in ("l1", "l2")},
        "additionalProperties": False,
    },
    "after": {"type": "string", "description": "the node behind which this one stands"},
    "before": {"type": "string", "description": "the node before which this one stands"},
    "expr": {"type": "string", "description": "an array expression, such as x * sigmoid(x)"},
    "module": {"type": "object", "description": "your own module: {_target_: package.module.Name, ...}"},
    "residual": {"type": "object", "description": "f(x) + x: {layers: {...}, shortcut: ...}"},
    "parallel": {"type": "object", "description": "side by side: {layers: {...}, merge: concat, axis: -1}"},
    "sequential": {"type": "object", "description": "one after another: {layers: {...}}"},
    "bidirectional": {"type": "object", "description": "in both directions: {layers: {...}, merge: concat, axis: -1}"},
    "time_distributed": {"type": "object", "description": "at each step of a sequence: {layers: {...}}"},
    "ensemble": {"type": "object", "description": "copies beside each other: {members: 5, layers: {...}, merge: mean}"},
    "cond": {"type": "object", "description": "by what the call is for: {train: node, eval: node}"},
}


def node_schema() -> dict[str, Any]:
    """The JSON schema of one node."""
    operations = {op: _operation(spec) for op, spec in LAYERS.items()}
    return {
        "anyOf": [
            {"type": "string", "description": "an operation without arguments", "examples": list(LAYERS)},
            {"type": "object", "properties": _NODE_WORDS | operations},
            {"type": "null"},
        ]
    }


def layers_schema() -> dict[str, Any]:
    """The JSON schema of an ordered mapping of nodes."""
    return {"type": "object", "additionalProperties": node_schema()}


def block_schema() -> dict[str, Any]:
    """The JSON schema of one block."""
    return {
        "type": "object",
        "properties": {
            "args": {"description": "argument -> default, ??? for a required one, or a list of required ones"},
            "inputs": {"type": "array", "items": {"type": "string"}},
            "layers": layers_schema(),
            "outputs": {"type": "object", "additionalProperties": _REFERENCE},
        },
        "additionalProperties": False,
    }


def _operation(spec: type[LayerSpec]) -> dict[str, Any]:
    """The arguments of an operation; each may be a formula instead."""
    own = spec.model_json_schema()
    properties = {
        name: {"description": item.pop("description", ""), "anyOf": [item, _FORMULA]}
        for name, item in own.get("properties", {}).items()
    }
    return {
        "description": spec.summary(),
        "anyOf": [{"type": "object", "properties": properties, "additionalProperties": False}, {"type": "null"}],
    }
