"""Small pieces of English for error messages: the closest known word, lists, and counts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word nearest to `word`, or None when nothing is near enough to be worth suggesting."""
    candidates = list(known)
    matches = difflib.get_close_matches(word, candidates, n=1, cutoff=cutoff)
    if matches:
        return matches[0]
    folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


def listed(words: Iterable[object], limit: int = 12) -> str:
    """`a, b, c` with at most `limit` words, then how many more there are."""
    items = [str(word) for word in words]
    if len(items) <= limit:
        return ", ".join(items) or "none"
    return ", ".join(items[:limit]) + f" … and {len(items) - limit} more"
