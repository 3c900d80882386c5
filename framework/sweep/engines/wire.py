"""Endings and verdicts as plain values, to be sent as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from framework.sweep.members import Copy, Ending, Stop, Verdict


def of_ending(ending: Ending) -> dict[str, Any]:
    """An ending as a plain value."""
    return {**asdict(ending), "metrics": {name: float(value) for name, value in ending.metrics.items()}}


def to_ending(plain: Mapping[str, Any]) -> Ending:
    """The inverse."""
    return Ending(**plain)


def of_verdicts(verdicts: Mapping[int, Verdict]) -> dict[str, dict[str, Any]]:
    """Verdicts by member number as a plain value."""
    return {str(number): asdict(verdict) for number, verdict in verdicts.items()}


def to_verdicts(plain: Mapping[str, Mapping[str, Any]]) -> dict[int, Verdict]:
    """The inverse."""
    return {int(number): Stop(**found) if "reason" in found else Copy(**found) for number, found in plain.items()}
