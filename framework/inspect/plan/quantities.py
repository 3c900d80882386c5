"""Numbers with units, as typed and as printed."""

from __future__ import annotations

import math
import re

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest

BYTE_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    f"{letter}iB": 2 ** (10 * power) for power, letter in enumerate("KMGT", start=1)
}
EXAMPLES = {"--flops": "990e12", "--bandwidth": "450e9", "--memory-bandwidth": "4.8e12"}
"""What an option for a rate might be given."""

_NUMBER = re.compile(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)")


def parse_bytes(option: str, text: str) -> float:
    """A number of bytes such as `141GiB`, `80e9` or `80GB`.

    Raises:
      ConfigError: it is no positive number, or its unit is unknown.
    """
    value, unit = _split(option, text, "141GiB")
    if unit and unit not in BYTE_UNITS:
        folded = {known.casefold(): known for known in BYTE_UNITS}
        near = folded.get(unit.casefold()) or folded.get(f"{unit}b".casefold()) or closest(unit, BYTE_UNITS) or "GiB"
        number = text.strip()[: -len(unit)].strip()
        raise ConfigError(
            Problem(option, f"unknown unit '{unit}' in '{text}'", ", ".join(BYTE_UNITS), fix=f"{option} {number}{near}")
        )
    return value * BYTE_UNITS.get(unit, 1)


def parse_rate(option: str, text: str) -> float:
    """A number per second without a unit, such as `990e12`.

    Raises:
      ConfigError: it is no positive number, or has a unit.
    """
    value, unit = _split(option, text, EXAMPLES.get(option, "1e12"))
    if unit:
        raise ConfigError(
            Problem(option, f"a unit, '{unit}', in '{text}'", "a bare number per second", fix=f"{option} {value:g}")
        )
    return value


def _split(option: str, text: str, example: str) -> tuple[float, str]:
    found = _NUMBER.fullmatch(text.strip())
    value = float(found[1]) if found else 0.0
    if found is None or value <= 0 or not math.isfinite(value):
        raise ConfigError(Problem(option, f"'{text}'", "a positive number", fix=f"{option} {example}"))
    return value, found[2]


def show_bytes(value: float) -> str:
    """Bytes with three digits or so: `12.3 MiB`."""
    for unit, size in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}" if abs(value) < 1000 * size else f"{value / size:,.0f} {unit}"
    return f"{value:.0f} B"


def show_count(value: float) -> str:
    """A large number: `1.37 G`."""
    for unit, size in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}"


def show_time(seconds: float) -> str:
    """Seconds: `3.21 ms`."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
