"""From a recipe's text to a validated `Config`: Hydra composes, every key remembers its origin. Never imports JAX.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.config.compose.editor import json_schema, schema_json
    from framework.config.compose.loaded import Loaded
    from framework.config.compose.names import Entry, groups, recipes
    from framework.config.compose.pipeline import job_yaml, load, load_file
    from framework.config.compose.roots import shipped
    from framework.config.compose.sweeping import multirun
    from framework.config.compose.text import ABSENT, difference, dump
    from framework.config.compose.views import composed_yaml, info

_HOMES = {
    "ABSENT": "text",
    "Entry": "names",
    "Loaded": "loaded",
    "composed_yaml": "views",
    "difference": "text",
    "dump": "text",
    "groups": "names",
    "info": "views",
    "job_yaml": "pipeline",
    "json_schema": "editor",
    "load": "pipeline",
    "load_file": "pipeline",
    "multirun": "sweeping",
    "recipes": "names",
    "schema_json": "editor",
    "shipped": "roots",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "ABSENT",
    "Entry",
    "Loaded",
    "composed_yaml",
    "difference",
    "dump",
    "groups",
    "info",
    "job_yaml",
    "json_schema",
    "load",
    "load_file",
    "multirun",
    "recipes",
    "schema_json",
    "shipped",
]
