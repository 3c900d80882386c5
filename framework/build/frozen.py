"""Parameters that training leaves alone, kept apart from those that it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def divided(params: Any, frozen: frozenset[str], before: str = "") -> tuple[Any, Any]:
    """The trained and the frozen parameters, each as a tree that lacks the others; both are views, nothing is copied.

    Args:
      frozen: paths of the frozen ones, dotted.
      before: the path of `params` itself, with a dot behind.
    """
    if not frozen:
        return params, {}
    trained: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, item in params.items():
        path = f"{before}{name}"
        if not isinstance(item, Mapping):
            (kept if path in frozen else trained)[name] = item
            continue
        parts = divided(item, frozen, f"{path}.")
        for place, part in zip((trained, kept), parts, strict=True):
            if part:
                place[name] = part
    return trained, kept


def joined(trained: Any, kept: Any) -> Any:
    """The inverse of `divided`."""
    if not kept:
        return trained
    names = dict.fromkeys((*trained, *kept))
    return {
        name: joined(trained.get(name, {}), kept.get(name, {}))
        if isinstance(trained.get(name, kept.get(name)), Mapping)
        else trained.get(name, kept.get(name))
        for name in names
    }
