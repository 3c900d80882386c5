"""From a network section to a typed graph: every mistake found, all told at once, without JAX."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from pydantic import ValidationError

from framework.config.language.blocks import read_blocks, recursion, unread
from framework.config.language.builder import Builder, Place
from framework.config.language.graph import Graph
from framework.config.language.nodes import SPECIAL
from framework.config.language.precision import computed_in
from framework.config.language.report import Report
from framework.config.language.scope import Scope, bind
from framework.config.schema.layers import LAYERS
from framework.config.schema.network import NetworkSection
from framework.core.words import closest, listed


def elaborate(
    section: Mapping[str, Any] | NetworkSection, *, key: str = "network", precision: str | None = None
) -> Graph:
    """The typed graph that a network section declares.

    Args:
      section: the section, or a mapping with its fields.
      key: the config key of the section, with which all keys in errors and of traced scalars begin.
      precision: the number format to compute in of all layers that leave theirs null; None: as they say.

    Raises:
      ConfigError: with one problem for each mistake; see docs/network_language.md for the grammar.
    """
    report = Report()
    declared = section if isinstance(section, NetworkSection) else _validated(section, key, report)
    blocks = read_blocks(declared.blocks, f"{key}.blocks", LAYERS, report)
    broken = {name for name, block in blocks.items() if not isinstance(block.layers, Mapping)}
    builder = Builder(
        key,
        report,
        blocks,
        # Not merged into one, for which the schema of every layer would be imported.
        ChainMap(cast("dict[str, Any]", LAYERS), dict.fromkeys([*SPECIAL, *blocks])),
        recursion(blocks, report) | broken,
    )
    unread(declared.args, (declared.layers,), f"{key}.args", "the network", report)
    scope = bind(Scope("the network", builder.structural), declared.args, f"{key}.args", {}, f"{key}.args", report)
    place = Place(f"{key}.layers", outputs_key=f"{key}.outputs")
    graph = builder.graph(declared.layers, place, tuple(declared.inputs) or ("input",), declared.outputs, scope)
    for name in blocks:
        if name not in builder.used and name not in builder.barred:
            report.warn(f"{key}.blocks.{name}", "no node uses this block")
    report.raise_if_any()
    settled = builder.settled(graph)
    whole = settled if precision is None else computed_in(settled, precision)
    return replace(whole, key=key, wiring=tuple(declared.inputs.items()), warnings=report.warnings)


def _validated(section: Mapping[str, Any], key: str, report: Report) -> NetworkSection:
    """The section out of a mapping. What is not even a section ends the elaboration."""
    try:
        return NetworkSection.model_validate(dict(section))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where = ".".join([key, *(str(part) for part in detail["loc"] if part != "[key]")])
            _tell(str(detail["loc"][0]) if detail["loc"] else "", where, detail["type"], detail["input"], report)
        report.raise_if_any()
        raise


def _tell(word: str, where: str, kind: str, found: Any, report: Report) -> None:
    fields = NetworkSection.model_fields
    if kind == "extra_forbidden":
        near = closest(word, fields)
        told = f"a network has no '{word}'" + (f" (did you mean '{near}'?)" if near else "")
        report.problem(where, told, listed(fields), f"~{where}")
    elif kind == "missing":
        report.problem(where, f"the network has no '{word}'", fields[word].description)
    else:
        report.problem(where, f"found {found!r}", fields[word].description if word in fields else "a mapping")
