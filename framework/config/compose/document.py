"""One YAML file, read within bounds: its value, and the line on which each key stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.tokens import ScalarToken

from framework.config.compose.bounds import MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES
from framework.core.errors import ConfigError, Problem

Path_ = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_KINDS = {
    f"{_TAG}bool": "a boolean",
    f"{_TAG}int": "a whole number",
    f"{_TAG}float": "a number",
    f"{_TAG}null": "null",
}
_TAGS = {*_KINDS, f"{_TAG}str", f"{_TAG}map", f"{_TAG}seq", f"{_TAG}merge"}
_MERGE = f"{_TAG}merge"


@dataclass(frozen=True)
class Document:
    """A YAML file as read.

    Attributes:
      shown: the file's name as errors print it.
      value: plain dicts, lists and scalars.
      lines: path of keys and indices -> line, counted from 1.
      texts: path of a boolean, number or null -> its text as written, where that is not how we would write it.
      header: the leading block of comments, without the `#` signs.
    """

    shown: str
    value: Any
    lines: dict[Path_, int] = field(default_factory=dict)
    texts: dict[Path_, str] = field(default_factory=dict)
    header: str = ""

    def origin(self, path: Path_ = ()) -> str:
        """`file.yaml:12` of the key at `path`, or of the nearest key around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.shown}:{self.lines.get(path, 1)}"


def read(path: Path, shown: str) -> Document:
    """Read a YAML file as OmegaConf would, but within bounds and refusing what it would silently take.

    The file's size is checked before it is read; depth, count of nodes and expansion of aliases while the parser's
    events stream in, before any value is made. Duplicate keys, keys that are no text, and tags that name Python
    objects are refused.

    Raises:
      ConfigError: the file cannot be read, breaks a bound, or is not such YAML. All of the latter at once.
    """
    text = _text(path, shown)
    try:
        root = _BoundedLoader(text, shown).get_single_node()
    except yaml.YAMLError as error:
        raise ConfigError(_syntax(error, shown)) from None
    document = Document(shown, value=None, header=comment_header(text))
    if root is None:
        return document
    reader = _Reader(document)
    document = Document(shown, reader.value(root, ()), document.lines, document.texts, document.header)
    if reader.problems:
        raise ConfigError(reader.problems)
    return document


def comment_header(text: str) -> str:
    """The comment lines at the top of a file, without `#`; Hydra's `@package` and an editor's directives left out."""
    lines = []
    for line in text.lstrip("\ufeff").splitlines():
        stripped = line.strip()
        if not stripped.startswith("#"):
            break
        content = stripped[1:]
        if not content.strip().startswith(("@", "yaml-language-server:")):
            lines.append(content.removeprefix(" ").rstrip())
    return "\n".join(lines).strip("\n")


def _text(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            Problem(shown, f"cannot be read: {reason}", fix="check the path and its permissions")
        ) from None
    if len(data) > MAX_FILE_BYTES:
        size = path.stat().st_size
        raise ConfigError(
            Problem(
                shown,
                f"the file has {size} bytes",
                expected=f"at most {MAX_FILE_BYTES} bytes of YAML",
                fix="keep data in data files and name them in the recipe",
            )
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            Problem(
                shown,
                f"byte {error.start} is not UTF-8",
                expected="UTF-8 text",
                origin=f"{shown}:{line}",
                fix="save the file as UTF-8",
            )
        ) from None


@dataclass
class _Open:
    """A node whose end has not come yet: its anchor, and how many levels its finished children have."""

    anchor: str | None
    total_before: int
    levels: int = 0


class _BoundedLoader(yaml.SafeLoader):
    """PyYAML's own loader, as OmegaConf uses it, which counts while it composes and stops at the first broken bound.

    One thing it reads beyond that: `???` inside braces, as in `{features: ???}`. YAML 1.2 and editors take it for
    text (a `?` without a space after it); PyYAML, which follows YAML 1.1, only does so outside braces.
    """

    yaml_implicit_resolvers = get_yaml_loader().yaml_implicit_resolvers

    def __init__(self, text: str, shown: str) -> None:
        super().__init__(text)
        self.shown = shown
        self._total = 0
        self._open: list[_Open] = []
        self._measures: dict[str, tuple[int, int]] = {}

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """One node with everything below it. An alias counts for as much as what it stands for."""
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            if any(item.anchor == event.anchor for item in self._open):
                raise ConfigError(_inside_itself(self.shown, event))
            nodes, levels = self._measures.get(event.anchor, (1, 1))
            self._count(nodes, levels, event)
            return super().compose_node(parent, index)
        self._open.append(_Open(event.anchor, self._total))
        self._count(1, 0, event)
        node = super().compose_node(parent, index)
        done = self._open.pop()
        levels = done.levels + 1
        if self._open:
            self._open[-1].levels = max(self._open[-1].levels, levels)
        if done.anchor:
            self._measures[done.anchor] = (self._total - done.total_before, levels)
        return node

    def check_key(self) -> bool:
        """Whether a `?` begins a complex key here."""
        return super().check_key() and not self._at_missing()

    def check_plain(self) -> bool:
        """Whether plain text begins here."""
        return super().check_plain() or self._at_missing()

    def scan_plain(self) -> ScalarToken:
        """One plain text."""
        if not self._at_missing():
            return super().scan_plain()
        self.allow_simple_key = False
        start = self.get_mark()
        self.forward(3)
        return ScalarToken("???", True, start, self.get_mark())

    def _at_missing(self) -> bool:
        return self.flow_level > 0 and self.prefix(3) == "???" and self.peek(3) in "\0 \t\r\n\x85\u2028\u2029,[]{}"

    def _count(self, nodes: int, levels: int, event: Any) -> None:
        self._total += nodes
        origin = f"{self.shown}:{event.start_mark.line + 1}"
        if len(self._open) + levels > MAX_DEPTH:
            raise ConfigError(_too_deep(self.shown, origin))
        if self._total > MAX_NODES:
            raise ConfigError(_too_many(self.shown, origin, isinstance(event, yaml.AliasEvent)))


def _inside_itself(shown: str, event: Any) -> Problem:
    return Problem(
        shown,
        f"the alias *{event.anchor} stands inside its own anchor",
        expected="aliases of what is complete",
        origin=f"{shown}:{event.start_mark.line + 1}",
        fix=f"write out what *{event.anchor} should be",
    )


def _too_many(shown: str, origin: str, aliased: bool) -> Problem:
    return Problem(
        shown,
        f"{'its aliases expand to' if aliased else 'it holds'} more than {MAX_NODES} values",
        expected=f"at most {MAX_NODES} values, aliases written out",
        origin=origin,
        fix="use `repeat:` for stacks of layers, and data files for data",
    )


def _too_deep(shown: str, origin: str) -> Problem:
    return Problem(
        shown,
        f"mappings and lists are nested more than {MAX_DEPTH} deep",
        expected=f"at most {MAX_DEPTH} levels, aliases written out",
        origin=origin,
        fix="name inner parts as blocks and use them by name",
    )


class _Reader:
    """Makes plain values out of a node tree, noting lines and mistakes on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._scalars = _BoundedLoader("", document.shown)

    def value(self, node: Node, path: Path_) -> Any:
        if node.tag not in _TAGS:
            self._problem(
                path,
                node,
                f"the tag {_short(node.tag)} is not plain YAML",
                "mappings, lists, text, numbers, booleans, null",
                "remove the tag",
            )
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                self.document.lines[(*path, index)] = item.start_mark.line + 1
                items.append(self.value(item, (*path, index)))
            return items
        return self._scalar(node, path)

    def _scalar(self, node: Node, path: Path_) -> Any:
        try:
            value = self._scalars.construct_object(node)
        except (ValueError, KeyError, yaml.YAMLError):
            kind = _KINDS.get(node.tag, "a value")
            self._problem(
                path, node, f"'{node.value}' looks like {kind} but is none", kind, f"'{node.value}' in quotes, for text"
            )
            return None
        if node.tag in _KINDS and node.value not in (str(value), "true", "false", "null"):
            self.document.texts[path] = node.value
        return value

    def _mapping(self, node: MappingNode, path: Path_) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or key_node.tag not in (f"{_TAG}str", _MERGE):
                self._bad_key(key_node, path)
                continue
            key = key_node.value
            if key in first:
                self._problem(
                    (*path, key),
                    key_node,
                    f"set twice, on line {first[key]} and on line {line}",
                    "each key once",
                    "keep one of the two lines",
                )
                continue
            first[key] = line
            if key_node.tag == _MERGE:
                merged = self._merged(value_node, path)
            else:
                self.document.lines[(*path, key)] = line
                own[key] = self.value(value_node, (*path, key))
        return {**merged, **own}

    def _merged(self, node: Node, path: Path_) -> dict[str, Any]:
        """What `<<: *anchor` or `<<: [*one, *two]` brings; of two, the earlier wins, and the own keys over both."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        result: dict[str, Any] = {}
        for source in reversed(sources):
            if not isinstance(source, MappingNode):
                self._problem(
                    path, node, "`<<` merges something that is no mapping", "an alias of a mapping", "remove the line"
                )
                return {}
            result.update(self._mapping(source, path))
        return result

    def _bad_key(self, node: Node, path: Path_) -> None:
        if isinstance(node, ScalarNode):
            found = f"the key {node.value} is read as {_KINDS.get(node.tag, 'no text')}"
            self._problem((*path, str(node.value)), node, found, "keys that are text", f"'{node.value}': in quotes")
        else:
            self._problem(
                path,
                node,
                "a key is itself a mapping or a list",
                "keys that are text",
                "write a plain word before the colon",
            )

    def _problem(self, path: Path_, node: Node, found: str, expected: str, fix: str) -> None:
        key = ".".join(str(part) for part in path) or self.document.shown
        origin = f"{self.document.shown}:{node.start_mark.line + 1}"
        self.problems.append(Problem(key, found, expected, origin, fix))


def _short(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag


def _syntax(error: yaml.YAMLError, shown: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        reason = getattr(error, "reason", None) or str(error)
        return Problem(shown, f"is not YAML: {reason}", expected="YAML", fix="remove the character")
    what = getattr(error, "problem", None) or getattr(error, "context", None) or "unreadable"
    context = getattr(error, "context", None)
    found = f"is not YAML at line {mark.line + 1}, column {mark.column + 1}: {what}"
    return Problem(
        shown,
        f"{found} ({context})" if context and context != what else found,
        expected="one YAML mapping",
        origin=f"{shown}:{mark.line + 1}",
        fix=_syntax_hint(str(what), f"{what} {context}"),
    )


def _syntax_hint(what: str, everything: str) -> str:
    for clue, hint in _HINTS:
        if clue in everything:
            return hint
    return "indent with spaces, one `key: value` a line, and quote text that holds `: `, `#`, `{` or `[`"


_HINTS = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("\\t", "indent with spaces, not with tabs"),
    ("expected a single document", "one document a file: remove the line `---`"),
    ("but found another document", "one document a file: remove the line `---`"),
    ("undefined alias", "define the anchor (&name) above its alias (*name)"),
    ("mapping values are not allowed", "quote a value that holds `: `, or indent the line as its neighbours are"),
    ("flow", "close the bracket or the brace"),
    ("quoted scalar", "close the quote"),
)


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every scalar of a tree, and every empty mapping or list, with its path."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value
