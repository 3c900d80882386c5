"""Methods that are traced with the forms of operations that a recipe asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from framework.lowering.choice import using

Method = TypeVar("Method", bound=Callable[..., Any])


def lowered(method: Method) -> Method:
    """The method, within which operations take the forms that its object's `choices` name."""

    @wraps(method)
    def within(self: Any, *given: Any, **named: Any) -> Any:
        with using(self.choices):
            return method(self, *given, **named)

    return cast("Method", within)
