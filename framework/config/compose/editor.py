"""The JSON schema of a recipe file, for editors: they complete keys, show descriptions and mark mistakes as one types.

It differs from the schema of a finished config as a recipe's text does from what is composed of it: nothing is
required, since a config group may bring it; a component may be told without its `type`; and an interpolation may stand
wherever a value may.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from framework.config.compose.names import groups
from framework.config.language.nodes import COMBINATORS, NODE_KEYS
from framework.config.schema.layers import LAYERS
from framework.config.schema.root import Config

DIALECT = "http://json-schema.org/draft-07/schema#"

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_DROPPED = {"title", "required", "discriminator", "minProperties"}
_ANNOTATIONS = ("description", "default", "traced", "wired")
_OPEN = {"$ref": "#/$defs/open"}
_NODE = {"$ref": "#/$defs/node"}
_NODES = {"type": "object", "additionalProperties": _NODE}


def json_schema(config_dirs: Sequence[str | Path] = ()) -> dict[str, Any]:
    """The schema of a recipe file, with the config groups in sight.

    Fields that the compiled program takes as inputs carry `"traced": true`, key paths `"wired": true`.
    """
    names, definitions = models_json_schema([(model, "validation") for model in (Config, *LAYERS.values())])
    schemas = {name: _relaxed(schema) for name, schema in definitions["$defs"].items()}
    root = schemas.pop(_name(names[Config, "validation"]))
    schemas["open"] = _open_value()
    schemas["node"] = _node({op: names[schema, "validation"] for op, schema in LAYERS.items()})
    network = schemas["NetworkSection"]["properties"]
    network["layers"] = {**network["layers"], "anyOf": [_NODES, _OPEN]}
    network["blocks"] = {**network["blocks"], "anyOf": [_blocks(), _OPEN]}
    root["properties"] = {"defaults": _defaults(groups(config_dirs)), **root["properties"]}
    return {"$schema": DIALECT, "title": "recipe", **root, "$defs": schemas}


def schema_json(config_dirs: Sequence[str | Path] = ()) -> str:
    """`json_schema` as text."""
    return json.dumps(json_schema(config_dirs), indent=2, ensure_ascii=False)


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _relaxed(schema: Any) -> Any:
    """A section's schema as it holds for a part of the section."""
    if isinstance(schema, list):
        return [_relaxed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {_BOUNDS.get(key, key): value for key, value in schema.items() if key not in _DROPPED}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    # Every part once: parts of parts that were relaxed twice would be many at the bottom of a deep schema.
    return {key: _relaxed_part(key, value) for key, value in kept.items()}


def _relaxed_part(key: Any, value: Any) -> Any:
    if key == "default":
        return value
    if key == "properties":
        return {name: _or_open(_relaxed(schema)) for name, schema in value.items()}
    if key in ("items", "additionalProperties") and isinstance(value, Mapping):
        return _or_open(_relaxed(value))
    return _relaxed(value)


def _or_open(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a value, or an interpolation in its place; what editors show stays outside."""
    if "const" in schema:
        return dict(schema)
    core = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    shown = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    branches = core.pop("anyOf", None) or [core]
    if any(isinstance(branch, Mapping) and branch.get("traced") for branch in branches):
        shown["traced"] = True
    plain = [{key: value for key, value in branch.items() if key not in ("traced", "wired")} for branch in branches]
    return {**shown, "anyOf": [*plain, _OPEN]} if any(plain) else shown


def _open_value() -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": r"\$\{|^\?\?\?$|^=",
        "description": "an interpolation ${section.key}, in networks a formula =width*2, or ??? for what must be given",
    }


def _node(layers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A node of a network: the name of an operation, or one operation with its arguments and the node's own keys."""
    operations = {op: {"anyOf": [reference, {"type": "null"}, _OPEN]} for op, reference in layers.items()}
    combinators = {op: {"type": "object"} for op in COMBINATORS}
    keys: dict[str, Any] = {key: {} for key in NODE_KEYS}
    return {
        "description": "one operation with its arguments, and where its input comes from; or an operation's bare name",
        "anyOf": [
            {"type": "string"},
            {"type": "object", "properties": {**keys, **combinators, **operations}, "additionalProperties": True},
        ],
    }


def _blocks() -> dict[str, Any]:
    block = {"type": "object", "properties": {"args": {"type": "object"}, "layers": _NODES}}
    return {"type": "object", "additionalProperties": block}


def _defaults(known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The defaults list, with the options of every group in sight."""
    properties = {}
    for group, options in known.items():
        choice = {"anyOf": [{"enum": [*options, None]}, {"type": ["string", "array", "null"]}]}
        properties[f"override /{group}"] = choice
        properties[f"/{group}"] = choice
    entry = {"type": "object", "properties": properties, "minProperties": 1, "maxProperties": 1}
    return {
        "description": "what this recipe is composed of: `- override /GROUP: OPTION` swaps a group's option",
        "type": "array",
        "items": {"anyOf": [{"type": "string"}, entry]},
    }
