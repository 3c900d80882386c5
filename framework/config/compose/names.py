"""Recipes and config groups by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from framework.config.compose.bounds import MAX_FILE_BYTES
from framework.config.compose.document import comment_header
from framework.config.compose.roots import Root, roots, shown
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed


@dataclass(frozen=True)
class Entry:
    """A recipe that can be named.

    Attributes:
      name: the bare name, `digits_mlp`.
      identity: with its folder, `vision/digits_mlp`.
      file: the YAML file.
      shown: the file as errors print it.
      header: the comments at its top.
      root: the folder of recipes that it was found in.
    """

    name: str
    identity: str
    file: Path
    shown: str
    header: str
    root: Root


def recipes(config_dirs: Sequence[str | Path] = ()) -> list[Entry]:
    """Every recipe in sight, by identity. Where two roots hold the same identity, the first root's is listed."""
    entries: dict[str, Entry] = {}
    for root in roots(config_dirs):
        if root.kind == "recipes":
            for identity, file in _files(root):
                entries.setdefault(identity, _entry(identity, file, root))
    return [entries[identity] for identity in sorted(entries)]


def groups(config_dirs: Sequence[str | Path] = ()) -> dict[str, list[str]]:
    """Config group -> its options, sorted: `{"optimizer": ["adam", ...], "optimizer/schedule": [...], ...}`."""
    options: dict[str, set[str]] = {}
    for root in roots(config_dirs):
        if root.kind == "configs":
            for file in root.path.rglob("*.yaml"):
                group, _, option = file.relative_to(root.path).with_suffix("").as_posix().rpartition("/")
                if group and group.split("/")[0] not in ("hydra", "recipe", "recipes"):
                    options.setdefault(group, set()).add(option)
    return {group: sorted(options[group]) for group in sorted(options)}


def find(recipe: str, config_dirs: Sequence[str | Path] = ()) -> Entry:
    """The recipe that a word names: a bare name, a name with its folder, or the path of a `.yaml` file.

    Raises:
      ConfigError: there is none of that name, or several.
    """
    if recipe.endswith((".yaml", ".yml")) or recipe.startswith((".", "/", "~")):
        return _by_path(recipe, config_dirs)
    for root in roots(config_dirs):
        if root.kind != "recipes":
            continue
        files = dict(_files(root))
        if recipe in files:
            return _entry(recipe, files[recipe], root)
        matches = [identity for identity in files if identity.rpartition("/")[2] == recipe]
        if len(matches) > 1:
            raise ConfigError(
                Problem(
                    "recipe",
                    f"the name '{recipe}' stands for {len(matches)} recipes in {shown(root.path)}",
                    expected=listed(matches),
                    fix=f"say which: {matches[0]}",
                )
            )
        if matches:
            return _entry(matches[0], files[matches[0]], root)
    raise ConfigError(_unknown(recipe, config_dirs))


def _by_path(recipe: str, config_dirs: Sequence[str | Path]) -> Entry:
    file = Path(recipe).expanduser()
    if not file.exists() and file.with_name(f"{file.name}.yaml").exists():
        file = file.with_name(f"{file.name}.yaml")
    if not file.is_file():
        raise ConfigError(_unknown(recipe, config_dirs, "is a folder" if file.is_dir() else "does not exist"))
    if file.suffix != ".yaml":
        raise ConfigError(
            Problem(
                "recipe",
                f"the file {recipe} does not end in .yaml",
                "a .yaml file",
                fix=f"mv {recipe} {file.with_suffix('.yaml')}",
            )
        )
    return _entry(file.stem, file, Root(file.parent, "recipes"))


def _unknown(recipe: str, config_dirs: Sequence[str | Path], what: str = "") -> Problem:
    known = recipes(config_dirs)
    word = Path(recipe).stem if what else recipe
    near = closest(word, [entry.identity if "/" in word else entry.name for entry in known])
    return Problem(
        "recipe",
        f"the path {recipe} {what}" if what else f"no recipe is called '{recipe}'",
        expected=listed(entry.name for entry in known),
        fix=near or "the path of a .yaml file, such as ./mine.yaml",
    )


def _files(root: Root) -> list[tuple[str, Path]]:
    found = ((file.relative_to(root.path).with_suffix("").as_posix(), file) for file in root.path.rglob("*.yaml"))
    return sorted((identity, file) for identity, file in found if not identity.startswith("."))


def _entry(identity: str, file: Path, root: Root) -> Entry:
    return Entry(identity.rpartition("/")[2], identity, file, shown(file), _header(file), root)


def _header(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return comment_header(opened.read(MAX_FILE_BYTES).decode("utf-8", errors="replace"))
    except OSError:
        return ""  # reading the recipe itself says why
