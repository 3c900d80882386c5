"""`_target_` names code to import. It is refused, unimported, unless the user has said that the code is theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from framework.config.compose.interpolation import MISSING
from framework.config.compose.paths import Parts, dotted
from framework.core.errors import Problem

TARGET = "_target_"


def untrusted(tree: Any, trust: Sequence[str]) -> list[Problem]:
    """A problem for each `_target_` whose dotted name no trusted prefix covers.

    A prefix covers whole components: `my_pkg` trusts `my_pkg.layers.Conv`, but not `my_pkg_evil.Conv`. The word
    `hydra` in `trust` is about `hydra:` nodes, not about what Hydra's package could be made to call. Nothing is
    imported to find out.
    """
    prefixes = [prefix for prefix in trust if prefix not in ("", "hydra")]
    return [problem for path, name in targets(tree) if (problem := _check(dotted(path), name, prefixes))]


def targets(value: Any, path: Parts = ()) -> Iterator[tuple[Parts, Any]]:
    """Every `_target_` in a tree, in mappings and in lists, with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == TARGET:
                yield (*path, key), item
            else:
                yield from targets(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from targets(item, (*path, index))


def _check(key: str, name: Any, trust: Sequence[str]) -> Problem | None:
    if name == MISSING:
        return None  # told as a value that must be given
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")) or "." not in name:
        return Problem(
            key,
            f"{name!r} names no class or function",
            "a dotted name, such as my_pkg.MyLayer",
            fix=f"{key}=my_pkg.MyLayer",
        )
    if any(name == prefix or name.startswith(f"{prefix}.") for prefix in trust):
        return None
    package = name.split(".")[0]
    return Problem(
        key,
        f"'{name}' is not trusted, so it was not imported",
        expected=f"a name that begins with {' or '.join(trust)}"
        if trust
        else "no _target_ in a recipe that you do not trust",
        fix=f"--trust {package}, if {package} is your own code",
    )
