"""The settings of a member that TensorBoard shows beside its metrics: those that somebody set for the sweep."""

from __future__ import annotations

from typing import Any

from framework.config.compose.loaded import Loaded
from framework.core.keypaths import flatten

_ABOUT = ("report", "run", "checkpoint", "parallel", "sweep")
"""Sections that say how a run is kept and shown."""


def hparams(loaded: Loaded) -> dict[str, Any]:
    """Key -> value of what a member's overrides set: the swept keys, and what all members have from the command line.

    A recipe has some 80 settings, and a table with a column for each shows none of them. Of a config group it is the
    option.
    """
    flat = flatten(loaded.tree)
    found: dict[str, Any] = {}
    for text in loaded.overrides:
        key = text.partition("=")[0].lstrip("+").replace("/", ".")
        choice = loaded.choices.get(key.replace(".", "/"))
        if key.split(".")[0] in _ABOUT:
            continue
        if key in flat:
            found[key] = flat[key]
        elif choice is not None:
            found[key] = choice[0]
    return found
