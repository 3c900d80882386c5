"""Hydra composes: config files and group choices in its hands, values and their origins in ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.default_element import ResultDefault
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from framework.config.compose.changes import apply
from framework.config.compose.messages import chosen_by, composition_problem
from framework.config.compose.names import Entry
from framework.config.compose.origins import DEFAULT, Ledger
from framework.config.compose.overrides import Groups, Word, read_overrides
from framework.config.compose.protection import unprotected
from framework.config.compose.roots import Root, roots
from framework.config.compose.source import GROUP, FileResult, RecipeSource, register
from framework.core.errors import ConfigError, Problem

PRIMARY = "config"
"""The root of every recipe, `configs/config.yaml`."""

_VERSION_BASE = "1.3"


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


class Loader(ConfigLoaderImpl):
    """Hydra's own loader, which also keeps what it read. It needs no global state, so two may live side by side."""

    def __init__(self, search_path: ConfigSearchPathImpl) -> None:
        super().__init__(search_path)
        self.repo: CachingConfigRepository | None = None
        self.layers: list[ResultDefault] = []

    def _parse_overrides_and_create_caching_repo(
        self, config_name: str | None, overrides: list[str]
    ) -> tuple[list[Override], CachingConfigRepository]:
        parsed, self.repo = super()._parse_overrides_and_create_caching_repo(config_name, overrides)
        return parsed, self.repo

    def _compose_config_from_defaults_list(self, defaults: list[ResultDefault], repo: IConfigRepository) -> DictConfig:
        self.layers = defaults
        return super()._compose_config_from_defaults_list(defaults, repo)

    def compose_alone(self, overrides: list[str]) -> tuple[DictConfig, dict[str, str | None]]:
        """The config without Hydra's own beside it, which takes half of the time, and the option of each group."""
        parsed, repo = self._parse_overrides_and_create_caching_repo(PRIMARY, overrides)
        plan = create_defaults_list(repo, PRIMARY, parsed, prepend_hydra=False, skip_missing=False)
        return self._compose_config_from_defaults_list(plan.defaults, repo), plan.overrides.known_choices

    def read_files(self) -> list[FileResult]:
        """Every file of ours that was read, also when composing failed."""
        return [result for result in (self.repo.cache if self.repo else {}).values() if isinstance(result, FileResult)]


def search_path(found: Sequence[Root], trust: Sequence[str]) -> ConfigSearchPathImpl:
    """Hydra's search path over our roots: its own configuration first, then the roots, the winning one first."""
    register()
    path = ConfigSearchPathImpl()
    path.append("hydra", "pkg://hydra.conf")
    for root in found:
        path.append("framework" if root.shipped else "user", RecipeSource.address(root, "hydra" in trust))
    path.append("schema", "structured://")
    return path


def all_roots(entry: Entry, config_dirs: Sequence[str | Path]) -> tuple[Root, ...]:
    """The roots for one recipe: the folder that it was found in comes first, so that its name means this file."""
    return (entry.root, *(root for root in roots(config_dirs) if root != entry.root))


@contextmanager
def hydra_behaviour() -> Iterator[None]:
    """Hydra 1.3's behaviour, whatever another user of Hydra in this process has chosen for themselves."""
    before = version.getbase()
    version.setbase(_VERSION_BASE)
    try:
        yield
    finally:
        version.VersionBase.instance().version_base = before


def find_plugins() -> None:
    """Import every installed plugin of Hydra's, so that launchers and sweepers have their options."""
    from hydra.core.plugins import Plugins

    Plugins.instance()


def quiet(words: Sequence[Word]) -> list[str]:
    """Overrides that keep Hydra from setting up logging, unless the user asks for it."""
    asked = {word.parsed.key_or_group for word in words}
    return [f"{group}=none" for group in ("hydra/hydra_logging", "hydra/job_logging") if group not in asked]


def recipe_override(entry: Entry) -> str:
    """The override that puts the recipe into the root's defaults list."""
    quoted = entry.identity.replace("\\", "\\\\").replace("'", "\\'")
    return f"{GROUP}='{quoted}'"


def groups_of(loader: Loader) -> Groups:
    """The config groups that a loader sees."""
    repository = loader.repository
    return Groups(
        is_group=repository.group_exists,
        is_option=lambda group, option: repository.config_exists(f"{group}/{option}"),
        options=lambda group: repository.get_group_options(group) if group != GROUP else list(_recipes(loader)),
        known=lambda: list(_groups(loader)),
    )


def compose(
    entry: Entry, overrides: Sequence[str], config_dirs: Sequence[str | Path] = (), trust: Sequence[str] = ()
) -> Composition:
    """Compose a recipe with overrides, interpolations left as written.

    Raises:
      ConfigError: a file breaks a bound or a rule, a group or an option does not exist, an override cannot be read or
        applied, or a file of the user's configures Hydra without trust.
    """
    with hydra_behaviour():
        with_hydra = "hydra" in trust or any(text.lstrip("+~").startswith("hydra") for text in overrides)
        if with_hydra:
            find_plugins()
        loader = Loader(search_path(all_roots(entry, config_dirs), trust))
        words = read_overrides(overrides, groups_of(loader))
        config, chosen = _composed(loader, entry, words, with_hydra)
        files = [(layer, result) for layer, result in _layers(loader) if isinstance(result, FileResult)]
        _refuse_hydra_packages(files)
        ledger = Ledger()
        for layer, result in files:
            value = {
                key: item for key, item in (result.document.value or {}).items() if key not in ("defaults", "hydra")
            }
            ledger.file(result.document, _package(layer, result), value)
        tree = unprotected(OmegaConf.to_container(config, resolve=False))
        apply(tree, words, ledger)
        _refuse_lost_choices(words, files, ledger)
    return Composition(
        tree=tree,
        ledger=ledger,
        choices={group: (option, _chooser(group, option, words, files)) for group, option in chosen.items()},
    )


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
    words: Sequence[Word], files: Sequence[tuple[ResultDefault, FileResult]], ledger: Ledger
) -> None:
    """Refuse a group that an override chose but whose `type` the recipe sets again, so that nothing came of it."""
    origins = ledger.origins
    problems = []
    for word in words:
        if word.kind != "group" or word.parsed.is_delete():
            continue
        path = f"{word.parsed.key_or_group}/{word.parsed.value()}"
        for layer, result in files:
            key = f"{_package(layer, result)}.type".lstrip(".")
            own = result.document.value.get("type") if isinstance(result.document.value, dict) else None
            origin = origins.get(key, "")
            if (
                result.config_path == path
                and own
                and origin != result.document.origin(("type",))
                and not origin.startswith("override")
            ):
                found = f"has no effect: a later file sets {key}"
                problems.append(
                    Problem(
                        word.key, f"{word.text} {found}", "the type to be chosen in one place", origin, f"{key}={own}"
                    )
                )
    if problems:
        raise ConfigError(problems)


def _recipes(loader: Loader, folder: str = "") -> Iterator[str]:
    group = f"{GROUP}/{folder}".rstrip("/")
    yield from (f"{folder}/{name}".lstrip("/") for name in loader.repository.get_group_options(group))
    for name in loader.repository.get_group_options(group, ObjectType.GROUP):
        yield from _recipes(loader, f"{folder}/{name}".lstrip("/"))


def _groups(loader: Loader, parent: str = "") -> Iterator[str]:
    for name in loader.repository.get_group_options(parent, ObjectType.GROUP):
        group = f"{parent}/{name}" if parent else name
        if group.split("/")[0] in ("hydra", GROUP):
            continue
        yield group
        yield from _groups(loader, group)
