"""The samplers that learn from results: whether they are installed and fit the space. Optuna is imported late."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, Problem
from framework.sweep.search.quasi import Quasi
from framework.sweep.space import Sampler, Space

EXTRA = "pip install 'framework[sweep]'"
_NEEDS = {"tpe": ("optuna",), "cmaes": ("optuna", "cmaes"), "gp": ("optuna", "torch"), "nsga2": ("optuna",)}


def learning(space: Space, section: Sweep, origins: Mapping[str, str]) -> Sampler:
    """The sampler that a recipe names, of those that are neither a grid nor drawn independently.

    Raises:
      ConfigError: a package is missing, the space does not suit the sampler, or its storage cannot be reached.
    """
    if section.sampler == "qmc":
        return Quasi(space, section.seed)
    origin = origins.get("sweep.sampler")
    for package in _NEEDS[section.sampler]:
        if find_spec(package) is None:
            fix = "pip install torch" if package == "torch" else EXTRA
            found = f"'{section.sampler}' needs {package}, which is not installed"
            fix = f"{fix}, or sweep.sampler={'tpe' if package == 'torch' else 'random'}"
            raise ConfigError(Problem("sweep.sampler", found, None, origin, fix))
    problems = _unsuited(space, section, origin)
    if problems:
        raise ConfigError(problems)
    from framework.sweep.search.asking import Asking
    from framework.sweep.search.study import check_storage

    if section.storage is not None:
        check_storage(section.storage, origins.get("sweep.storage"))
    return Asking(space, section)


def _unsuited(space: Space, section: Sweep, origin: str | None) -> list[Problem]:
    if section.sampler != "cmaes":
        return []
    from framework.sweep.search.distributions import is_numeric

    fix = "sweep.sampler=tpe"
    problems = [
        Problem(
            f"sweep.space.{part.axes[0].key}",
            f"cmaes cannot choose among {part.axes[0].text}",
            "intervals and ranges of whole numbers",
            part.axes[0].origin,
            fix,
        )
        for part in space.dimensions
        if not is_numeric(part)
    ]
    if space.conditional:
        problems.append(Problem("sweep.space", "cmaes knows no conditional axes", "no `when`", origin, fix))
    if len(space.dimensions) < 2:
        problems.append(Problem("sweep.space", "cmaes needs at least two axes", "two or more", origin, fix))
    if len(section.objectives) > 1:
        found = f"cmaes has one objective, not {len(section.objectives)}"
        problems.append(Problem("sweep.objective", found, "one", origin, "sweep.sampler=nsga2"))
    return problems
