"""Components of a user's own: `_target_` names a function or class to import, the other words are its arguments.

Which names may be imported at all is decided where the recipe is composed (`--trust`), by the key `_target_`; so a
section is written back under that key too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field, SerializeAsAny, WrapValidator, model_serializer

from framework.config.schema.base import CrossFieldError, KeyPath, Spec
from framework.core.errors import Problem

TARGET = "_target_"
_OWN = ("type", "target", "options")


class Own(Spec):
    """What every component of a user's own has."""

    target: str = Field(description="the dotted name of a function or class")
    options: dict[str, Any] = Field(default_factory=dict, description="its keyword arguments")

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> Own:
        """The component that a section with `_target_` declares.

        Raises:
          CrossFieldError: it has a `type` too.
        """
        if "type" in section:
            found = f"found {section['type']!r} beside {TARGET}: {section[TARGET]}"
            raise CrossFieldError(Problem("type", found, "one of them", fix=f"a section of its own for the {TARGET}"))
        fields = [name for name in cls.model_fields if name not in _OWN]
        options = {name: value for name, value in section.items() if name != TARGET and name not in fields}
        kept = {name: section[name] for name in fields if name in section}
        return cls.model_validate({**kept, "target": section[TARGET], "options": options})

    @model_serializer(mode="plain")
    def _as_written(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in type(self).model_fields if name not in _OWN}
        plain = {name: value.model_dump() if isinstance(value, Spec) else value for name, value in fields.items()}
        return {TARGET: self.target, **{name: value for name, value in plain.items() if value != {}}, **self.options}


class Wired(Own):
    """A loss or metric of a user's own, which reads outputs and batch, or the arrays that `inputs` names."""

    inputs: dict[str, KeyPath] = Field(
        default_factory=dict, description="argument -> key path; none: the function takes (outputs, batch)"
    )


class OrOwn:
    """Marks a union of components that a section with `_target_` may stand for, in the schema for editors."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """The schema of the union, or a mapping with `_target_`."""
        own = {
            "type": "object",
            "properties": {TARGET: {"type": "string", "description": "your own code: package.module.name"}},
            "required": [TARGET],
        }
        return {"anyOf": [handler(core_schema), own]}


def or_own(model: type[Own]) -> tuple[WrapValidator, SerializeAsAny, OrOwn]:
    """What lets a section with `_target_` be a `model`, in place of the components that `type` tells apart."""

    def read(value: Any, handler: Callable[[Any], Any]) -> Any:
        return model.read(value) if isinstance(value, Mapping) and TARGET in value else handler(value)

    return WrapValidator(read), SerializeAsAny(), OrOwn()  # pyright: ignore[reportCallIssue] - an alias to it
