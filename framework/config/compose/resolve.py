"""Resolve the interpolations of a composed tree, each once, within bounds and with a fixed set of resolvers.

OmegaConf's grammar and visitor read the texts. Its own resolution would follow a cycle until Python's stack ends, copy
a container each time it is read, and call any resolver that some library has registered; hence this one.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omegaconf.errors import OmegaConfBaseException
from omegaconf.grammar_visitor import GrammarVisitor

from framework.config.compose.bounds import (
    MAX_INTERPOLATION_CHAIN,
    MAX_NODES,
    MAX_RESOLVED_CHARACTERS,
    MAX_RESOLVED_TOTAL,
)
from framework.config.compose.document import Path_
from framework.config.compose.interpolation import InterpolationError, holds, parse
from framework.core.errors import Problem
from framework.core.keypaths import flatten
from framework.core.words import closest, listed

MISSING = "???"
"""OmegaConf's word for a value that must still be given."""

_NONE_GIVEN = object()


class Resolved:
    """A resolved tree.

    Attributes:
      tree: plain dicts, lists and scalars. A value that could not be resolved, or that reads a missing one, is `???`.
      texts: dotted key -> the text as written, of each value that held an interpolation.
      problems: one for each value that could not be resolved, without origins.
    """

    def __init__(self, tree: dict[str, Any]) -> None:
        self.texts: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.tree: dict[str, Any] = _Resolver(tree, self).whole()


class _TooMuchError(InterpolationError):
    """A bound on the whole tree is broken; nothing more is resolved."""


class _Resolver:
    def __init__(self, raw: dict[str, Any], result: Resolved) -> None:
        self.raw = raw
        self.result = result
        self.done: dict[Path_, Any] = {}
        self.active: list[Path_] = []
        self.failed: dict[Path_, InterpolationError] = {}
        self.told: set[InterpolationError] = set()
        self.nodes = 0
        self.characters = 0
        self.now = datetime.now()

    def whole(self) -> dict[str, Any]:
        try:
            return self._told((), self.raw)
        except _TooMuchError as error:
            self.result.problems.append(error.problem("the recipe"))
            return {}

    def _told(self, path: Path_, value: Any) -> Any:
        """The resolved value below a path, with a problem recorded for each text that cannot be resolved."""
        if isinstance(value, dict):
            return {key: self._told((*path, key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._told((*path, index), item) for index, item in enumerate(value)]
        if not holds(value):
            return value
        self.result.texts[dotted(path)] = value
        try:
            return self._interpolate(path, value)
        except _TooMuchError:
            raise
        except InterpolationError as error:
            if error not in self.told:
                self.told.add(error)
                self.result.problems.append(error.problem(error.key or dotted(path)))
            return MISSING

    def _plain(self, path: Path_, value: Any) -> Any:
        """The resolved value below a path, for another text that reads it."""
        if isinstance(value, dict):
            return {key: self._plain((*path, key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain((*path, index), item) for index, item in enumerate(value)]
        return self._interpolate(path, value) if holds(value) else value

    def _interpolate(self, path: Path_, text: str) -> Any:
        """The value of a text, evaluated once. A failure is kept too: what reads it fails for the same reason."""
        if path in self.done:
            return self.done[path]
        if path in self.failed:
            raise self.failed[path]
        self._check_chain(path)
        self.active.append(path)
        try:
            self.done[path] = _Sight(self, path).evaluate(text)
        except _TooMuchError:
            raise
        except InterpolationError as error:
            error.key = error.key or dotted(path)
            self.failed[path] = error
            raise
        except RecursionError:
            self.failed[path] = InterpolationError(
                "interpolations are nested too deep in one another", "a few levels", f"{dotted(path)}=<a value>"
            )
            raise self.failed[path] from None
        finally:
            self.active.pop()
        return self.done[path]

    def _check_chain(self, path: Path_) -> None:
        if path in self.active:
            circle = self.active[self.active.index(path) :]
            error = InterpolationError(
                f"interpolations go round in a circle: {' -> '.join(map(dotted, [*circle, path]))}",
                expected="a value at the end of the chain",
                fix=f"{dotted(path)}=<a value>",
            )
        elif len(self.active) >= MAX_INTERPOLATION_CHAIN:
            path = self.active[0]
            error = InterpolationError(
                f"more than {MAX_INTERPOLATION_CHAIN} interpolations read one another",
                expected=f"at most {MAX_INTERPOLATION_CHAIN} in a chain",
                fix="read the value itself",
            )
        else:
            return
        error.key = dotted(path)
        raise error

    def select(self, path: Path_) -> Any:
        """The resolved value at a path, a copy of its own where it is a list or a mapping.

        Raises:
          KeyError: nothing stands there.
          InterpolationError: it cannot be resolved.
        """
        value: Any = self.raw
        for depth, part in enumerate(path):
            if holds(value):
                value = self._interpolate(path[:depth], value)
            value = _child(value, part)
        value = self._plain(path, value)
        if isinstance(value, dict | list):
            self._spend(nodes=_count(value))
            return copy.deepcopy(value)
        return value

    def _spend(self, nodes: int = 0, characters: int = 0) -> None:
        """Count what interpolations copy. The sum is bounded, so that the work is, whatever reads whatever."""
        self.nodes += nodes
        self.characters += characters
        if self.nodes > MAX_NODES:
            raise _TooMuchError(
                f"interpolations copy more than {MAX_NODES} values",
                expected=f"at most {MAX_NODES}",
                fix="use `repeat:` for stacks of layers",
            )
        if self.characters > MAX_RESOLVED_TOTAL:
            raise _TooMuchError(
                f"interpolations make more than {MAX_RESOLVED_TOTAL} characters of text",
                expected=f"at most {MAX_RESOLVED_TOTAL}",
                fix="keep texts short, or in files of their own",
            )

    def spend_text(self, characters: int) -> None:
        """Count what a text grows by."""
        self._spend(characters=characters)


class _Sight:
    """What one interpolation can see: the tree from where it stands, and the resolvers."""

    def __init__(self, resolver: _Resolver, path: Path_) -> None:
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

    def _absolute(self, key: str) -> Path_:
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
    "oc.env": _Sight.env,
    "oc.decode": _Sight.decode,
    "oc.select": _Sight.select,
    "oc.dict.keys": _Sight.keys,
    "oc.dict.values": _Sight.values,
    "now": _Sight.time,
    "hydra": _Sight.hydra,
}


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1


def _child(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value[str(part)]
    if isinstance(value, list) and str(part).lstrip("-").isdigit() and -len(value) <= int(part) < len(value):
        return value[int(part)]
    raise KeyError(part)


def split(key: str) -> Path_:
    """`a.b[0].c` -> ("a", "b", "0", "c")."""
    return tuple(part for part in key.replace("[", ".").replace("]", "").split(".") if part)


def dotted(path: Path_) -> str:
    """A path as one dotted key."""
    return ".".join(str(part) for part in path)
