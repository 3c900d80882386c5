"""Hide interpolations from OmegaConf while Hydra merges files.

A merge onto an interpolation makes OmegaConf resolve it there and then: before any bound is checked, and with whatever
resolver some library has registered. So `${` reaches it with an invisible character inside, and is only resolved by us,
once, when everything is merged.
"""

from __future__ import annotations

from typing import Any

_HIDDEN = "$\u2060{"  # U+2060, the word joiner, has no width, so Hydra's own print-outs look as written


def protected(value: Any) -> Any:
    """The same tree with every `${` hidden."""
    return _replaced(value, "${", _HIDDEN)


def unprotected(value: Any) -> Any:
    """The tree, or text, as it was written."""
    return _replaced(value, _HIDDEN, "${")


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    return value.replace(old, new) if isinstance(value, str) else value
