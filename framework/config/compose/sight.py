"""What one interpolation can see: the tree from where it stands, and a fixed set of resolvers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from omegaconf.errors import OmegaConfBaseException
from omegaconf.grammar_visitor import GrammarVisitor

from framework.config.compose.bounds import MAX_RESOLVED_CHARACTERS
from framework.config.compose.interpolation import MISSING, InterpolationError, holds, parse
from framework.config.compose.paths import Parts, dotted, split
from framework.core.keypaths import flatten
from framework.core.words import closest, listed

_NONE_GIVEN = object()


class Tree(Protocol):
    """What is looked at: the tree as written, one instant for all, and the resolved value at a path."""

    raw: dict[str, Any]
    now: datetime

    def select(self, path: Parts) -> Any:
        """The resolved value at a path, or a KeyError."""

    def spend_text(self, characters: int) -> None:
        """Count what a text grows by."""


class Sight:
    """What one interpolation can see: the tree from where it stands, and the resolvers."""

    def __init__(self, resolver: Tree, path: Parts) -> None:
        self.resolver = resolver
        self.path = path
        self.missing = False
        self.characters = 0
        self.visitor = GrammarVisitor(self._node, self._call, memo=None)

    def evaluate(self, text: str) -> Any:
        """The value of a text."""
        tree = parse(text)
        try:
            value = self.visitor.visit(tree)
        except OmegaConfBaseException as error:
            raise InterpolationError(str(error).splitlines()[0], fix=f"{dotted(self.path)}=<a value>") from None
        return MISSING if self.missing else value

    def _node(self, key: str, _memo: object = None) -> Any:
        path = self._absolute(key)
        try:
            value = self.resolver.select(path)
        except KeyError:
            raise self._nothing(dotted(path)) from None
        if isinstance(value, str):
            self.missing = self.missing or value == MISSING
            self._read_text(len(value))
        return value

    def _read_text(self, characters: int) -> None:
        self.characters += characters
        self.resolver.spend_text(characters)
        if self.characters > MAX_RESOLVED_CHARACTERS:
            raise InterpolationError(
                f"interpolations make a text of more than {MAX_RESOLVED_CHARACTERS} characters",
                expected=f"at most {MAX_RESOLVED_CHARACTERS}",
                fix="write the text out, shorter",
            )

    def _absolute(self, key: str) -> Parts:
        bare = key.lstrip(".")
        parts = split(bare)
        climb = len(key) - len(bare)
        return (*self.path[: len(self.path) - climb], *parts) if climb else parts

    def _nothing(self, key: str) -> InterpolationError:
        known = [other for other, value in flatten(self.resolver.raw).items() if not holds(value)]
        same = [other for other in known if other.rpartition(".")[2] == key.rpartition(".")[2]]
        near = closest(key, known, cutoff=0.8) or (same[0] if same else None)
        return InterpolationError(
            f"the interpolation ${{{key}}} names a key that is not set",
            expected=f"a key that is set, such as {near}" if near else "a key that is set",
            fix=f"{dotted(self.path)}='${{{near}}}'" if near else f"{key}=<a value>",
        )

    def _call(self, name: str, args: tuple[Any, ...], args_str: tuple[str, ...]) -> Any:
        if name not in _RESOLVERS:
            raise InterpolationError(
                f"the resolver '{name}' is not available",
                expected=listed(_RESOLVERS),
                fix=f"{dotted(self.path)}=<the value itself>",
            )
        try:
            return _RESOLVERS[name](self, *args)
        except (TypeError, ValueError) as error:
            raise InterpolationError(
                f"${{{name}:{','.join(args_str)}}} cannot be evaluated: {error}",
                fix="see OmegaConf's built-in resolvers",
            ) from None

    def env(self, name: str, default: Any = _NONE_GIVEN) -> str | None:
        if name in os.environ:
            return os.environ[name]
        if default is _NONE_GIVEN:
            raise InterpolationError(
                f"the environment variable {name} is not set",
                expected=f"a value for {name}, or a default",
                fix=f"{name}=VALUE fw ..., or ${{oc.env:{name},DEFAULT}} in the recipe",
            )
        return None if default is None else str(default)

    def decode(self, text: str | None) -> Any:
        return None if text is None else self.visitor.visit(parse(text, "singleElement", "VALUE_MODE"))

    def select(self, key: str, default: Any = _NONE_GIVEN) -> Any:
        try:
            return self.resolver.select(self._absolute(key))
        except KeyError:
            if default is _NONE_GIVEN:
                return None
            return default

    def keys(self, key: str) -> list[Any]:
        return list(self._mapping(key))

    def values(self, key: str) -> list[Any]:
        return list(self._mapping(key).values())

    def _mapping(self, key: str) -> Mapping[str, Any]:
        value = self._node(key)
        if not isinstance(value, Mapping):
            raise ValueError(f"{key} is no mapping")
        return value

    def time(self, pattern: str) -> str:
        return self.resolver.now.strftime(pattern)

    def hydra(self, key: str) -> Any:
        from hydra.core.hydra_config import HydraConfig
        from omegaconf import OmegaConf

        if not HydraConfig.initialized():
            raise InterpolationError(
                "${hydra:...} has a value only in a job of a sweep", fix="run the sweep with -m, or leave it out"
            )
        return OmegaConf.select(HydraConfig.instance().cfg, f"hydra.{key}")  # pyright: ignore[reportArgumentType]


_RESOLVERS = {
    "oc.env": Sight.env,
    "oc.decode": Sight.decode,
    "oc.select": Sight.select,
    "oc.dict.keys": Sight.keys,
    "oc.dict.values": Sight.values,
    "now": Sight.time,
    "hydra": Sight.hydra,
}
