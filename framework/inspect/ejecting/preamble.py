"""The head of a script: what it says of itself, what it imports, and its constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from flax import traverse_util

from framework.core.trees import named_leaves
from framework.inspect.ejecting.adapting import literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.loop_source import Features
from framework.network.marks import frozen
from framework.train.setup import Setup


def opening(subject: str, script: str, arrays: str) -> str:
    """What stands above the imports."""
    return f'''"""The {subject} in plain JAX, Flax and Optax: `python {script}` trains it on {arrays}.

Weights have the names that a run of the recipe gives them, so its parameters fit: `State.params`.
Numbers in HYPER may be changed; those of the network's shape stand in its classes, near the end.

Left out are metrics, what probes log, validation, early stopping, checkpoints and reports.
"""

from __future__ import annotations
'''


def imports(closure: Closure) -> list[str]:
    """What the script imports: the standard library, then the others."""
    import sys

    found = dict(closure.imports) | {
        "argparse": ("argparse", None),
        "Path": ("pathlib", "Path"),
        "Any": ("typing", "Any"),
        "NamedTuple": ("typing", "NamedTuple"),
        "partial": ("functools", "partial"),
        "jax": ("jax", None),
        "jnp": ("jax.numpy", None),
        "np": ("numpy", None),
        "optax": ("optax", None),
        "nn": ("flax", "linen"),
    }
    plain, grouped = [], dict[str, list[str]]()
    for bound, (module, name) in found.items():
        if name is None:
            plain.append(f"import {module}" + (f" as {bound}" if bound != module else ""))
        else:
            grouped.setdefault(module, []).append(name + (f" as {bound}" if bound != name else ""))
    lines = sorted(plain)
    for module, names in sorted(grouped.items()):
        plain_names = [name for name in names if " as " not in name]
        renamed = [name for name in names if " as " in name]
        lines += [f"from {module} import {name}" for name in sorted(renamed)]
        if plain_names:
            lines.append(f"from {module} import {', '.join(sorted(plain_names))}")
    own = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    return [*own, "", *(line for line in lines if line not in own)]


def settings(setup: Setup, features: Features, params: Any, arrays: Path) -> str:
    """The constants of a script."""
    experiment, config = setup.experiment, setup.config
    size, full = config.data.batch_size, len(setup.dataset.splits["train"])
    steps, every = (
        full // size if config.data.last_batch == "drop" else -(-full // size),
        (config.optimizer.accumulate_steps),
    )
    fed = [
        (path.removeprefix("batch."), tuple(given.shape[1:]), str(given.dtype))
        for path, given in zip(experiment.inputs.values(), experiment.example_inputs().values(), strict=True)
    ]
    hyper = {name: _Float32(value) for name, value in experiment.hyper.items() if name != "seed"}
    constants = [
        ("SEED", int(config.seed), "all that is random follows from it"),
        ("TOTAL_STEPS", experiment.total_steps, "steps of the optimizer, which the schedule is stretched over"),
        ("BATCH_SIZE", size, "examples in a step"),
        ("STEPS_PER_EPOCH", steps, "steps that visit every example once"),
        ("ACCUMULATE_STEPS", every, "steps whose mean gradient makes one update"),
        ("LOG_EVERY", config.trainer.log_every_steps, "steps between lines"),
    ]
    lines = [
        *(f"{name} = {literal(value)}  # {why}" for name, value, why in constants),
        f'DATA = Path(__file__).parent / "{arrays.name}"',
        "# Arrays that the network takes: name, shape of one example, number format.",
        "INPUTS: list[tuple[str, tuple[int, ...], str]] = " + _listing("[]", map(literal, fed)),
        "# Numbers that the compiled step takes as inputs: changing one compiles nothing anew.",
        "HYPER: dict[str, Any] = " + _listing("{}", (f'"{name}": {literal(value)}' for name, value in hyper.items())),
    ]
    if features.freezes:
        paths = frozen(experiment.network.graph, named_leaves(params))
        starts = map(literal, _starts(params, {tuple(path.split(".")) for path in paths}))
        lines += [
            "# Where the parameters stand that stay as they are.",
            "FROZEN: list[tuple[str, ...]] = " + _listing("[]", starts),
        ]
    return "\n".join(lines)


def _starts(tree: Any, paths: set[tuple[str, ...]], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The fewest starts of paths that reach these leaves and no others."""
    leaves = traverse_util.flatten_dict({"": tree})
    if all((*before, *path[1:]) in paths for path in leaves):
        return [before]
    inside = (_starts(part, paths, (*before, name)) for name, part in tree.items() if isinstance(part, Mapping))
    own = [(*before, name) for name, part in tree.items() if not isinstance(part, Mapping)]
    return [*(path for path in own if path in paths), *(start for starts in inside for start in starts)]


class _Float32:
    """A number that is written as NumPy's float32, with as few digits as tell it."""

    def __init__(self, value: Any) -> None:
        self.value = np.float32(value)

    def __repr__(self) -> str:
        return f"np.float32({self.value!s})"


def _listing(ends: str, items: Iterable[str]) -> str:
    """A list or dict with one item on each line."""
    inside = "".join(f"\n    {item}," for item in items)
    return f"{ends[0]}{inside}\n{ends[1]}" if inside else ends
