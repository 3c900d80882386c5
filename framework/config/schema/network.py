"""The section `network`: inputs, layers, outputs and user-made blocks; `config/language` makes a graph of it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from framework.config.schema.base import KeyPath, Spec
from framework.config.schema.node import block_schema, layers_schema


def _layers(schema: dict[str, Any]) -> None:
    schema.update(layers_schema())


def _blocks(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = block_schema()


class NetworkSection(Spec):
    """A network, declared as an ordered mapping from node names to nodes (see docs/network_language.md)."""

    inputs: dict[str, KeyPath] = Field(
        default_factory=dict,
        description="input name -> key path of a batch array, e.g. {image: batch.image}; empty: the data's one input",
    )
    args: dict[str, Any] = Field(
        default_factory=dict, description="values that formulas (`=width`) in the layers may read; ??? is required"
    )
    layers: dict[str, Any] = Field(
        description="node name -> node, in the order in which data meets them", json_schema_extra=_layers
    )
    outputs: dict[str, str] = Field(
        default_factory=dict, description="output name -> node; empty: the last node, under its own name"
    )
    blocks: dict[str, Any] = Field(
        default_factory=dict, description="user-made operations, used like built-in ones", json_schema_extra=_blocks
    )
