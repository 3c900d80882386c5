"""Hydra composes: config files and group choices in its hands, values and their origins in ours."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.default_element import ResultDefault
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from framework.config.compose.changes import apply
from framework.config.compose.loader import (
    PRIMARY,
    Loader,
    all_roots,
    find_plugins,
    groups_of,
    hydra_behaviour,
    recipe_override,
    search_path,
)
from framework.config.compose.messages import chosen_by, composition_problem
from framework.config.compose.names import Entry
from framework.config.compose.origins import DEFAULT, Ledger
from framework.config.compose.overrides import Groups, Word, read_overrides
from framework.config.compose.protection import unprotected
from framework.config.compose.source import GROUP, FileResult
from framework.core.errors import ConfigError, Problem


@dataclass(frozen=True)
class Composition:
    """A composed recipe, its interpolations as written.

    Attributes:
      tree: plain dicts, lists and scalars; what Hydra keeps for itself is left out.
      ledger: who set what.
      choices: config group -> the option chosen and who chose it.
    """

    tree: dict[str, Any]
    ledger: Ledger
    choices: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class _Merged:
    """The files of a recipe for one choice of options, before any override sets a value."""

    tree: dict[str, Any]
    ledger: Ledger
    choices: dict[str, tuple[str, str]]
    files: list[tuple[ResultDefault, FileResult]]


class Composer:
    """Composes one recipe with overrides, as often as asked, interpolations left as written.

    Overrides that choose options of groups decide which files are merged, which is what takes long; those that set
    values are applied afterwards. So recipes that differ in values alone cost one merge together. Files are read when
    they are first needed, and not again.
    """

    def __init__(self, entry: Entry, config_dirs: Sequence[str | Path] = (), trust: Sequence[str] = ()) -> None:
        self.entry = entry
        self.config_dirs = tuple(config_dirs)
        self.trust = tuple(trust)
        self._words: dict[str, Word] = {}
        self._merged: dict[tuple[str, ...], _Merged] = {}
        self._groups: Groups | None = None

    def compose(self, overrides: Sequence[str]) -> Composition:
        """Compose the recipe with these overrides.

        Raises:
          ConfigError: a file breaks a bound or a rule, a group or an option does not exist, an override cannot be read
            or applied, or a file of the user's configures Hydra without trust.
        """
        with hydra_behaviour():
            with_hydra = "hydra" in self.trust or any(text.lstrip("+~").startswith("hydra") for text in overrides)
            if with_hydra:
                find_plugins()
            words = self._read(overrides)
            choices = tuple(word.text for word in words if word.kind in ("group", "hydra"))
            if choices not in self._merged:
                self._merged[choices] = self._merge(words, with_hydra)
            return _with_values(self._merged[choices], words)

    def _read(self, overrides: Sequence[str]) -> list[Word]:
        if self._groups is None:
            self._groups = groups_of(self._loader())
        new = [text for text in overrides if text not in self._words]
        for word in read_overrides(new, self._groups, trust=self.trust):
            self._words[word.text] = word
        return [self._words[text] for text in overrides]

    def _loader(self) -> Loader:
        return Loader(search_path(all_roots(self.entry, self.config_dirs), self.trust))

    def _merge(self, words: Sequence[Word], with_hydra: bool) -> _Merged:
        loader = self._loader()
        config, chosen = _composed(loader, self.entry, words, with_hydra)
        files = [(layer, result) for layer, result in _layers(loader) if isinstance(result, FileResult)]
        _refuse_hydra_packages(files)
        ledger = Ledger()
        for layer, result in files:
            value = {
                key: item for key, item in (result.document.value or {}).items() if key not in ("defaults", "hydra")
            }
            ledger.file(result.document, _package(layer, result), value)
        choices = {group: (option, _chooser(group, option, words, files)) for group, option in chosen.items()}
        return _Merged(unprotected(OmegaConf.to_container(config, resolve=False)), ledger, choices, files)


def compose(
    entry: Entry, overrides: Sequence[str], config_dirs: Sequence[str | Path] = (), trust: Sequence[str] = ()
) -> Composition:
    """Compose a recipe once; see `Composer.compose`."""
    return Composer(entry, config_dirs, trust).compose(overrides)


def _with_values(merged: _Merged, words: Sequence[Word]) -> Composition:
    tree, ledger = copy.deepcopy(merged.tree), merged.ledger.copy()
    apply(tree, words, ledger)
    _refuse_lost_choices(words, merged.files, ledger, tree)
    return Composition(tree, ledger, dict(merged.choices))


def _composed(
    loader: Loader, entry: Entry, words: Sequence[Word], with_hydra: bool
) -> tuple[DictConfig, dict[str, str]]:
    """The config without values' overrides, and the option of each of our groups."""
    given = [recipe_override(entry), *(word.text for word in words if word.kind in ("group", "hydra"))]
    try:
        if with_hydra:
            config = loader.load_configuration(PRIMARY, given, RunMode.RUN, from_shell=False)
            choices: Mapping[Any, Any] = config.hydra.runtime.choices
        else:
            config, choices = loader.compose_alone(given)
    except (HydraException, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ConfigError(composition_problem(error, loader.read_files(), words, groups_of(loader))) from None
    OmegaConf.set_struct(config, False)
    config.pop("hydra", None)
    ours = {str(group): str(option) for group, option in choices.items() if option is not None}
    return config, {group: ours[group] for group in ours if group.split("/")[0] not in ("hydra", GROUP)}


def _layers(loader: Loader) -> Iterator[tuple[ResultDefault, Any]]:
    assert loader.repo is not None
    for layer in loader.layers:
        assert layer.config_path is not None
        yield layer, loader.repo.load_config(layer.config_path)


def _package(layer: ResultDefault, result: FileResult) -> str:
    package = layer.package if layer.package is not None else result.header["package"]
    return "" if package in (None, "_global_") else str(package)


def _refuse_hydra_packages(files: Sequence[tuple[ResultDefault, FileResult]]) -> None:
    problems = [
        Problem(
            "hydra",
            f"the file is merged into Hydra's own configuration, at {_package(layer, result)}",
            "files that configure recipes",
            result.document.origin(),
            "remove it, or pass --trust hydra if you wrote the file",
        )
        for layer, result in files
        if _package(layer, result).split(".")[0] == "hydra" and result.rights == "plain"
    ]
    if problems:
        raise ConfigError(problems)


def _chooser(group: str, option: str, words: Sequence[Word], files: Sequence[tuple[ResultDefault, FileResult]]) -> str:
    for word in words:
        if word.kind == "group" and word.parsed.get_key_element().lstrip("+") == group:
            return word.origin
    return chosen_by([result for _, result in files], group, option) or DEFAULT


def _refuse_lost_choices(
    words: Sequence[Word], files: Sequence[tuple[ResultDefault, FileResult]], ledger: Ledger, tree: Any
) -> None:
    """Refuse a group that an override chose but whose `type` the recipe sets again, so that nothing came of it."""
    problems = []
    chosen = {f"{word.parsed.key_or_group}/{word.parsed.value()}": word for word in words if word.kind == "group"}
    for layer, result in files:
        word, value = chosen.get(result.config_path), result.document.value
        package = _package(layer, result)
        own = value.get("type") if isinstance(value, dict) else None
        if word is None or own is None or own == _type_at(tree, package):
            continue
        key = f"{package}.type"
        origin = ledger.origins.get(key, "")
        if not origin.startswith("override "):
            found = f"{word.text} has no effect: a later file sets {key}"
            problems.append(Problem(word.key, found, "a type chosen in one place", origin, f"{key}={own}"))
    if problems:
        raise ConfigError(problems)


def _type_at(tree: Any, package: str) -> Any:
    for part in (*package.split("."), "type"):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree
