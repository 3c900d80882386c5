"""From the section `parallel` to a strategy."""

from __future__ import annotations

from typing import Any

from framework.parallel.single import Single
from framework.parallel.strategy import Strategy


def choose(section: Any) -> Strategy:
    """The strategy that a recipe's `parallel` section names; `auto` is one device."""
    strategies = {"auto": Single.default, "single": Single.default}
    return strategies[section.type]()
