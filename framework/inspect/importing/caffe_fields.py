"""The fields of one message of a prototxt, read by name; what nobody reads is a problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from framework.core.errors import Problem
from framework.core.words import closest
from framework.inspect.importing.text_format import Message, Scalar

_OF_ANY_LAYER = {
    *("name", "type", "bottom", "top", "phase", "include", "exclude", "loss_weight", "propagate_down", "blobs"),
    *("blob_share_mode", "transform_param", "loss_param"),
}


@dataclass
class Fields:
    """The fields of a message.

    Attributes:
      held: the message.
      title: what errors call it: the layer's name and type, and the message in it.
      file: what errors call the file.
      problems: where mistakes are put.
      read: the names that were asked for.
    """

    held: Message
    title: str
    file: str
    problems: list[Problem]
    read: set[str] = field(default_factory=set)

    def problem(self, found: str, expected: str, fix: str | None = None, line: int | None = None) -> None:
        """A mistake in this message."""
        origin = f"{self.file}:{line or self.held.line}"
        told = Problem(self.title, found, expected, origin, fix)
        if told not in self.problems:
            self.problems.append(told)

    def many(self, name: str) -> list[Scalar]:
        """All values of a repeated field."""
        self.read.add(name)
        values: list[Scalar] = []
        for entry in self.held.entries:
            if entry.name != name:
                continue
            if isinstance(entry.value, Message):
                self.problem(f"'{name}' is a message", "a value", line=entry.line)
            else:
                values.append(entry.value)
        return values

    def one(self, name: str, default: Any) -> Any:
        """The value of a field, of the kind that its default has; the last one counts, as for protocol buffers."""
        values = self.many(name)
        if not values:
            return default
        value = values[-1]
        kinds = {bool: bool, int: int, float: (int, float), str: str}
        kind = kinds.get(type(default), object)
        if not isinstance(value, kind) or (isinstance(value, bool) and not isinstance(default, bool)):
            names = {bool: "true or false", int: "an integer", float: "a number", str: "a word"}
            told = f"{value!r}" if isinstance(value, str) else f"{value}"
            self.problem(f"{name}: {told}", names[type(default)], line=self.line(name))
            return default
        return float(value) if isinstance(default, float) else value

    def line(self, name: str) -> int:
        """Where a field stands."""
        return next((entry.line for entry in self.held.entries if entry.name == name), self.held.line)

    def has(self, name: str) -> bool:
        """Whether a field is given."""
        return any(entry.name == name for entry in self.held.entries)

    def messages(self, name: str) -> list[Message]:
        """All messages in a repeated field."""
        self.read.add(name)
        return [e.value for e in self.held.entries if e.name == name and isinstance(e.value, Message)]

    def submessages(self, name: str) -> list[Fields]:
        """All messages in a repeated field, as fields."""
        return [Fields(one, f"{self.title} {name}", self.file, self.problems) for one in self.messages(name)]

    def message_or_none(self, name: str) -> Fields | None:
        """The message in a field, if it is given."""
        found = self.submessages(name)
        return found[-1] if found else None

    def message(self, name: str) -> Fields:
        """The message in a field; an empty one where it is not given."""
        return self.message_or_none(name) or Fields(
            Message((), self.held.line), f"{self.title} {name}", self.file, self.problems
        )

    def ignore(self) -> None:
        """What a layer has besides its own parameters is dealt with elsewhere."""
        self.read.update(_OF_ANY_LAYER)

    def ignore_all(self) -> None:
        """Nothing more of this message is read on purpose."""
        self.read.update(entry.name for entry in self.held.entries)

    def refuse_rest(self) -> None:
        """Tell every field that nobody asked for."""
        for entry in self.held.entries:
            if entry.name not in self.read:
                near = closest(entry.name, self.read)
                self.problem(
                    f"'{entry.name}' cannot be imported" + (f" (did you mean '{near}'?)" if near else ""),
                    f"fields: {', '.join(sorted(self.read)) or 'none'}",
                    line=entry.line,
                )
                self.read.add(entry.name)
