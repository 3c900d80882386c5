"""A draft as the YAML of a `network` section, with a header that tells where it is from and what was left out."""

from __future__ import annotations

import textwrap
from typing import Any

from framework.inspect.importing.draft import Draft, Drafted
from framework.inspect.yaml_text import scalar

_WIDTH = 118


def declaration(draft: Draft) -> dict[str, Any]:
    """The fields of a network section."""
    section: dict[str, Any] = {}
    if len(draft.inputs) > 1:
        section["inputs"] = {name: f"batch.{name}" for name in draft.inputs}
    section["layers"] = _layers(draft, "input" if len(draft.inputs) == 1 else None)
    if _tells_outputs(draft):
        section["outputs"] = dict(draft.outputs)
    if draft.blocks:
        section["blocks"] = {name: _block(block) for name, block in draft.blocks.items()}
    return section


def text(draft: Draft, source: str, parameters: int | None) -> str:
    """The YAML file.

    Args:
      source: what the first line says of where it is from.
      parameters: how many it has; None where that depends on sizes that the source leaves open.
    """
    section = declaration(draft)
    lines = _filled(source, "")
    for name, given in draft.inputs.items():
        lines += _filled(f"{name}: {given}", "Input:      ")
    if parameters is not None:
        lines.append(f"# Parameters: {parameters:,}")
    if draft.remarks:
        lines.append("#")
        for remark in draft.remarks:
            lines += _filled(remark, "- ")
    for word in ("inputs", "layers", "outputs", "blocks"):
        if word == "blocks" and word in section:
            lines.append("blocks:")
            for name, block in section[word].items():
                lines.append(f"  {name}:")
                for part, value in block.items():
                    lines += _mapping(part, value, "    ") if part == "layers" else [f"    {part}: {scalar(value)}"]
        elif word in section:
            lines += _mapping(word, section[word], "")
    return "\n".join(lines) + "\n"


def _filled(sentence: str, mark: str) -> list[str]:
    return textwrap.wrap(
        sentence,
        _WIDTH,
        initial_indent=f"# {mark}",
        subsequent_indent="# " + " " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _mapping(word: str, values: dict[str, Any], indent: str) -> list[str]:
    width = max((len(name) for name in values), default=0) + 1
    lines = [f"{indent}{word}:"]
    for name, value in values.items():
        line = f"{indent}  {scalar(name) + ':':<{width}} {scalar(value)}"
        if len(line) > _WIDTH and isinstance(value, dict):
            lines.append(f"{indent}  {scalar(name)}:")
            lines += [f"{indent}    {scalar(part)}: {scalar(given)}" for part, given in value.items()]
        else:
            lines.append(line)
    return lines


def _block(block: Draft) -> dict[str, Any]:
    names = list(block.inputs)
    section: dict[str, Any] = {"inputs": names} if len(names) > 1 else {}
    section["layers"] = _layers(block, "input" if len(names) == 1 else None)
    if _tells_outputs(block):
        section["outputs"] = dict(block.outputs)
    return section


def _tells_outputs(draft: Draft) -> bool:
    last = next(reversed(draft.nodes), None)
    return list(draft.outputs.items()) != [(last, last)] and len(draft.outputs) > 0


def layers_of(draft: Draft) -> dict[str, Any]:
    """The nodes of a draft that is given one thing, `input`."""
    return _layers(draft, "input")


def _layers(draft: Draft, given: str | None) -> dict[str, Any]:
    layers: dict[str, Any] = {}
    before = given
    for name, node in draft.nodes.items():
        layers[name] = _node(node, before)
        before = name
    return layers


def _node(node: Drafted, before: str | None) -> Any:
    words: dict[str, Any] = {}
    if not ("share" in node.words and node.arguments == {}):
        words[node.op] = node.arguments
    if node.sources != before:
        words["from"] = node.sources
    words |= node.words
    return node.op if words == {node.op: {}} else words
