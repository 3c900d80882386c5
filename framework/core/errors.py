"""Errors for a user's mistake: what was found, what was expected, where it came from and what to type instead.

This module never imports JAX, so a failing validation can be told in a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace


class FrameworkError(Exception):
    """The base of all errors that this package raises on purpose. `exit_code` is what `fw` ends with."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One mistake, in the words its author needs to mend it.

    Attributes:
      key: the dotted config key, or the thing at fault where no key is (`recipe`, `--trust`).
      found: what is wrong with what was found, e.g. `unknown value 'cosin'`.
      expected: what would have been right.
      origin: the file and line, or the override, that set it; filled in by `located` where left empty.
      fix: the exact override or the change that mends it.
      suspects: other keys that bear on it. Where one of them was overridden by hand, that is the likeliest cause, and
        `located` puts the blame there.
    """

    key: str
    found: str
    expected: str | None = None
    origin: str | None = None
    fix: str | None = None
    suspects: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.key}: {self.found}"]
        for label, text in (("expected:", self.expected), ("came from:", self.origin), ("fix:", self.fix)):
            if text:
                first, *rest = text.splitlines()
                lines.append(f"  {label:<10} {first}")
                lines.extend(f"  {'':<10} {line}" for line in rest)
        return "\n".join(lines)


class ConfigError(FrameworkError):
    """One or more mistakes in a recipe, an override, a network or a data set, all told at once."""

    def __init__(self, problems: Problem | Iterable[Problem], subject: str = "") -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.subject = subject
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.subject} has {count} problem{'s' if count != 1 else ''}\n" if self.subject else ""
        return head + "\n".join(str(problem) for problem in self.problems)

    def located(self, origins: Mapping[str, str], subject: str = "") -> ConfigError:
        """The same error with each missing origin looked up by key, or by the nearest enclosing key that has one."""
        return ConfigError((_locate(problem, origins) for problem in self.problems), subject or self.subject)


def _locate(problem: Problem, origins: Mapping[str, str]) -> Problem:
    if problem.origin is not None:
        return problem
    for key in (problem.key, *problem.suspects):
        if origins.get(key, "").startswith("override "):
            return replace(problem, key=key, origin=origins[key])
    key = problem.key
    while key:
        if key in origins:
            return replace(problem, origin=origins[key])
        key = key.rpartition(".")[0]
    return problem


class DataError(ConfigError):
    """The data is not what the recipe says: a missing file, an empty split, a label outside its classes."""


class RunError(FrameworkError):
    """A run directory cannot be used: locked by another process, of another recipe, damaged, or incomplete."""


class Interrupted(FrameworkError):  # noqa: N818 - it is not an error
    """The run was asked to stop (SIGINT or SIGTERM) and saved itself first."""

    exit_code = 130

    def __init__(self, message: str, signal_number: int = 2) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
