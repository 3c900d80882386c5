"""What the data says of its integers, classes and tokens, against the network that reads or predicts them.

Under jit no value is looked at: a label for which there is no logit costs NaN, or is never predicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp

from framework.build.experiment import Experiment
from framework.build.wiring import Bound
from framework.config.language import Graph, Node
from framework.config.schema.layers.base import LayerSpec
from framework.core.errors import Problem
from framework.data.description import DataSpec

_OF_TWO = ("bce", "accuracy", "f1", "precision", "recall", "auroc", "confusion")
"""What reads one logit as yes or no; everything else wants one for each class."""


def counts(described: DataSpec) -> dict[str, tuple[int, str]]:
    """Batch array of integers -> how many different ones there are, and what they are called; none where unknown."""
    known = {
        "label": (described.classes, "classes"),
        "tokens": (described.vocabulary, "tokens"),
        "targets": (described.vocabulary, "tokens"),
    }
    return {
        name: (count, word)
        for name, (count, word) in known.items()
        if count is not None and name in described.arrays and _integers(described.arrays[name])
    }


def too_few(
    experiment: Experiment, outputs: Mapping[str, Any], known: Mapping[str, tuple[int, str]]
) -> tuple[list[Problem], tuple[str, ...]]:
    """Embeddings that lack a token, and losses and metrics of labels for which there is no logit.

    Args:
      outputs: shapes and dtypes of the network's outputs for a batch.
      known: from `counts`.

    Returns:
      The problems, and what the keys of those losses and metrics begin with: what else they complain of follows.
    """
    told = {problem.key: problem for problem in _short_embeddings(experiment, known)}
    seen, readers = set(), []
    for bound, output, label, logits in _pairs(experiment, outputs, known):
        count, word = known[label]
        answers = _answers(bound, logits, experiment.arrays[label])
        if answers is None or answers >= count:
            continue
        readers.append(f"{bound.key}.")
        if (output, label) in seen:
            continue
        seen.add((output, label))
        binary = bound.type in _OF_TWO and (logits.ndim == 1 or logits.shape[-1] == 1)
        width = 1 if binary else answers
        key, fix = _widened(experiment, output, width, count)
        if binary and bound.type == "bce":
            key, fix = f"{bound.key}.type", f"{bound.key}.type=cross_entropy" + (f" {fix}" if fix else "")
        key = key or f"{bound.key}.logits"
        problem = Problem(
            key,
            f"outputs.{output} has {width} {'logit' if width == 1 else 'logits'}{', for yes or no' if binary else ''}, "
            f"but the data has {count} {word}",
            f"{count} logits: {bound.key} reads batch.{label}, numbers from 0 to {count - 1}",
            fix=fix or f"{count} features in the last layer of {key}",
            suspects=(f"{bound.key}.logits", f"{bound.key}.labels"),
        )
        if problem.fix not in {other.fix for other in told.values()}:
            told.setdefault(key, problem)
    return list(told.values()), tuple(readers)


def too_many(experiment: Experiment, outputs: Mapping[str, Any], known: Mapping[str, tuple[int, str]]) -> list[str]:
    """A sentence, with its key in front, for each loss that has logits of classes which never occur.

    Of tokens it says nothing: vocabularies are often filled up to a size that devices like.
    """
    told: dict[str, str] = {}
    for bound, output, label, logits in _pairs(experiment, outputs, known):
        count, word = known[label]
        answers = _answers(bound, logits, experiment.arrays[label])
        if word == "classes" and bound.type == "cross_entropy" and answers is not None and answers > count:
            maker, fix = _widened(experiment, output, answers, count)
            sentence = f"outputs.{output} has {answers} logits, but the data has {count} classes"
            told.setdefault(output, f"{maker or f'{bound.key}.logits'}: {sentence}" + (f"; {fix}" if fix else ""))
    return list(told.values())


def _integers(spec: Any) -> bool:
    return jnp.issubdtype(spec.dtype, jnp.integer)


def _pairs(
    experiment: Experiment, outputs: Mapping[str, Any], known: Mapping[str, tuple[int, str]]
) -> Iterator[tuple[Bound, str, str, Any]]:
    """Each loss and metric that reads an output and labels of which the data says how many there are."""
    for bound in (*experiment.losses.values(), *experiment.metric_wires.values()):
        if bound.target is not None:
            continue  # nobody knows what a function of the user's own makes of logits
        kind, _, output = bound.wires.get("logits", "").partition(".")
        of, _, label = bound.wires.get("labels", "").partition(".")
        if kind == "outputs" and of == "batch" and output in outputs and label in known:
            yield bound, output, label, outputs[output]


def _answers(bound: Bound, logits: Any, label: Any) -> int | None:
    """Among how many classes the logits choose; None where they are several answers of their own."""
    of_one = len(label.shape) + 1
    if bound.type != "bce" and logits.ndim == of_one + 1 and (logits.shape[-1] > 1 or bound.type not in _OF_TWO):
        return logits.shape[-1]
    return 2 if of_one == 1 and bound.type in _OF_TWO else None


def _widened(experiment: Experiment, output: str, width: int, count: int) -> tuple[str | None, str | None]:
    """The config key that says how many numbers an output holds, and the override that makes them as many as needed.

    Where they cannot be told, the key of the node that gives the output, and no override.
    """
    graph = experiment.network.graph
    reference = dict(graph.outputs).get(output, "")
    key = _width_key(graph, reference, width)
    if key is not None:
        return key, _override(experiment, key, width, count)
    return {node.name: node.key for node in graph.nodes}.get(reference.partition(".")[0]), None


def _width_key(graph: Graph, reference: str | None, width: int) -> str | None:
    """The key of the number of features of the node that a reference names, or of what it only passes on."""
    nodes = {node.name: node for node in graph.nodes}
    while reference is not None and (node := nodes.get(reference)) is not None:
        if node.op == "unembed" and node.share and _vocabulary(nodes[node.share]) == width:
            return f"{nodes[node.share].key}.embed.vocabulary"
        if not isinstance(node.body, LayerSpec) or node.share:
            return None
        if getattr(node.body, "features", None) == width:
            return f"{node.key}.{node.op}.features"
        if "features" in type(node.body).model_fields or len(node.inputs) != 1:
            return None
        (reference,) = node.inputs
    return None


def _override(experiment: Experiment, key: str, old: int, new: int) -> str:
    """What to type for another number under a key: an argument of the network where it is that argument alone."""
    section = experiment.config.network
    raw: Any = {"network": {"layers": section.layers, "blocks": section.blocks}}
    for part in key.split("."):
        raw = raw.get(part) if isinstance(raw, Mapping) else None
    name = raw.removeprefix("=").strip() if isinstance(raw, str) else ""
    return f"network.args.{name}={new}" if section.args.get(name) == old else f"{key}={new}"


def _short_embeddings(experiment: Experiment, known: Mapping[str, tuple[int, str]]) -> list[Problem]:
    graph = experiment.network.graph
    arrays = [path.removeprefix("batch.") for path in experiment.inputs.values()]
    fed = dict(zip(graph.inputs, arrays, strict=True))
    problems = []
    for node in graph.nodes:
        array = fed.get(node.inputs[0] or "", "") if node.inputs else ""
        size = _vocabulary(node)
        if array not in known or size is None or size >= known[array][0]:
            continue
        count, word = known[array]
        key = f"{node.key}.embed.vocabulary"
        problems.append(
            Problem(
                key,
                f"'{node.name}' has vectors for {size} {word}, but the data has {count}",
                f"{count}: it reads batch.{array}, numbers from 0 to {count - 1}",
                fix=_override(experiment, key, size, count),
            )
        )
    return problems


def _vocabulary(node: Node) -> int | None:
    return getattr(node.body, "vocabulary", None) if isinstance(node.body, LayerSpec) and node.op == "embed" else None
