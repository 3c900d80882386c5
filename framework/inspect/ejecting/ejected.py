"""`fw eject`: the script of a recipe, and the arrays that it trains on."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from flax import traverse_util

from framework.build.experiment import Experiment
from framework.config.compose import Loaded
from framework.config.language.graph import Graph
from framework.core.errors import ConfigError, Problem
from framework.core.trees import named_leaves
from framework.inspect.ejecting.adapting import literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.loop_source import Features, loop_source
from framework.inspect.ejecting.network_source import HELPERS, Classes
from framework.inspect.ejecting.trace import Trace
from framework.inspect.ejecting.training_source import loss_source, optimizer_source
from framework.lowering.choice import Choices
from framework.network.marks import frozen
from framework.train.feed import is_resident
from framework.train.setup import Setup

_OWN_NAMES = (
    *("State", "streams", "apply", "init", "step", "rows", "gather", "run_step", "load", "train", "main", "loss"),
    *("learning_rate", "optimizer", "penalty", "divided", "joined", "total_costs", "argparse", "NamedTuple", "Any"),
    *("Path", "np", "jax", "jnp", "nn", "optax", "partial", "annotations", "Network", "NETWORK", *HELPERS),
    *("SEED", "TOTAL_STEPS", "BATCH_SIZE", "STEPS_PER_EPOCH", "ACCUMULATE_STEPS", "LOG_EVERY", "DATA", "INPUTS"),
    *("HYPER", "FROZEN", "traverse_util"),
)


@dataclass(frozen=True)
class Ejected:
    """A script and what lies beside it.

    Attributes:
      script: its text.
      arrays: the training split, as the content of an NPZ file.
    """

    script: str
    arrays: bytes


def ejected(loaded: Loaded, script: Path) -> Ejected:
    """The script of a recipe in plain Flax and Optax.

    Args:
      script: where it will lie; the arrays lie beside it, under its name with `.npz`.

    Raises:
      ConfigError: the recipe holds what a script cannot have; all of it is told.
    """
    setup = Setup(loaded)
    experiment = setup.experiment
    graph = experiment.network.graph
    trace = Trace.of(graph, list(experiment.example_inputs().values()))
    read = frozenset(path for bound in experiment.losses.values() for path in bound.wires.values())
    features = _features(setup, trace, read)
    refused = _refused(setup)
    # Which initialisers are used can be told of the text alone: it is written twice, the second time without others.
    first = _Written.of(experiment, features, trace, read, refused, None)
    if refused:
        raise ConfigError(refused).located(loaded.origins, loaded.subject)
    written = _Written.of(experiment, features, trace, read, refused, first.words)
    closure, classes = written.closure, written.classes
    forms = _forms(experiment.choices, closure)
    network = [*(HELPERS[name] for name in sorted(classes.helpers)), *classes.texts]
    network.append("NETWORK = Network()" + (f"\n{forms}" if forms else ""))
    arrays = script.with_suffix(".npz")
    settings = _settings(setup, features, trace.variables.get("params", {}), arrays)
    blocks = ["\n".join([_opening(loaded.subject, script.name, arrays.name), *_imports(closure), "", settings])]
    for about, texts in [*closure.sections(), ("The network of the recipe.", network), ("Training.", written.training)]:
        first, *rest = texts
        gap = "\n\n\n" if first.startswith(("def ", "class ", "@", "#")) else "\n\n"
        blocks += [f"{_rule(about)}{gap}{first}", *rest]
    train = {name: np.asarray(array) for name, array in setup.dataset.arrays("train").items()}
    return Ejected("\n\n\n".join(blocks) + "\n", _packed(train))


@dataclass(frozen=True)
class _Written:
    """The parts of a script, and the definitions that they need."""

    closure: Closure
    classes: Classes
    training: list[str]

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        features: Features,
        trace: Trace,
        read: frozenset[str],
        refused: list[Problem],
        words: frozenset[str] | None,
    ) -> _Written:
        closure = Closure(set(_OWN_NAMES), words)
        classes = Classes(closure, trace, read, refused)
        classes.network(experiment.network.graph)
        training = [
            loss_source(experiment, closure, trace, list(features.reads), masked=features.masked),
            optimizer_source(experiment, closure, trace.variables.get("params", {})),
            *loop_source(features),
        ]
        for module, name in (
            ("framework.network.context", "Context"),
            ("framework.core.random", "base_key"),
            ("framework.core.random", "derive"),
        ):
            closure.add(module, name)
        if features.shuffle:
            closure.add("framework.data.streams", "permutation")
        if features.freezes:
            closure.use("traverse_util", "flax")
        return cls(closure, classes, training)

    @property
    def words(self) -> frozenset[str]:
        """All strings in layers and classes, and the arguments that classes are given."""
        nodes = [node for text in self.classes.texts for node in ast.walk(ast.parse(text))]
        strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        arguments = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
        return self.closure.strings() | strings | arguments


def _features(setup: Setup, trace: Trace, read: frozenset[str]) -> Features:
    """What the loop of a recipe deals with."""
    experiment, data = setup.experiment, setup.config.data
    roots = {path.partition(".")[0] for path in read}
    told = tuple(name for name in ("costs", "intermediates") if name in roots)
    needs_params = "params" in roots or experiment.network.regularized
    bodies = [node.body for node in experiment.network.graph.walk()]
    return Features(
        collections=tuple(trace.collections),
        told=told,
        reads=(*told, *(["params"] if needs_params else [])),
        by_step=any(isinstance(body, Graph) and body.wrap is not None and body.wrap.kind == "steps" for body in bodies),
        ema="trainer.ema_decay" in experiment.hyper,
        freezes=experiment.network.freezes,
        masked=data.last_batch == "mask" and len(setup.dataset.splits["train"]) % data.batch_size != 0,
        shuffle=data.shuffle,
    )


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    """An NPZ file: a ZIP archive of one NPY file for each array."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            # Without the time of day, so that the same recipe makes the same file.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    return held.getvalue()


def _refused(setup: Setup) -> list[Problem]:
    """What of the recipe a script cannot have, its network left out."""
    experiment, config = setup.experiment, setup.config
    problems = []
    if config.parallel.type not in ("auto", "single"):
        problems.append(
            Problem(
                "parallel.type",
                f"the layout '{config.parallel.type}' over devices",
                "one device, which a script is for",
                fix="parallel=single",
            )
        )
    problems += [
        Problem(bound.key, f"{bound.target} is code of yours, which a script does not copy", "a loss of the framework")
        for bound in experiment.losses.values()
        if bound.target is not None
    ]
    if config.trainer.mix is not None:
        problems.append(
            Problem(
                "trainer.mix",
                f"examples that are mixed with each other by {config.trainer.mix.type}",
                "batches as the data has them",
                fix="trainer.mix=null",
            )
        )
    if not is_resident(config.data.resident, setup.dataset.nbytes("train")):
        problems.append(
            Problem(
                "data.resident",
                "data that is read while training",
                "data that a script can hold whole",
                fix="data.resident=true",
            )
        )
    if config.data.shuffle and getattr(setup.dataset.splits["train"], "blocks", None) is not None:
        problems.append(
            Problem(
                "data.stream",
                "rows that are mixed group by group, as their file holds them",
                "a table that is read whole, whose order follows from the seed alone",
                fix="data.stream=false",
            )
        )
    shared = {node.path for node in experiment.network.graph.walk() if node.share and isinstance(node.body, Graph)}
    for name, bound in experiment.losses.items():
        for word, path in bound.wires.items():
            node = path.removeprefix("intermediates.")
            if node != path and any(node.startswith(f"{other}.") for other in shared):
                problems.append(
                    Problem(
                        f"losses.{name}.{word}",
                        f"reads {path}, which lies inside of a node that shares its weights",
                        "a node outside of it",
                        fix=f"~losses.{name}",
                    )
                )
    return problems


def _forms(choices: Choices, closure: Closure) -> str:
    """The statement that chooses forms of operations, where the recipe names some; else nothing."""
    forms = {name: form for name, form in choices.forms.items() if form != "auto"}
    usual = Choices()
    precision = choices.matmul_precision
    if not forms and (choices.default, choices.memory, precision) == (usual.default, usual.memory, None):
        return ""
    kind, current = (closure.add("framework.lowering.choice", name) for name in ("Choices", "_current"))
    told = f"{forms!r}, {literal(choices.default)}, {literal(choices.memory)}"
    if precision is None:
        return f"{current}.set({kind}({told}))"
    elsewhere = f'jax.config.update("jax_default_matmul_precision", {literal(precision)})'
    return (
        f"{current}.set({kind}({told}, matmul_precision={literal(precision)}))\n"
        f'if jax.default_backend() != "cpu":\n    {elsewhere}'
    )


def _opening(subject: str, script: str, arrays: str) -> str:
    """What stands above the imports."""
    return f'''"""The {subject} in plain JAX, Flax and Optax: `python {script}` trains it on {arrays}.

Weights have the names that a run of the recipe gives them, so its parameters fit: `State.params`.
Numbers in HYPER may be changed; those of the network's shape stand in its classes, near the end.

Left out are metrics, what probes log, validation, early stopping, checkpoints and reports.
"""

from __future__ import annotations
'''


def _settings(setup: Setup, features: Features, params: Any, arrays: Path) -> str:
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
    settings = [
        ("SEED", int(config.seed), "all that is random follows from it"),
        ("TOTAL_STEPS", experiment.total_steps, "steps of the optimizer, which the schedule is stretched over"),
        ("BATCH_SIZE", size, "examples in a step"),
        ("STEPS_PER_EPOCH", steps, "steps that visit every example once"),
        ("ACCUMULATE_STEPS", every, "steps whose mean gradient makes one update"),
        ("LOG_EVERY", config.trainer.log_every_steps, "steps between lines"),
    ]
    lines = [
        *(f"{name} = {literal(value)}  # {why}" for name, value, why in settings),
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


def _rule(about: str) -> str:
    return f"# {'-' * 117}\n# {about}"


def _listing(ends: str, items: Iterable[str]) -> str:
    """A list or dict with one item on each line."""
    inside = "".join(f"\n    {item}," for item in items)
    return f"{ends[0]}{inside}\n{ends[1]}" if inside else ends


def _imports(closure: Closure) -> list[str]:
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
