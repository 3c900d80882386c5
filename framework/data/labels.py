"""Class labels: what the data holds checked against what the recipe declares."""

from __future__ import annotations

from framework.core.errors import DataError, Problem


def require_classes(declared: int, actual: int, what: str) -> None:
    """Refuse a number of classes that the data does not have.

    Raises:
      DataError: `declared` is not `actual`.
    """
    if declared != actual:
        raise DataError(
            Problem(
                key="data.classes",
                found=f"{declared} classes are declared, but {what} has {actual}",
                expected=str(actual),
                fix=f"data.classes={actual}",
            )
        )
