"""`fw explain`: all about one key of a recipe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from framework.cli.arguments import VerbParser
from framework.cli.options import add_places
from framework.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from framework.inspect.explanation import Explanation


def parser() -> VerbParser:
    """The words of `fw explain`."""
    words = VerbParser(
        "explain",
        usage="RECIPE KEY [OVERRIDE ...]",
        about="""Tell all about one key: its value, kind, bounds and default; every file and override that set it,
        in order, so that the last one stands; the text as written where it holds an interpolation;
        whether a change compiles the program anew; and which code checks and reads it. A section is told
        with all its members; a null that could be a section, with what it could hold.""",
        examples=("fw explain digits_mlp optimizer.learning_rate", "fw explain digits_mlp optimizer optimizer=lion"),
    )
    words.word("recipe", metavar="RECIPE", help="a name out of `fw list recipes`, or the path of a YAML file")
    words.word("key", metavar="KEY", help="dotted, e.g. trainer.epochs or network.layers.logits.dense.features")
    words.word("overrides", metavar="OVERRIDE", nargs="*", help="Hydra's grammar; they count as set last")
    add_places(words)
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the explanation."""
    from framework.cli.loading import load
    from framework.inspect.explanation import explain

    if "=" in options.key or options.key.startswith("~"):
        key = options.key.lstrip("+~").partition("=")[0]
        fix = f"fw explain {options.recipe} {key} {' '.join([options.key, *options.overrides])}"
        raise ConfigError(Problem("KEY", f"'{options.key}' is an override", "a key first, then overrides", fix=fix))
    _print(explain(load(options), options.key))
    return 0


def _print(found: Explanation) -> None:
    from framework.cli.printing import prose, say
    from framework.cli.tables import definitions
    from framework.inspect.yaml_text import scalar

    say(found.key, style="bold cyan")
    rule = found.argument
    entries: list[tuple[str, list[str]]] = []
    if not found.members:
        entries.append(("value", [scalar(found.value)]))
    if found.written is not None:
        entries.append(("written as", [found.written]))
    if rule is not None:
        entries.append(("kind", [rule.bounded_kind]))
        entries.append(("default", [rule.default]))
        if rule.description:
            entries.append(("means", [rule.description]))
    if found.choice:
        entries.append(("chosen as", [found.choice]))
    if found.possible:
        entries.append(("switched on by", [section.override for section in found.possible]))
    entries.append(("set by", _history(found)))
    if not found.members:
        entries.append(("changing it", [found.role]))
    if found.schema:
        entries.append(("checked by", [found.schema]))
    entries.append(("read by", list(found.readers) or ["nothing outside the recipe"]))
    if found.mentions:
        entries.append(("used in", list(found.mentions)))
    definitions(entries, plain=True)
    if found.members and isinstance(found.value, dict):
        say()
        say("members", style="bold")
        definitions((member.name, [_short(found.value.get(member.name)), member.remark()]) for member in found.members)
    for section in found.possible:
        say()
        say("what it could hold", style="bold")
        prose(section.summary)
        definitions((member.name, [member.rule(), member.description]) for member in section.members)


def _short(value: Any) -> str:
    """A value on one line; of a section only what is not null."""
    from framework.inspect.yaml_text import scalar

    return scalar({k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value)


def _history(found: Explanation) -> list[str]:
    from framework.inspect.yaml_text import scalar

    if len(found.history) < 2:
        return [found.origin]
    *before, (origin, value) = found.history
    lines = [f"{origin}: {scalar(value)}"]
    return lines + [f"over {earlier}: {scalar(was)}" for earlier, was in reversed(before)]
