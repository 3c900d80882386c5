"""How Hydra reads our files: a config source of the scheme `fw`.

A source serves one root. A root of recipes stands below the group `recipe`, so that `recipes/vision/digits_mlp.yaml` is
the option `vision/digits_mlp` of it, and its files are global without a `@package` line. Every file is read within
bounds, and its lines are kept for the origins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from omegaconf import OmegaConf

from framework.config.compose.document import Document, read_shared
from framework.config.compose.protection import protected
from framework.config.compose.roots import Root, shown
from framework.config.compose.rules import check_document
from framework.core.errors import ConfigError, Problem

GROUP = "recipe"
"""The config group that holds all recipes."""


@dataclass
class FileResult(ConfigResult):
    """What Hydra keeps of a file, the file with its lines, its config path, and what its root may do."""

    document: Document = field(default_factory=lambda: Document("", None))
    config_path: str = ""
    rights: str = "plain"


class RecipeSource(ConfigSource):
    """One root, as Hydra sees it. The path is `fw://KIND:RIGHTS:FOLDER`, so that Hydra can make and copy it."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self.kind, self.rights, folder = self.path.split(":", 2)
        self.folder = Path(folder)

    @staticmethod
    def scheme() -> str:
        return "fw"

    @staticmethod
    def address(root: Root, hydra_trusted: bool) -> str:
        """The search-path entry of a root. `hydra_trusted` lets its files configure Hydra itself."""
        rights = "shipped" if root.shipped else "trusted" if hydra_trusted else "plain"
        return f"fw://{root.kind}:{rights}:{root.path.resolve()}"

    def available(self) -> bool:
        return self.folder.is_dir()

    def is_group(self, config_path: str) -> bool:
        place = self._place(config_path)
        return place is not None and place.is_dir()

    def is_config(self, config_path: str) -> bool:
        place = self._place(self._normalize_file_name(config_path))
        return place is not None and place.is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        place = self._place(config_path)
        if self.kind == "recipes" and config_path == "":
            return [GROUP] if results_filter != ObjectType.CONFIG else []
        if place is None or not place.is_dir():
            return []
        names: list[str] = []
        for item in sorted(file.name for file in place.iterdir()):
            inner = f"{config_path}/{item}" if config_path else item
            if item.endswith(".yaml") or self.is_group(inner):
                self._list_add_result(names, inner, item, results_filter)
        return sorted(set(names))

    def load_config(self, config_path: str) -> FileResult:
        place = self._place(self._normalize_file_name(config_path))
        if place is None or not place.is_file():
            raise ConfigLoadError(f"Config not found : {config_path}")
        document = read_shared(place, shown(place))
        check_document(document, hydra_allowed=self.rights != "plain")
        return FileResult(
            provider=self.provider,
            path=self.full_path(),
            config=OmegaConf.create(self._for_omegaconf(document.value or {}, config_path)),
            header=self._header(place, document),
            document=document,
            config_path=config_path.removesuffix(".yaml"),
            rights=self.rights,
        )

    def _place(self, config_path: str) -> Path | None:
        """The file or folder of a config path; None where this root has no say."""
        parts = PurePosixPath(config_path).parts
        if ".." in parts or config_path.startswith("/"):
            return None
        if self.kind == "recipes":
            if parts and parts[0] != GROUP:
                return None
            return self.folder.joinpath(*parts[1:])
        if parts and (parts[0] in (GROUP, "recipes") or (parts[0] == "hydra" and self.rights == "plain")):
            return None
        if len(parts) == 1 and parts[0].endswith(".yaml") and self.rights != "shipped":
            return None  # a file `config.yaml` of another program must not take the place of ours
        return self.folder.joinpath(*parts)

    def _for_omegaconf(self, value: dict[str, Any], config_path: str) -> dict[str, Any]:
        """The values as OmegaConf may merge them. Hydra's own configuration and the defaults list stay readable."""
        if config_path.startswith("hydra/"):
            return value
        return {key: item if key in ("defaults", "hydra") else protected(item) for key, item in value.items()}

    def _header(self, place: Path, document: Document) -> dict[str, str | None]:
        if self.kind == "recipes":
            return {"package": "_global_"}
        with place.open(encoding="utf-8-sig") as file:
            head = file.read(512)
        try:
            return ConfigSource._get_header_dict(head)
        except ValueError:
            raise ConfigError(
                Problem(
                    document.shown,
                    "the line that begins with `# @` cannot be read",
                    expected="# @package NAME",
                    origin=f"{document.shown}:1",
                    fix="write `# @package _global_`, or no @ after the #",
                )
            ) from None


def register() -> None:
    """Make the scheme known to Hydra, with those of its own sources. May be called again.

    Hydra would find the latter by importing every installed plugin, which a single composition has no use for.
    """
    from hydra._internal.core_plugins.file_config_source import FileConfigSource
    from hydra._internal.core_plugins.importlib_resources_config_source import ImportlibResourcesConfigSource
    from hydra._internal.core_plugins.structured_config_source import StructuredConfigSource

    registry = SourcesRegistry.instance()
    for source in (RecipeSource, FileConfigSource, ImportlibResourcesConfigSource, StructuredConfigSource):
        registry.register(source)
