"""PyYAML's loader with bounds: depth, number of values and expansion of aliases are checked while it composes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader
from yaml.nodes import Node
from yaml.tokens import ScalarToken

from framework.config.compose.bounds import MAX_DEPTH, MAX_NODES
from framework.core.errors import ConfigError, Problem


@dataclass
class _Open:
    """A node whose end has not come yet: its anchor, and how many levels its finished children have."""

    anchor: str | None
    total_before: int
    levels: int = 0


class BoundedLoader(yaml.SafeLoader):
    """PyYAML's own loader, as OmegaConf uses it, which counts while it composes and stops at the first broken bound.

    One thing it reads beyond that: `???` inside braces, as in `{features: ???}`. YAML 1.2 and editors take it for
    text (a `?` without a space after it); PyYAML, which follows YAML 1.1, only does so outside braces.
    """

    yaml_implicit_resolvers = get_yaml_loader().yaml_implicit_resolvers

    def __init__(self, text: str, shown: str) -> None:
        super().__init__(text)
        self.shown = shown
        self._total = 0
        self._open: list[_Open] = []
        self._measures: dict[str, tuple[int, int]] = {}

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """One node with everything below it. An alias counts for as much as what it stands for."""
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            if any(item.anchor == event.anchor for item in self._open):
                raise ConfigError(_inside_itself(self.shown, event))
            nodes, levels = self._measures.get(event.anchor, (1, 1))
            self._count(nodes, levels, event)
            return super().compose_node(parent, index)
        self._open.append(_Open(event.anchor, self._total))
        self._count(1, 0, event)
        node = super().compose_node(parent, index)
        done = self._open.pop()
        levels = done.levels + 1
        if self._open:
            self._open[-1].levels = max(self._open[-1].levels, levels)
        if done.anchor:
            self._measures[done.anchor] = (self._total - done.total_before, levels)
        return node

    def check_key(self) -> bool:
        """Whether a `?` begins a complex key here."""
        return super().check_key() and not self._at_missing()

    def check_plain(self) -> bool:
        """Whether plain text begins here."""
        return super().check_plain() or self._at_missing()

    def scan_plain(self) -> ScalarToken:
        """One plain text."""
        if not self._at_missing():
            return super().scan_plain()
        self.allow_simple_key = False
        start = self.get_mark()
        self.forward(3)
        return ScalarToken("???", True, start, self.get_mark())

    def _at_missing(self) -> bool:
        return self.flow_level > 0 and self.prefix(3) == "???" and self.peek(3) in "\0 \t\r\n\x85\u2028\u2029,[]{}"

    def _count(self, nodes: int, levels: int, event: Any) -> None:
        self._total += nodes
        origin = f"{self.shown}:{event.start_mark.line + 1}"
        if len(self._open) + levels > MAX_DEPTH:
            raise ConfigError(_too_deep(self.shown, origin))
        if self._total > MAX_NODES:
            raise ConfigError(_too_many(self.shown, origin, isinstance(event, yaml.AliasEvent)))


def _inside_itself(shown: str, event: Any) -> Problem:
    return Problem(
        shown,
        f"the alias *{event.anchor} stands inside its own anchor",
        expected="aliases of what is complete",
        origin=f"{shown}:{event.start_mark.line + 1}",
        fix=f"write out what *{event.anchor} should be",
    )


def _too_many(shown: str, origin: str, aliased: bool) -> Problem:
    return Problem(
        shown,
        f"{'its aliases expand to' if aliased else 'it holds'} more than {MAX_NODES} values",
        expected=f"at most {MAX_NODES} values, aliases written out",
        origin=origin,
        fix="use `repeat:` for stacks of layers, and data files for data",
    )


def _too_deep(shown: str, origin: str) -> Problem:
    return Problem(
        shown,
        f"mappings and lists are nested more than {MAX_DEPTH} deep",
        expected=f"at most {MAX_DEPTH} levels, aliases written out",
        origin=origin,
        fix="name inner parts as blocks and use them by name",
    )
