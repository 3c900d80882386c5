"""A sweep that is asked for, understood: its overrides sorted, its section read, its space and sampler made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.config.compose.axes import first_value
from framework.config.compose.jobs import Jobs, typed
from framework.config.compose.overrides import Word
from framework.config.compose.pipeline import Recipe
from framework.config.compose.resolve import Resolved
from framework.config.compose.sweeping import folder_override, fresh_folder
from framework.config.schema.sweep import Sweep
from framework.config.validation.check import frozen, validate
from framework.core.errors import ConfigError, Problem
from framework.sweep.declared import declared
from framework.sweep.objective import check_objectives, reported
from framework.sweep.samplers import sampler
from framework.sweep.search.suited import check_search
from framework.sweep.space import Look, Sampler, Seen, Space

SECTION = "sweep"
_OURS = "hydra/sweeper=sampler"


@dataclass(frozen=True)
class Request:
    """A sweep as it is asked for; plain, so that it can be sent to another process.

    Attributes:
      stages: that each member runs; by default those of its recipe.
      single: without an axis there is one trial; otherwise that is refused.
    """

    recipe: str
    overrides: tuple[str, ...]
    stages: tuple[str, ...] | None = None
    config_dirs: tuple[str | Path, ...] = ()
    trust: tuple[str, ...] = ()
    single: bool = False


@dataclass(frozen=True, eq=False)
class Prepared:
    """A sweep that can be run.

    Attributes:
      jobs: the recipe and the command line's overrides.
      section: the recipe's section `sweep`, overrides applied.
      space: what is tried.
      sampler: who proposes; None where a sweeper of Hydra's does.
      fixed: overrides that every member has, as typed.
      base: the recipe with one choice of values, interpolations as written.
      tree: the same, resolved.
      stages: of each member.
    """

    request: Request
    jobs: Jobs
    section: Sweep
    space: Space
    sampler: Sampler | None
    fixed: tuple[str, ...]
    base: Mapping[str, Any]
    tree: Mapping[str, Any]
    stages: tuple[str, ...]

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.jobs.recipe.entry.name

    def overrides(self, swept: Sequence[str]) -> list[str]:
        """All overrides of a member, from those of its axes: the recipe's axes first, the rest as typed."""
        by_element = {text.partition("=")[0]: text for text in swept}
        own = []
        for word in self._words:
            if not word.parsed.is_sweep_override():
                own.append(word.text)
            elif (element := word.text.partition("=")[0]) in by_element:
                own.append(by_element.pop(element))
        return [*by_element.values(), *own]

    def for_hydra(self, swept: Sequence[str]) -> list[str]:
        """All overrides of a member as Hydra takes them."""
        elements = {axis.element: axis.for_hydra.partition("=")[0] for axis in self.space.axes}
        elements |= {word.text.partition("=")[0]: word.for_hydra.partition("=")[0] for word in self._words}
        parts = [text.partition("=") for text in self.overrides(swept)]
        return self.jobs.given((), [f"{elements.get(key, key)}{sign}{value}" for key, sign, value in parts])

    def swept(self, job: Sequence[str]) -> list[str]:
        """Those of a job's overrides, as Hydra has them, that not every member has."""
        texts = {axis.for_hydra.partition("=")[0]: f"{axis.element}=\0" for axis in self.space.axes}
        return [text for text in typed(job, texts | self.jobs.texts) if text not in self.fixed]

    def given(self, folder: Path, launcher: str) -> list[str]:
        """What Hydra is given for the sweep."""
        hydra = [word for word in self.jobs.words if word.kind == "hydra" and word.text != _OURS]
        extra = [folder_override(str(folder))]
        if not self.jobs.chose("hydra/launcher"):
            extra.append(f"hydra/launcher={launcher}")
        if self.sampler is None:
            axes = [axis.for_hydra for axis in self.space.axes]
            known = {word.for_hydra for word in self._words}
            extra += [text for text in axes if text not in known]
            return self.jobs.given([*self._words, *hydra], extra)
        words = [word for word in self._words if not word.parsed.is_sweep_override()]
        return self.jobs.given([*words, *hydra], [*extra, _OURS])

    @property
    def _words(self) -> list[Word]:
        return [word for word in self.jobs.words if word.kind != "hydra" and not _is_section(word)]

    def folder(self) -> Path:
        """The folder of the sweep: as the command says, else as the recipe says, else a new one."""
        for word in self.jobs.words:
            if word.parsed.key_or_group == "hydra.sweep.dir":
                return Path(str(word.parsed.value()))
        return Path(self.section.dir or fresh_folder(self.name))


def prepare(request: Request) -> Prepared:
    """Understand a sweep; nothing is written.

    Raises:
      ConfigError: the recipe, an override, the section, an axis or the objective is wrong.
    """
    jobs = Jobs(request.recipe, request.overrides, request.config_dirs, request.trust)
    recipe = jobs.recipe
    words = [word for word in jobs.words if word.kind != "hydra"]
    axes = [word for word in words if word.parsed.is_sweep_override()]
    _refuse_swept_section(axes, recipe.subject)
    composition = recipe.compose([_one_value(word, jobs) for word in words])
    origins = composition.ledger.origins
    tree = Resolved(composition.tree).tree
    _refuse_hosts(tree, origins, recipe.subject)
    section = _section(tree, recipe, origins)
    fixed = tuple(word.text for word in words if word not in axes and not _is_section(word))
    if not request.single:
        _refuse_none(axes, section, origins, recipe.subject)
    space = declared(jobs, section, tree, origins, _looker(recipe, fixed), list(composition.choices))
    stages = request.stages or tuple((tree.get("run") or {}).get("stages") or ("train", "evaluate"))
    try:
        check_objectives(section, reported(tree, stages), origins, "evaluate" in stages)
        check_search(section, space, origins)
        foreign = jobs.chose("hydra/sweeper") and all(word.text != _OURS for word in jobs.words)
        if foreign:
            _refuse_foreign(space, origins.get("sweep.zip"))
        proposes = None if foreign else sampler(space, section, origins)
    except ConfigError as error:
        raise ConfigError(error.problems, recipe.subject) from None
    return Prepared(request, jobs, section, space, proposes, fixed, composition.tree, tree, stages)


def _is_section(word: Word) -> bool:
    return word.key.split(".")[0] == SECTION


def _refuse_swept_section(axes: Sequence[Word], subject: str) -> None:
    problems = []
    for word in axes:
        if _is_section(word):
            axis = word.text.removeprefix(f"{SECTION}.space.")
            fix = axis if axis != word.text else f"leave out {word.text}"
            found = "the sweep's own settings cannot be swept"
            problems.append(Problem(word.key, found, "one value, or the axis by itself", word.origin, fix))
    if problems:
        raise ConfigError(problems, subject)


def _refuse_none(axes: Sequence[Word], section: Sweep, origins: Mapping[str, str], subject: str) -> None:
    if not axes and not section.space:
        found, expected = "the sweep has no axis", "a key with several values"
        raise ConfigError(Problem("sweep.space", found, expected, origins.get("sweep.space"), "seed=range(8)"), subject)


def _refuse_hosts(tree: Mapping[str, Any], origins: Mapping[str, str], subject: str) -> None:
    """Several processes that each ran the whole sweep would all write the same folders."""
    if (tree.get("parallel") or {}).get("hosts") is not None:
        origin = origins.get("parallel.hosts")
        expected = "one process that proposes trials; others work on them by sweep.workers or a launcher"
        fix = "parallel.hosts=null, with hydra/launcher=ray or submitit_slurm for more machines"
        found = "the processes of one run cannot run a sweep together"
        raise ConfigError(Problem("parallel.hosts", found, expected, origin, fix), subject)


def _one_value(word: Word, jobs: Jobs) -> str:
    """An override with the first of its values."""
    if not word.parsed.is_sweep_override():
        return word.text
    try:
        return f"{word.text.partition('=')[0]}={first_value(word, jobs.loader)}"
    except ConfigError as error:
        raise ConfigError(error.problems, jobs.recipe.subject) from None


def _refuse_foreign(space: Space, zip_origin: str | None) -> None:
    """Hydra's sweepers know no zipped axes and no conditions."""
    expected, fix = "the project's own sweeper", "leave out hydra/sweeper"
    problems = [
        Problem(f"sweep.space.{axis.key}", "a sweeper of Hydra's knows no conditions", expected, axis.origin, fix)
        for axis in space.axes
        if axis.when
    ]
    if any(len(part.axes) > 1 for part in space.dimensions):
        problems.append(Problem("sweep.zip", "a sweeper of Hydra's knows no zipped axes", expected, zip_origin, fix))
    if problems:
        raise ConfigError(problems)


def _section(tree: Mapping[str, Any], recipe: Recipe, origins: Mapping[str, str]) -> Sweep:
    """The section alone, valid although other sections may not be before the axes are set."""
    try:
        return validate(tree, recipe.subject, origins=origins).sweep
    except ConfigError as error:
        own = [problem for problem in error.problems if problem.key.split(".")[0] == SECTION]
        if own:
            raise ConfigError(own, recipe.subject) from None
    return Sweep.model_validate(frozen(tree.get(SECTION) or {}))


def _looker(recipe: Recipe, fixed: Sequence[str]) -> Look:
    def look(overrides: Sequence[str]) -> Seen:
        composition = recipe.compose([*fixed, *overrides])
        tree = Resolved(composition.tree).tree

        def seen(key: str) -> Any:
            value: Any = tree
            for part in key.split("."):
                value = value[part] if isinstance(value, Mapping) else {}[part]
            choice = composition.choices.get(key.replace(".", "/"))
            return choice[0] if choice is not None and isinstance(value, Mapping) else value

        return seen

    return look
