"""Programs that are found again by what they were made from, so that nothing is traced.

JAX's own cache is asked with a program's text, for which it must be traced and lowered first: for a small network more
than half of the time until its first step. Here programs have two names. One is a fingerprint of everything that the
text depends on, and leads to the other, a digest of the text; so a recipe that was changed in something that no program
sees is traced once more, but not compiled. Beside programs there may be values that tracing told, such as the shapes of
a state.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from framework.runtime.fingerprint import digest, fingerprint, settings
from framework.runtime.store import Store

PREFIX = "kept_"
"""Names of functions that are kept here begin so.

JAX must not find them in its own cache: what it loads from there cannot be written down again. XLA's CPU client then
leaves out some of the program's kernels, which shows only when it runs.
"""
_MOST_ENTRIES = 512


def kept(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function under a name that begins with `PREFIX`, for `jax.jit` and then `Known.program`."""

    def call(*arguments: Any) -> Any:
        return function(*arguments)

    call.__name__ = f"{PREFIX}{name}"
    return call


class Known:
    """What was made from the same parts before.

    Args:
      folder: of the recipe's programs.
      private: the folder of JAX's own cache in this process.
      parts: what programs are made from: two recipes with the same parts have the same programs.
    """

    def __init__(self, folder: Path, private: Path, *parts: str) -> None:
        self._folder = folder
        self._private = private
        self._store = Store(folder, most_entries=_MOST_ENTRIES)
        self._parts = parts

    def within(self, *parts: str) -> Known:
        """The same with more parts."""
        return Known(self._folder, self._private, *self._parts, *parts)

    def value(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` made under this name before, or makes now; it must be able to be pickled."""
        entry = fingerprint(*self._parts, name)
        content = self._store.get(entry)
        if content is not None:
            return pickle.loads(content)
        made = make()
        self._put(entry, pickle.dumps(made))
        return made

    def program(self, jitted: Any, arguments: tuple[Any, ...], devices: Sequence[Any]) -> Callable[..., Any]:
        """A compiled function.

        Args:
          jitted: what `jax.jit` made of a function from `kept`.
          arguments: arrays, or `jax.ShapeDtypeStruct`s.
          devices: that run it.
        """
        leaves, tree = jax.tree.flatten((arguments, {}))
        shapes = [(leaf.shape, str(leaf.dtype), getattr(leaf, "weak_type", False)) for leaf in leaves]
        first = fingerprint(*self._parts, jitted.__name__, str(tree), str(shapes))
        second = self._store.get(first)
        if second is not None and (found := self._loaded(second.decode(), tree, devices)) is not None:
            return found
        lowered = jitted.lower(*arguments)
        text = digest(settings(), lowered.as_text(), str(tree), str(shapes))
        found = self._loaded(text, tree, devices)
        if found is None:
            self._forget_in_jax(jitted.__name__)
            found = lowered.compile()
            try:
                executable, _, results = serialize_executable.serialize(found)
                content = pickle.dumps((executable, results))
            except (ValueError, TypeError, AttributeError, NotImplementedError, pickle.PicklingError):
                return found  # a kind of program that cannot be written down
            self._put(text, content)
        self._put(first, text.encode())
        return found

    def _loaded(self, entry: str, tree: Any, devices: Sequence[Any]) -> Callable[..., Any] | None:
        content = self._store.get(entry)
        if content is None:
            return None
        executable, results = pickle.loads(content)
        client = devices[0].client
        try:
            return serialize_executable.deserialize_and_load(executable, tree, results, client, tuple(devices))
        except jax.errors.JaxRuntimeError:
            return None  # not for this machine after all: it is compiled again and written over

    def _forget_in_jax(self, name: str) -> None:
        for path in self._private.glob(f"jit_{name}-*"):
            path.unlink(missing_ok=True)

    def _put(self, entry: str, content: bytes) -> None:
        try:
            self._store.put(entry, content)
        except OSError:
            return  # no room: it is made again the next time
