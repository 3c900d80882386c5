"""What there is to choose from: recipes, networks, and every component with its arguments."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from framework.config.schema.base import Spec
from framework.config.schema.layers.base import LayerSpec
from framework.core.errors import ConfigError, Problem
from framework.core.familiar_components import familiar_component
from framework.core.words import closest, listed
from framework.inspect.components import family
from framework.inspect.fields import Argument, arguments

KINDS: dict[str, str] = {
    "recipes": "complete runs, for `fw run` and the other verbs",
    "networks": "ready-made networks, for network=NAME",
    "layers": "operations of the network language",
    "losses": "what is minimised",
    "metrics": "what is reported",
    "optimizers": "how parameters follow their gradients, for optimizer=NAME",
    "schedules": "how the learning rate changes, for optimizer.schedule.type=NAME",
    "data": "sources of examples, for data=NAME",
}

_FAMILIES = {"layers": "layer", "losses": "loss", "metrics": "metric", "optimizers": "optimizer"}
_FAMILIES |= {"schedules": "schedule", "data": "data"}

_SLIP = 0.85
"""How alike a word and a name must be, from 0 to 1, to be taken for one another: a letter or two in ten differ."""


@dataclass(frozen=True)
class Item:
    """One thing to choose.

    Attributes:
      name: the word to type.
      summary: one line.
      text: all that is written about it: a docstring, or the header of a recipe's file.
      file: the file of a recipe or network.
      schema: the schema class of a component.
    """

    name: str
    summary: str
    text: str = ""
    file: Path | None = None
    schema: type[Spec] | None = None

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """A component's arguments; nothing for a file."""
        return arguments(self.schema) if self.schema else ()

    @property
    def shape(self) -> str:
        """The shapes in and out of a layer; nothing for other things."""
        return self.schema.shape if self.schema and issubclass(self.schema, LayerSpec) else ""


def items(kind: str, config_dirs: Sequence[str] = ()) -> tuple[Item, ...]:
    """Everything of a kind, in the order of the catalogue.

    Args:
      kind: a key of `KINDS`.
      config_dirs: the user's own folders of recipes and networks.
    """
    if kind in ("recipes", "networks"):
        return _files(kind, config_dirs)
    return tuple(
        Item(name, schema.summary(), _docstring(schema), None, schema)
        for name, schema in family(_FAMILIES[kind]).items()
    )


def find(kind: str, name: str, config_dirs: Sequence[str] = ()) -> Item:
    """The item of a kind that has this name, that other libraries call so, or whose name it plainly is but for a slip.

    Raises:
      ConfigError: there is none; the closest is named.
    """
    known = {item.name: item for item in items(kind, config_dirs)}
    found = name if name in known else familiar_component(kind, name, known) or _slip(name, known)
    if found is not None:
        return known[found]
    near = closest(name, known)
    fix = f"fw list {kind} {near}" if near else f"fw list {kind}"
    raise ConfigError(Problem(f"fw list {kind}", f"nothing is called '{name}'", expected=listed(known), fix=fix))


def _slip(word: str, known: Iterable[str]) -> str | None:
    """The one known word that is as good as `word`; None where there is none, or another is nearly as close."""
    near = difflib.get_close_matches(word.casefold(), list(known), n=2, cutoff=_SLIP)
    return near[0] if len(near) == 1 else None


def example(item: Item) -> str:
    """How a recipe writes a layer or component, with a made-up value for each argument that is required."""
    required = {argument.name: _sample(argument) for argument in item.arguments if argument.default == "required"}
    if item.shape:
        if not required:
            return f"my_node: {item.name}"
        inner = ", ".join(f"{name}: {value}" for name, value in required.items())
        return f"my_node: {{{item.name}: {{{inner}}}}}"
    inner = ", ".join(f"{name}: {value}" for name, value in ({"type": item.name} | required).items())
    return f"{{{inner}}}"


def _sample(argument: Argument) -> str:
    for start, value in _SAMPLES.items():
        if argument.kind.startswith(start):
            return value
    return "..."


_SAMPLES: Mapping[str, str] = {"int": "64", "float": "0.1", "bool": "true", "key path": "batch.label", "list": "[1, 2]"}


def _docstring(schema: type[Spec]) -> str:
    from inspect import cleandoc

    return cleandoc(schema.__doc__ or "")


def _files(kind: str, config_dirs: Sequence[str]) -> tuple[Item, ...]:
    return _recipes(config_dirs) if kind == "recipes" else _networks(config_dirs)


def _recipes(config_dirs: Sequence[str]) -> tuple[Item, ...]:
    from framework.config.compose import recipes

    entries = recipes(config_dirs)
    names = [entry.name for entry in entries]
    return tuple(
        Item(
            entry.name if names.count(entry.name) == 1 else entry.identity,
            _first(entry.header),
            entry.header,
            entry.file,
        )
        for entry in entries
    )


def _networks(config_dirs: Sequence[str]) -> tuple[Item, ...]:
    from framework.config.compose import groups
    from framework.config.compose.document import comment_header
    from framework.config.compose.roots import roots

    folders = [root.path / "network" for root in roots(config_dirs) if root.kind == "configs"]
    found = []
    for name in groups(config_dirs).get("network", []):
        file = next(path for folder in folders if (path := folder / f"{name}.yaml").is_file())
        header = comment_header(file.read_text(encoding="utf-8", errors="replace"))
        found.append(Item(name, _first(header), header, file))
    return tuple(found)


def _first(header: str) -> str:
    return header.partition("\n")[0]
