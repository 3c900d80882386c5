"""Values as YAML writes them, on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

_WIDE = 10**6  # columns, so that YAML breaks no line


def scalar(value: Any) -> str:
    """A value on one line, as YAML writes it in flow style."""
    plain = _plain(value)
    text = yaml.safe_dump(plain, default_flow_style=True, width=_WIDE, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
