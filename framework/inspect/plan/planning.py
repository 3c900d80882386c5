"""The plan of a recipe for several numbers of devices."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from framework.config import compose
from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError, Problem, RunError
from framework.inspect.plan.advice import Attempt, advise
from framework.inspect.plan.measured import Measured
from framework.inspect.plan.process import Request, measured
from framework.inspect.plan.roofline import Hardware, Times, times
from framework.inspect.plan.stand_in import LARGEST, smaller, too_many

KEY = "parallel.devices"


@dataclass(frozen=True)
class Outcome:
    """What one number of devices comes to.

    Attributes:
      fits: whether the peak is within `hbm`; None where no memory was told.
      attempts: changes that were tried because it does not fit.
    """

    found: Measured
    times: Times
    fits: bool | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Plan:
    """A recipe on several numbers of devices."""

    subject: str
    hardware: Hardware
    outcomes: tuple[Outcome, ...]


def split_devices(overrides: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The overrides without `parallel.devices=8,64`, and its numbers.

    Raises:
      ConfigError: one of them is no positive integer.
    """
    kept = tuple(word for word in overrides if word.lstrip("+").partition("=")[0] != KEY)
    asked = [word.partition("=")[2] for word in overrides if word.lstrip("+").partition("=")[0] == KEY]
    if not asked:
        return kept, ()
    words = [word.strip() for word in asked[-1].strip("[]").split(",")]
    wrong = [word for word in words if not (word.isascii() and word.isdigit() and int(word) > 0)]
    if wrong:
        fitting = [word for word in words if word not in wrong]
        fix = f"{KEY}={','.join(fitting) or '8'}"
        raise ConfigError([Problem(KEY, f"'{word}' devices", "positive integers: 8,64,512", fix=fix) for word in wrong])
    return kept, tuple(dict.fromkeys(int(word) for word in words))


def plan(request: Request, hardware: Hardware, *, patience_s: float) -> Plan:
    """Plan a recipe.

    Args:
      request: with `parallel.devices=8,64,512` among its overrides.
      patience_s: a program that takes longer to compile is told from that of a smaller mesh.

    Raises:
      ConfigError: the recipe is wrong, or does not fit one of the numbers of devices.
      RunError: a program cannot be compiled in time and no smaller one tells of it.
    """
    kept, counts = split_devices(request.overrides)
    base = _load(request.having(kept))
    if base.config.parallel.type == "single":
        counts = (1,)
    elif not counts:
        own = getattr(base.config.parallel, "devices", None)
        if own is None:
            fix = f"{KEY}=8,64,512"
            raise ConfigError(Problem(KEY, "nothing says for how many devices", "one number or more", fix=fix))
        counts = (own,)
    requests = [request.having(_with_devices(kept, count, base), count) for count in counts]
    recipes = [_load(one) for one in requests]  # all of them first: a mistake is told before anything is compiled
    _require_told(requests, recipes)
    # Each is compiled in a process of its own, so threads that wait for them are enough.
    with ThreadPoolExecutor(min(len(requests), os.cpu_count() or 1)) as pool:
        outcomes = tuple(pool.map(lambda one, recipe: _outcome(one, recipe, hardware, patience_s), requests, recipes))
    return Plan(base.subject, hardware, outcomes)


def _require_told(requests: Sequence[Request], recipes: Sequence[Loaded]) -> None:
    """Raise a ConfigError where there are more devices than are simulated, and no smaller mesh tells of them."""
    problems = []
    for request, loaded in zip(requests, recipes, strict=True):
        section, rows = loaded.config.parallel, loaded.config.data.batch_size
        if request.devices > LARGEST and smaller(section, request.devices, rows) is None:
            problems.append(too_many(section, request.devices, rows))
    if problems:
        raise ConfigError(problems, recipes[0].subject)


def _with_devices(words: tuple[str, ...], count: int, base: Loaded) -> tuple[str, ...]:
    return words if base.config.parallel.type == "single" else (*words, f"{KEY}={count}")


def _load(request: Request) -> Loaded:
    return compose.load(request.recipe, request.overrides, config_dirs=request.config_dirs, trust=request.trust)


def _outcome(request: Request, loaded: Loaded, hardware: Hardware, patience_s: float) -> Outcome:
    found = _measured(request, loaded, patience_s)
    if found is None:
        raise RunError(_late(request, loaded, patience_s))
    fits = None if hardware.hbm is None else found.peak <= hardware.hbm
    attempts: list[Attempt] = []
    if fits is False and hardware.hbm is not None:

        def changed(words: tuple[str, ...]) -> Measured | None:
            altered = request.having(merged(request.overrides, words))
            return _measured(altered, _load(altered), patience_s, whole=found.compiled == found.devices)

        attempts = advise(found, loaded.config, hardware.hbm, changed)
    return Outcome(found, times(found, hardware), fits, tuple(attempts))


def _measured(request: Request, loaded: Loaded, patience_s: float, *, whole: bool = True) -> Measured | None:
    """What the recipe needs, if need be as a smaller mesh tells; None where that takes too long, too.

    Args:
      whole: whether the program for all devices may be tried.
    """
    simulated = request.devices <= LARGEST
    found = measured(request, patience_s) if simulated and whole else None
    if found is not None:
        return found
    stand_in = smaller(loaded.config.parallel, request.devices, loaded.config.data.batch_size)
    if stand_in is None:
        return None
    small = measured(request.having(merged(request.overrides, stand_in.words), stand_in.devices), patience_s)
    if small is None:
        return None
    from framework.inspect.plan.closed_form import enlarged  # loads JAX, which a mistake need not wait for

    late = f"compiling for {request.devices} devices takes longer than {patience_s:g} s"
    return enlarged(small, loaded, stand_in, late if simulated else f"XLA simulates at most {LARGEST} devices")


def _late(request: Request, loaded: Loaded, patience_s: float) -> Problem:
    stand_in = smaller(loaded.config.parallel, request.devices, loaded.config.data.batch_size)
    also = "" if stand_in is None else f", and so does compiling for {stand_in.devices}"
    return Problem(
        "--patience",
        f"compiling for {request.devices} devices takes longer than {patience_s:g} s{also}",
        fix=f"--patience {4 * patience_s:g}",
    )


def merged(words: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    """Overrides with others in the place of those that set the same; a section takes its members with it."""
    keys = [word.partition("=")[0] for word in more]

    def kept(word: str) -> bool:
        key = word.lstrip("+~").partition("=")[0]
        return not any(key == new or ("." not in new and key.startswith(f"{new}.")) for new in keys)

    return (*(word for word in words if kept(word)), *more)
