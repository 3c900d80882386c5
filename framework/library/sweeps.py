"""Sweeps from Python: run one, or open one that ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

from framework.config.compose.pipeline import Recipe
from framework.config.validation.wording import as_override
from framework.library.arguments import Overrides, override_words, recipe_word
from framework.library.data import array_words
from framework.library.sweep_results import SweepResult
from framework.sweep.driver import sweep as run_sweep
from framework.sweep.prepared import Request
from framework.sweep.report.gathered import gather
from framework.sweep.table import SweepTable
from framework.sweep.values import is_endless, overrides_of

DRAWS = 32
"""How many trials are drawn from a space that has intervals, where nobody says how many."""


def sweep(
    recipe: str | PathLike[str],
    space: Mapping[str, Any],
    *,
    objective: str | Sequence[str] | None = None,
    direction: str | Sequence[str] | None = None,
    sampler: str | None = None,
    trials: int | None = None,
    overrides: Overrides = (),
    data: Any = None,
    directory: str | Path | None = None,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
    progress: bool = False,
) -> SweepResult:
    """Run a recipe with many settings; what shares a program runs as one.

    The same call with the same directory finishes what is unfinished.

    Args:
      space: config key or group -> its values: `log_uniform(1e-4, 1e-1)`, `uniform(0, 1)`, `choice("adam", "lion")`, a
        list, a range, or text in Hydra's grammar.
      objective: what trials are judged by, `valid.loss` where the recipe says nothing else; several for `nsga2`.
      direction: `minimize`, the default, or `maximize`; one for each objective.
      sampler: who proposes; by default every combination, and for a space with intervals `random`.
      trials: how many; by default all combinations, and 32 for `random`.
      overrides: of the recipe, for all trials, as `fw.load` takes them.
      data: arrays in the place of the recipe's data, as `fw.load` takes them; trials then run in this process.
      directory: the folder of the sweep; by default a new one, `runs/<recipe>/sweep-<time>`.
      progress: show a table of where the sweep is.

    Raises:
      ConfigError: with every problem of the recipe, the space and the overrides; nothing has run.
      RunError: the directory holds another sweep.
    """
    fixed = override_words(overrides)
    chosen = sampler is not None or any(text.startswith(("sweep.sampler=", "sweep=")) for text in fixed)
    if is_endless(space) and not chosen:
        sampler, trials = "random", trials or DRAWS
    given = {"objective": objective, "direction": direction, "sampler": sampler, "trials": trials, "dir": directory}
    held, name = None, recipe_word(recipe)
    if data is not None:
        fixed, held = array_words(Recipe(name, config_dirs=config_dirs, trust=trust), fixed, data)
    words = [f"sweep.{name}={_spelled(value)}" for name, value in given.items() if value is not None]
    request = Request(name, (*fixed, *overrides_of(space), *words), None, tuple(map(str, config_dirs)), tuple(trust))
    with ExitStack() as stack:
        table = stack.enter_context(SweepTable(print)) if progress else None
        result = run_sweep(request, tell=table.say, directors=[table]) if table is not None else run_sweep(request)
    return SweepResult(gather(result.folder), trust, held)


def open_sweep(path: str | Path, *, trust: Sequence[str] = ()) -> SweepResult:
    """What the sweep in a folder came to, or has come to so far.

    Raises:
      RunError: the folder holds no sweep.
    """
    return SweepResult(gather(Path(path)), trust)


def _spelled(value: Any) -> str:
    return as_override(str(value) if isinstance(value, Path) else value)
