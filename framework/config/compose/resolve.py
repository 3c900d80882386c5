"""Resolve the interpolations of a composed tree, each once, within bounds and with a fixed set of resolvers.

OmegaConf's grammar and visitor read the texts. Its own resolution would follow a cycle until Python's stack ends, copy
a container each time it is read, and call any resolver that some library has registered; hence this one.
"""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from framework.config.compose.bounds import MAX_INTERPOLATION_CHAIN, MAX_NODES, MAX_RESOLVED_TOTAL
from framework.config.compose.interpolation import MISSING, InterpolationError, holds
from framework.config.compose.paths import Parts, dotted
from framework.config.compose.sight import Sight
from framework.core.errors import Problem


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
        self.done: dict[Parts, Any] = {}
        self.active: list[Parts] = []
        self.failed: dict[Parts, InterpolationError] = {}
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

    def _told(self, path: Parts, value: Any) -> Any:
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

    def _plain(self, path: Parts, value: Any) -> Any:
        """The resolved value below a path, for another text that reads it."""
        if isinstance(value, dict):
            return {key: self._plain((*path, key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._plain((*path, index), item) for index, item in enumerate(value)]
        return self._interpolate(path, value) if holds(value) else value

    def _interpolate(self, path: Parts, text: str) -> Any:
        """The value of a text, evaluated once. A failure is kept too: what reads it fails for the same reason."""
        if path in self.done:
            return self.done[path]
        if path in self.failed:
            raise self.failed[path]
        self._check_chain(path)
        self.active.append(path)
        try:
            self.done[path] = Sight(self, path).evaluate(text)
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

    def _check_chain(self, path: Parts) -> None:
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

    def select(self, path: Parts) -> Any:
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
