"""Numbers for people: a few digits, rates with thousands, seconds as clock time."""

from __future__ import annotations

import math


def number(value: float) -> str:
    """A metric in four significant digits: `0.9722`, `12.35`, `1,234`, `2.52e-05`, `nan`; a count as it is."""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or not math.isfinite(value):
        return f"{value:.4g}"
    magnitude = math.floor(math.log10(abs(value)))
    if not -4 <= magnitude < 6:
        return f"{value:.2e}"
    return f"{value:,.{max(0, 3 - magnitude)}f}"


def plus_minus(mean: float, deviation: float) -> str:
    """A mean with its deviation, `0.9722 ± 0.0031`; alone where there is none, as of a single number."""
    return number(mean) if math.isnan(deviation) and not math.isnan(mean) else f"{number(mean)} ± {number(deviation)}"


def rate(per_second: float) -> str:
    """A rate: `0.52`, `5.2`, `312`, `5,312`, `170k`, `1.2M`."""
    if per_second >= 1e6:
        return f"{per_second / 1e6:.1f}M"
    if per_second >= 1e5:
        return f"{per_second / 1e3:.0f}k"
    if per_second >= 100:
        return f"{per_second:,.0f}"
    return f"{per_second:.1f}" if per_second >= 1 else f"{per_second:.2g}"


def duration(seconds: float) -> str:
    """Seconds as `0:07`, `12:03`, `3:05:00` or `2 d 04:10`."""
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours:02}:{minutes:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
