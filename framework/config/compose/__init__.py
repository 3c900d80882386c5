"""From a recipe's text to a validated `Config`: Hydra composes, every key remembers its origin. Never imports JAX.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.config.compose.dump import difference, dump
    from framework.config.compose.load import job_yaml, load, load_file
    from framework.config.compose.loaded import Loaded
    from framework.config.compose.multirun import multirun
    from framework.config.compose.names import Entry, groups, recipes
    from framework.config.compose.roots import shipped
    from framework.config.compose.schema_json import json_schema, schema_json

_HOMES = {
    "Entry": "names",
    "Loaded": "loaded",
    "difference": "dump",
    "dump": "dump",
    "groups": "names",
    "job_yaml": "load",
    "json_schema": "schema_json",
    "load": "load",
    "load_file": "load",
    "multirun": "multirun",
    "recipes": "names",
    "schema_json": "schema_json",
    "shipped": "roots",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "Entry",
    "Loaded",
    "difference",
    "dump",
    "groups",
    "job_yaml",
    "json_schema",
    "load",
    "load_file",
    "multirun",
    "recipes",
    "schema_json",
    "shipped",
]
