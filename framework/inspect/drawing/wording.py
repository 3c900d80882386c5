"""The words in and behind a box: a few short ones in it, everything in its tooltip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from framework.config.language.expression import Expression
from framework.config.language.graph import Graph, Node, Target
from framework.config.schema.layers.base import LayerSpec
from framework.inspect.checking import shape_text
from framework.network.graph.table import NodeRow

_LONGEST = 34
_SIZES = ("kernel", "window")
_COUNTS = ("vocabulary", "hidden", "features", "rate", "shape")


def short_count(number: float, gap: str = "") -> str:
    """A number with three digits and a letter: `9.25k`, `25.6M`, `4.1G`."""
    for power, letter in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        # Rounded to three digits, 999,500 is 1,000 k: that is told as 1 M.
        if number >= 0.9995 * 10**power:
            return f"{number / 10**power:.3g}{gap}{letter}"
    return f"{number:.0f}{gap}"


def shape_words(value: Any, *, batch: bool) -> str:
    """`8×8×32`: a shape, with or without the batch axis; of several outputs, how many there are."""
    if not hasattr(value, "shape"):
        outputs = list(value.values()) if isinstance(value, Mapping) else list(value)
        return shape_words(outputs[0], batch=batch) if len(outputs) == 1 else f"{len(outputs)} outputs"
    sizes = value.shape if batch else value.shape[1:]
    return "×".join(f"{size}" for size in sizes) or "scalar"


def operation(node: Node, row: NodeRow | None) -> str:
    """An operation with the arguments that tell most: `3×3 conv, 64, /2`."""
    body = node.body
    if isinstance(body, Expression):
        return shortened(body.text)
    if isinstance(body, Target):
        return shortened(body.title.rpartition(".")[2])
    if not isinstance(body, LayerSpec):
        return node.op
    given = _given(body)
    words = node.op
    sizes = []
    for name in _SIZES:
        if (size := getattr(body, name, None)) is not None:
            told = _window(size, row)
            words = f"{told} {words}" if "×" in told else words
            sizes += [] if "×" in told else [f"{name} {told}"]
    parts = [words, *([f"{given['heads']} heads"] if given.get("heads") is not None else [])]
    parts += [_plain(given[name]) for name in _COUNTS if given.get(name) is not None]
    parts += sizes
    if given.get("axis") is not None:
        parts.append(f"axis {_plain(given['axis'])}")
    if given.get("strides") not in (None, 1):
        parts.append(f"/{_plain(given['strides'])}")
    if given.get("dilation") not in (None, 1):
        parts.append(f"dilation {_plain(given['dilation'])}")
    return shortened(", ".join(parts))


def shortened(text: str, longest: int = _LONGEST) -> str:
    """The beginning of a text that is too long."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def tooltip(node: Node, rows: Sequence[NodeRow]) -> str:
    """Path, operation with all arguments, shapes, parameters and operations; a line each."""
    lines = [node.path, f"{node.op}{_arguments(node)}"]
    if rows:
        taken = ", ".join(_types(value) for value in rows[0].inputs) or "nothing"
        lines.append(f"{taken} -> {_types(rows[-1].output)}")
        parameters, flops = (sum(getattr(row, name) for row in rows) for name in ("parameters", "flops"))
        lines.append(f"{parameters:,} parameters, {flops:,} FLOPs")
    if node.repeat > 1:
        lines.append(f"{node.repeat} copies one after another, all counted")
    if isinstance(node.body, Graph) and (words := wrap_words(node.body)):
        lines.append(words)
    if node.share:
        lines.append(f"weights of {node.share}")
    if node.freeze:
        lines.append("frozen")
    if node.remat:
        lines.append("computed again in the backward pass")
    return "\n".join(lines)


def wrap_words(graph: Graph) -> str:
    """How the layers of a combinator are called, where that is more than once."""
    wrap = graph.wrap
    if wrap is None:
        return ""
    return {
        "steps": "at each step of time",
        "backwards": "from the end of time",
        "members": f"{wrap.count} members beside each other",
        "phase": "train or eval",
    }[wrap.kind]


def _given(body: LayerSpec) -> dict[str, Any]:
    """The arguments that are not at their defaults."""
    fields = type(body).model_fields
    return {name: getattr(body, name) for name in fields if getattr(body, name) != fields[name].default}


def _arguments(node: Node) -> str:
    if isinstance(node.body, Expression):
        return f": {node.body.text}"
    if isinstance(node.body, Target):
        return f": {node.body.title}"
    if not isinstance(node.body, LayerSpec):
        return ""
    given = ", ".join(f"{name}={value}" for name, value in _given(node.body).items())
    return f"({given})" if given else ""


def _window(value: Any, row: NodeRow | None) -> str:
    if isinstance(value, int) and row is not None and row.inputs and hasattr(row.inputs[0], "shape"):
        return "×".join([str(value)] * max(1, len(row.inputs[0].shape) - 2))
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "×".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _types(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_types(item)}" for name, item in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(_types, value))
    return shape_text(value)
