"""What a config file must be, beyond being YAML: a mapping, with a well-formed defaults list, and no `hydra:` node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framework.config.compose.document import Document
from framework.config.compose.interpolation import InterpolationError, holds, parse
from framework.config.compose.paths import Parts, leaves
from framework.core.errors import ConfigError, Problem

_ITEM = "`- override /GROUP: OPTION`, `- /GROUP: OPTION`, `- FILE` or `- _self_`"
_TRUST_HYDRA = "remove it, or pass --trust hydra if you wrote the file"


def check_document(document: Document, *, hydra_allowed: bool) -> None:
    """Refuse what Hydra would stumble over or obey without asking.

    A `hydra:` node can name classes that Hydra makes and log handlers that it calls, so it is code; it is refused
    unless `hydra_allowed`. The same holds for a defaults list that chooses a group of Hydra's.

    Raises:
      ConfigError: with every problem of the file.
    """
    problems = list(_problems(document, hydra_allowed))
    if problems:
        raise ConfigError(problems)


def _problems(document: Document, hydra_allowed: bool) -> Iterator[Problem]:
    value = document.value
    if value is None:
        return
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else f"one value, {value!r}"
        yield Problem(
            document.shown,
            f"the file holds {kind}",
            "a mapping of sections",
            document.origin(),
            "write `section: {key: value}`",
        )
        return
    if "hydra" in value and not hydra_allowed:
        yield Problem(
            "hydra", "a `hydra:` node can run code", "no `hydra:` node", document.origin(("hydra",)), _TRUST_HYDRA
        )
    if isinstance(value.get("default"), list) and "defaults" not in value:
        yield Problem("default", "unknown key 'default'", "defaults", document.origin(("default",)), "defaults:")
    if "defaults" in value:
        yield from _defaults(document, value["defaults"], hydra_allowed)
    for path, leaf in leaves({key: item for key, item in value.items() if key != "defaults"}):
        if holds(leaf):
            try:
                parse(leaf)
            except InterpolationError as error:
                yield error.problem(".".join(map(str, path)), document.origin(path))


def _defaults(document: Document, items: Any, hydra_allowed: bool) -> Iterator[Problem]:
    if not isinstance(items, list):
        found = "a mapping" if isinstance(items, dict) else repr(items)
        yield Problem(
            "defaults",
            f"the defaults list is {found}",
            "a list",
            document.origin(("defaults",)),
            f"begin each line with a dash: {_ITEM}",
        )
        return
    seen_override = False
    for index, item in enumerate(items):
        path: Parts = ("defaults", index)
        origin = document.origin(path)
        found = _malformed(item)
        if found:
            yield Problem(f"defaults.{index}", found, _ITEM, origin, "one group and one option a line")
            continue
        words = _words(item)
        overrides = words[:-1].count("override") > 0
        if words[-1].lstrip("/").startswith("hydra/") and not hydra_allowed:
            yield Problem(
                f"defaults.{index}", f"'{words[-1]}' configures Hydra itself", "a group of ours", origin, _TRUST_HYDRA
            )
        if seen_override and not overrides:
            yield Problem(
                f"defaults.{index}",
                f"'{words[-1]}' stands below an `override`",
                "every `override` at the end of the list",
                origin,
                "move the line above the first `override`",
            )
        seen_override = seen_override or overrides


def _malformed(item: Any) -> str | None:
    if isinstance(item, str):
        return None if item.strip() and " " not in item.strip() else f"'{item}' is no entry: a colon is missing"
    if not isinstance(item, dict):
        return f"{item!r} is no entry"
    if len(item) != 1:
        return f"an entry holds {len(item)} groups: {', '.join(item)}" if item else "an entry is empty"
    (key, value), *_ = item.items()
    *keywords, group = key.split()
    if not set(keywords) <= {"override", "optional"}:
        return f"'{key}' begins with an unknown word"
    if isinstance(value, str) and "${" in value and ":" in value:
        return f"the option of '{group}' calls a resolver"
    if not (
        value is None or isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))
    ):
        return f"the option of '{group}' is {value!r}, no name"
    return None


def _words(item: str | dict[str, Any]) -> list[str]:
    return (item if isinstance(item, str) else next(iter(item))).split()
