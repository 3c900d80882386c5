"""Networks: the layer catalogue as Flax modules, and `Network`, which makes pure functions of a declared graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framework.network.context import Context, TracedValue
    from framework.network.network import Network

__all__ = ["Context", "Network", "TracedValue"]


def __getattr__(name: str) -> Any:
    # Lazy, so that importing one room does not load Flax for those who only want another part of it.
    if name == "Network":
        from framework.network.network import Network

        return Network
    if name in ("Context", "TracedValue"):
        from framework.network import context

        return getattr(context, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
