"""The base of every schema class, and the marks a field can carry.

A component is named in YAML by `type:`. Its schema class lists its arguments, their defaults and bounds, and the first
line of its docstring is what `fw list` prints. The function or Flax module of the same name in the room of its family
takes the same arguments by keyword; the contract tests compare the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from framework.core.errors import Problem


class Spec(BaseModel):
    """A frozen section of a recipe. Unknown keys are refused; numbers are not made out of strings or booleans."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True, defer_build=True)


class Component(Spec):
    """A section that names what it builds by `type`."""

    type: Any  # each component narrows it to one word; `str` would make that an error to type checkers

    family: ClassVar[str] = ""

    @classmethod
    def type_name(cls) -> str:
        """The word that YAML uses for this component."""
        return get_args(cls.model_fields["type"].annotation)[0]

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    def arguments(self) -> dict[str, Any]:
        """All fields but `type`, as keyword arguments for the function that the component names."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "type"}


@dataclass(frozen=True)
class TracedMark:
    """The field is a scalar that the compiled program takes as an input: changing it compiles nothing anew."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Mark the field in the JSON schema too."""
        return {**handler(core_schema), "traced": True}


@dataclass(frozen=True)
class WireMark:
    """The field holds a key path into {batch, outputs, intermediates, costs, params}, resolved at each step."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Mark the field in the JSON schema too."""
        return {**handler(core_schema), "wired": True}


class CrossFieldError(ValueError):
    """What a section's own validator found wrong between its fields, for pydantic to carry to the other problems.

    A validator may also raise a plain `ValueError`; `key: message` names the field that it is about.

    Args:
      problems: their keys are relative to the section that raises.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.key}: {problem.found}" for problem in problems))
        self.problems = problems


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number is expected, not a boolean")
    return value


def _freeze(value: Any) -> Any:
    return tuple(_freeze(item) for item in value) if isinstance(value, list | tuple) else value


Number = Annotated[float, BeforeValidator(_refuse_bool)]
"""A float; an integer is taken as one, a boolean or a string is not."""

Traced = Annotated[float, BeforeValidator(_refuse_bool), TracedMark()]
"""A float that is an input of the compiled program (see `TracedMark`)."""

KeyPath = Annotated[str, Field(pattern=r"^[A-Za-z_][\w\-]*(\.[\w\-]+)*$"), WireMark()]
"""A dotted key path, such as `outputs.logits` (see `WireMark`)."""

Frozen = Annotated[Any, AfterValidator(_freeze)]
"""Any plain value with its lists made tuples."""


def has_mark(field: FieldInfo, mark: type) -> bool:
    """Whether a field carries a mark, also when it is `Traced | None`."""
    if any(isinstance(item, mark) for item in field.metadata):
        return True
    return any(
        isinstance(item, mark) for option in get_args(field.annotation) for item in getattr(option, "__metadata__", ())
    )


def traced_values(spec: Spec, prefix: str) -> dict[str, float]:
    """Every traced scalar below `spec` that is set, by its dotted config key.

    A value of None is absent, and so is an exact zero of a field whose zero switches a mechanism off
    (`json_schema_extra={"zero_is_off": True}`): it is compiled away.
    """
    return dict(_traced(spec, prefix))


def _traced(value: Any, prefix: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Spec):
        for name, field in type(value).model_fields.items():
            item = getattr(value, name)
            if not has_mark(field, TracedMark):
                yield from _traced(item, f"{prefix}.{name}" if prefix else name)
            elif item is not None:
                extra = field.json_schema_extra
                off = isinstance(extra, dict) and bool(extra.get("zero_is_off")) and item == 0
                if not off:
                    yield (f"{prefix}.{name}" if prefix else name), float(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _traced(item, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _traced(item, f"{prefix}.{index}")


__all__ = [
    "Component",
    "CrossFieldError",
    "Frozen",
    "KeyPath",
    "Literal",
    "Number",
    "Spec",
    "Traced",
    "TracedMark",
    "WireMark",
    "has_mark",
    "traced_values",
]
