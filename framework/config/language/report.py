"""The list that mistakes and warnings are put on while a network is elaborated, so that all are told at once."""

from __future__ import annotations

from framework.core.errors import ConfigError, Problem


class Report:
    """Mistakes and warnings in the order found, each once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._warnings: dict[str, None] = {}

    def problem(self, key: str, found: str, expected: str | None = None, fix: str | None = None) -> None:
        """Note a mistake."""
        self._problems[Problem(key=key, found=found, expected=expected, fix=fix)] = None

    def warn(self, key: str, text: str) -> None:
        """Note something that is suspicious but not wrong."""
        self._warnings[f"{key}: {text}"] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings, each one sentence that begins with its key."""
        return tuple(self._warnings)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The mistakes."""
        return tuple(self._problems)

    def raise_if_any(self, subject: str = "") -> None:
        """Tell all mistakes.

        Raises:
          ConfigError: there is at least one.
        """
        if self._problems:
            raise ConfigError(self._problems, subject)
