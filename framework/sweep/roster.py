"""Members out of overrides: recipes composed once, each in a run directory of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from framework.config.compose.jobs import numbering
from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError, Problem
from framework.sweep.members import Member
from framework.sweep.prepared import Prepared

_SUBDIR = "${hydra:job.num}"


class Roster:
    """The members of a sweep, as far as they are known.

    Args:
      prepared: what is swept.
      folder: the folder of the sweep.
      config: Hydra's configuration of the sweep.
    """

    def __init__(self, prepared: Prepared, folder: Path, config: DictConfig) -> None:
        self.prepared = prepared
        self.folder = folder
        self.config = config
        self._loaded: dict[tuple[str, ...], Loaded] = {}
        self._paths: dict[int, Path] = {}

    def load(self, swept: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[Loaded]:
        """The recipes of trials by the overrides of their axes; kept, for when they run.

        Raises:
          ConfigError: with every problem of every trial.
        """
        keys = [(*map(str, overrides), f"#{number}") for overrides, number in zip(swept, numbers, strict=True)]
        new = [index for index, key in enumerate(keys) if key not in self._loaded]
        if new:
            jobs = [self.prepared.overrides(swept[index]) for index in new]
            found = self.prepared.jobs.load_all(
                jobs, [swept[index] for index in new], self.config, numbers=[numbers[index] for index in new]
            )
            self._loaded |= {keys[index]: loaded for index, loaded in zip(new, found, strict=True)}
        return [self._loaded[key] for key in keys]

    def members(self, swept: Sequence[Sequence[str]], numbers: Sequence[int]) -> list[Member]:
        """The members of trials.

        Raises:
          ConfigError: a recipe is not valid, or two would share a run directory.
        """
        found = []
        for overrides, number, loaded in zip(swept, numbers, self.load(swept, numbers), strict=True):
            path = Path(loaded.config.run.dir) if loaded.config.run.dir else self._path(overrides, number)
            found.append(Member(number, _at(loaded, path, self.prepared.stages), path))
        self._refuse_shared(found)
        return found

    def _path(self, swept: Sequence[str], number: int) -> Path:
        if number not in self._paths:
            written = OmegaConf.to_container(self.config.hydra.sweep, resolve=False)
            assert isinstance(written, dict)
            subdir = str(number) if written["subdir"] == _SUBDIR else self._composed_subdir(swept, number)
            self._paths[number] = self.folder / subdir
        return self._paths[number]

    def _composed_subdir(self, swept: Sequence[str], number: int) -> str:
        """A folder's name that Hydra makes out of the job's overrides, which takes a composition of its own."""
        jobs = self.prepared.jobs
        config = jobs.sweep_configuration(self.config, self.prepared.for_hydra(swept))
        with numbering(config) as give:
            give(number)
            return str(OmegaConf.select(config, "hydra.sweep.subdir"))

    def _refuse_shared(self, members: Sequence[Member]) -> None:
        by_path: dict[Path, Member] = {}
        for member in members:
            other = by_path.setdefault(member.path, member)
            if other is not member:
                found = f"trials {other.number} and {member.number} have the same run directory, {member.path}"
                origin = member.loaded.origins.get("run.dir")
                fix = "leave out run.dir, or run.dir='runs/mine/${hydra:job.num}'"
                raise ConfigError(
                    Problem("run.dir", found, "one for each", origin, fix), self.prepared.jobs.recipe.subject
                )


def _at(loaded: Loaded, path: Path, stages: tuple[str, ...]) -> Loaded:
    """The recipe in its run directory, with the stages that the sweep has."""
    run = loaded.config.run.model_copy(update={"dir": str(path), "stages": stages})
    section = {**(loaded.tree.get("run") or {}), "dir": str(path), "stages": list(stages)}
    return replace(loaded, config=loaded.config.model_copy(update={"run": run}), tree={**loaded.tree, "run": section})
