"""Hydra's loader over our roots, and what the rest asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.default_element import ResultDefault
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from framework.config.compose.names import Entry
from framework.config.compose.overrides import Groups, Word
from framework.config.compose.roots import Root, roots
from framework.config.compose.source import GROUP, FileResult, RecipeSource, register

PRIMARY = "config"
"""The root of every recipe, `configs/config.yaml`."""

_VERSION_BASE = "1.3"


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
