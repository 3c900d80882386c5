"""Arrays in memory in place of the data that a recipe names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from framework.config.compose.loaded import Loaded
from framework.config.compose.pipeline import Recipe
from framework.config.schema.base import WireMark, has_mark
from framework.config.schema.data import Arrays
from framework.config.schema.losses import Loss
from framework.config.validation.wording import as_override
from framework.core.errors import ConfigError, DataError, Problem
from framework.data.held import WHOLE, Held, section_of
from framework.data.in_memory import Wanted, exactly, hold
from framework.data.protocol import LABELLED

_INPUTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("digits", "images"), ("image",)),
    **dict.fromkeys(("text", "stdlib", "tokens"), ("tokens",)),
    **dict.fromkeys(("iris", "wine", "breast_cancer", "diabetes", "csv", "parquet"), ("features",)),
}
"""What the network reads where a recipe names its data."""


def with_arrays(recipe: Recipe, overrides: Sequence[str], data: Any) -> tuple[Loaded, Held]:
    """A recipe with arrays in the place of its data.

    Args:
      recipe: the recipe.
      overrides: of the recipe; those of `data` hold for the arrays too.
      data: see `framework.data.in_memory.hold`.

    Raises:
      ConfigError: with every problem of the recipe and the overrides.
      DataError: with everything that is wrong with the arrays.
    """
    words, held = array_words(recipe, overrides, data)
    return recipe.load(words), held


def array_words(recipe: Recipe, overrides: Sequence[str], data: Any) -> tuple[tuple[str, ...], Held]:
    """The overrides that put arrays in the place of a recipe's data, before those that are given."""
    twice = [word for word in overrides if word.lstrip("+~").partition("=")[0] in ("data", "data.type", "data.arrays")]
    if twice:
        found = f"the data is given twice: by data=... in Python, and by the override {twice[0]}"
        raise ConfigError(Problem("data", found, "one of them", fix=f"without {twice[0]!r}"))
    composition = recipe.compose(overrides)
    tree = composition.tree
    held = hold(data, wanted_of(tree))
    before = tree.get("data") or {}
    # What only the recipe's own source reads goes; what the user typed stays, to be told where nothing reads it.
    typed = {name for name in before if composition.ledger.origins.get(f"data.{name}", "").startswith("override ")}
    fields = _section(held)
    if "class_names" in typed:
        fields["classes"] = len(before["class_names"] or ()) or fields["classes"]
    gone = [name for name in before if name not in typed and (name in fields or name not in Arrays.model_fields)]
    put = {name: value for name, value in fields.items() if name not in typed}
    words = [f"~data.{name}" for name in gone]
    words += [f"+data.{name}={as_override(value)}" for name, value in put.items()]
    if WHOLE not in held.splits:
        words += _splits_as_named(before, overrides)
    return (*words, *overrides), held


def _splits_as_named(before: Mapping[str, Any], overrides: Sequence[str]) -> list[str]:
    """The splits that were given are all there are, unless an override says otherwise."""
    given = {"type": "named", "train": None, "valid": 0, "test": 0}
    typed = {word.lstrip("+").partition("=")[0].removeprefix("data.split.") for word in overrides}
    known = before.get("split") or {}
    return [
        f"{'' if name in known else '+'}data.split.{name}={as_override(value)}"
        for name, value in given.items()
        if name not in typed
    ]


def _section(held: Held) -> dict[str, Any]:
    """The fields of the section `data` that the arrays decide."""
    fields = section_of(held) | {"classes": None, "class_names": None, "vocabulary": None, "context": None}
    if "label" in held.arrays:
        fields |= _classes(held)
    tokens = [name for name in ("tokens", "targets") if name in held.arrays]
    if tokens:
        fields["vocabulary"] = 1 + max(int(array.max()) for name in tokens for array in held.values(name))
        fields["context"] = next(iter(held.values(tokens[0]))).shape[1]
    return fields


def _classes(held: Held) -> dict[str, Any]:
    labels = list(held.values("label"))
    if labels[0].dtype.kind == "U":
        names = sorted({str(word) for array in labels for word in set(array.tolist())})
        found, count, fields = f"all labels are {names[0]!r}", len(names), {"class_names": names}
    else:
        count, fields = 1 + max(int(array.max()) for array in labels), {}
        found = "all labels are 0"
    if count < 2:
        raise DataError(Problem("data", found, "labels of at least two classes", fix="labels that differ"))
    return {"classes": count, **fields}


def wanted_of(tree: Mapping[str, Any]) -> Wanted:
    """What a recipe reads, as far as it can be told before it is validated."""
    network = tree.get("network") or {}
    return Wanted(_inputs(network, tree.get("data") or {}), _answers(tree), embeds="'embed'" in repr(network))


def _inputs(network: Any, data: Mapping[str, Any]) -> tuple[str, ...]:
    wired = network.get("inputs") if isinstance(network, Mapping) else None
    paths = wired.values() if isinstance(wired, Mapping) else ()
    named = [path.removeprefix("batch.") for path in paths if isinstance(path, str) and path.startswith("batch.")]
    if named:
        return tuple(named)
    arrays = data.get("arrays")
    if isinstance(arrays, Mapping):
        return tuple(name for name in arrays if name not in LABELLED)
    return _INPUTS.get(str(data.get("type")), ())


def _answers(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """The batch arrays of answers that losses read, by their wires or by the defaults of these."""
    defaults = {
        schema.type_name(): {
            name: field.default for name, field in schema.model_fields.items() if has_mark(field, WireMark)
        }
        for schema in get_args(get_args(Loss)[0])
    }
    losses = tree.get("losses")
    paths: list[Any] = []
    for section in losses.values() if isinstance(losses, Mapping) else ():
        if isinstance(section, Mapping):
            wires = defaults.get(str(section.get("type")), {})
            paths += [section.get(name, default) for name, default in wires.items()]
            inputs = section.get("inputs")
            paths += list(inputs.values()) if isinstance(inputs, Mapping) else []
    return tuple(name for name in LABELLED if f"batch.{name}" in paths)


def same_arrays(section: Any, data: Any) -> Held:
    """The arrays that a run was trained on, given again.

    Args:
      section: the section `data` of the run.

    Raises:
      DataError: the run was trained on something else, or on other arrays.
    """
    if section.type != "arrays":
        found = f"the run was trained on the source {section.type}, not on arrays"
        fix = "fw.open_run(PATH), and exp.evaluate((x, y)) for other data"
        raise DataError(Problem("data", found, "no data", fix=fix))
    held = hold(data, exactly(section.arrays))
    if held.fingerprint != section.fingerprint:
        told = f"{_told(held.arrays, held.examples)}, fingerprint {held.fingerprint[:12]}"
        expected = f"{_told(section.arrays, section.examples)}, fingerprint {section.fingerprint[:12]}"
        fix = "the same arrays in the same order; for others exp.evaluate((x, y)), or a new run"
        raise DataError(Problem("data", f"other arrays than those of the run: {told}", expected, fix=fix))
    return held


def _told(arrays: Mapping[str, str], examples: Mapping[str, int]) -> str:
    counts = " + ".join(f"{count:,} {split}" for split, count in examples.items())
    return f"{', '.join(f'{name} {word}' for name, word in arrays.items())}, {counts} examples"
