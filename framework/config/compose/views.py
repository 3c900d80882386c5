"""Hydra's own views of a composition: `--cfg job|hydra|all` and `--info`."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed

if TYPE_CHECKING:
    from hydra._internal.hydra import Hydra

Part = Literal["job", "hydra", "all"]
INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")


def composed_yaml(
    recipe: str,
    overrides: Sequence[str] = (),
    part: Part = "job",
    *,
    resolve: bool = False,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
) -> str:
    """The composition as YAML, not validated: of the recipe (`job`), of Hydra itself, or both.

    Raises:
      ConfigError: the recipe does not compose or, with `resolve`, an interpolation cannot be resolved.
    """
    from framework.config.compose.pipeline import job_yaml

    job = job_yaml(recipe, overrides, config_dirs=config_dirs, trust=trust, resolve=resolve) if part != "hydra" else ""
    return _hydra_yaml(recipe, overrides, config_dirs, trust, resolve) + job if part != "job" else job


def info(
    recipe: str,
    overrides: Sequence[str] = (),
    kind: str = "all",
    *,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
) -> str:
    """What Hydra has to say of a composition: its defaults list, its defaults tree, its plugins, its search path.

    Raises:
      ConfigError: the recipe does not compose, or there is no such kind.
    """
    from framework.config.compose.loader import PRIMARY
    from framework.config.compose.pipeline import job_yaml
    from framework.config.compose.protection import unprotected

    if kind not in INFO:
        raise ConfigError(
            Problem("--info", f"unknown value '{kind}'", listed(INFO), fix=f"--info {closest(kind, INFO) or 'all'}")
        )
    job_yaml(recipe, overrides, config_dirs=config_dirs, trust=trust)  # tells what is wrong in our words
    text = io.StringIO()
    with _hydra(recipe, overrides, config_dirs, trust) as (hydra, given), _root_logger(), redirect_stdout(text):
        hydra.show_info(kind, PRIMARY, given)
    return unprotected(text.getvalue())


def _hydra_yaml(
    recipe: str, overrides: Sequence[str], config_dirs: Sequence[str | Path], trust: Sequence[str], resolve: bool
) -> str:
    from framework.config.compose.loader import PRIMARY
    from framework.config.compose.pipeline import job_yaml

    job_yaml(recipe, overrides, config_dirs=config_dirs, trust=trust)  # tells what is wrong in our words
    text = io.StringIO()
    with _hydra(recipe, overrides, config_dirs, trust) as (hydra, given), redirect_stdout(text):
        hydra.show_cfg(PRIMARY, given, "hydra", package=None, resolve=resolve)
    return text.getvalue().lstrip("\n")


@contextmanager
def _hydra(
    recipe: str, overrides: Sequence[str], config_dirs: Sequence[str | Path], trust: Sequence[str]
) -> Iterator[tuple[Hydra, list[str]]]:
    """Hydra itself over a recipe, and the overrides for it; what it changes in the process is put back."""
    from hydra._internal.hydra import Hydra
    from hydra.core.hydra_config import HydraConfig

    from framework.config.compose.loader import (
        Loader,
        all_roots,
        find_plugins,
        groups_of,
        hydra_behaviour,
        quiet,
        recipe_override,
        search_path,
    )
    from framework.config.compose.names import find
    from framework.config.compose.overrides import read_overrides

    entry = find(recipe, config_dirs)
    before = HydraConfig.instance().cfg
    with hydra_behaviour():
        find_plugins()
        loader = Loader(search_path(all_roots(entry, config_dirs), trust))
        words = read_overrides(overrides, groups_of(loader), trust=trust)
        try:
            yield (
                Hydra(entry.name, loader),
                [recipe_override(entry), *(word.for_hydra for word in words), *quiet(words)],
            )
        finally:
            HydraConfig.instance().cfg = before


@contextmanager
def _root_logger() -> Iterator[None]:
    """Hydra prints by adding a handler to the root logger; take it off again."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
