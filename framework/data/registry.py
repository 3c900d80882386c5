"""From a section of a recipe to the functions of its source."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from framework.core.errors import DataError, Problem
from framework.core.words import closest
from framework.data.protocol import Collection, Outline

SOURCES = (
    "digits",
    "iris",
    "wine",
    "breast_cancer",
    "diabetes",
    "npy",
    "npz",
    "csv",
    "parquet",
    "array_record",
    "arrays",
    "images",
    "text",
    "stdlib",
    "tokens",
    "synthetic",
)


OWN = "_target_"
"""Stands for a source of the user's own, which a dotted name tells."""


def loader(kind: str) -> Callable[..., Collection]:
    """The function that loads the source called `kind`."""
    return getattr(_module(kind), _name(kind))


def describer(kind: str) -> Callable[..., Outline]:
    """The function that describes the source called `kind` without loading it."""
    return _module(kind).describe


def _name(kind: str) -> str:
    return "own" if kind == OWN else kind


def _module(kind: str) -> Any:
    if kind not in (*SOURCES, OWN):
        near = closest(kind, SOURCES)
        raise DataError(
            Problem(
                key="data.type",
                found=f"unknown value '{kind}'",
                expected=", ".join(SOURCES),
                fix=f"data.type={near}" if near else None,
            )
        )
    return importlib.import_module(f"framework.data.sources.{_name(kind)}")


def call(function: Callable[..., Any], section: Any, learned: Mapping[str, Any] | None = None) -> Any:
    """`function` with those fields of `section` that it has arguments for; what an earlier load learned goes first."""
    names = inspect.signature(function).parameters
    return function(**{name: (learned or {}).get(name, getattr(section, name)) for name in names})
