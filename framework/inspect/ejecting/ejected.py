"""`fw eject`: the script of a recipe, and the arrays that it trains on."""

from __future__ import annotations

import ast
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from framework.build.experiment import Experiment
from framework.config.compose import Loaded
from framework.config.language.graph import Graph
from framework.core.errors import ConfigError, Problem
from framework.inspect.ejecting.adapting import literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.loop_source import Features, loop_source
from framework.inspect.ejecting.network_source import HELPERS, Classes
from framework.inspect.ejecting.preamble import imports, opening, settings
from framework.inspect.ejecting.refusals import refusals
from framework.inspect.ejecting.trace import Trace
from framework.inspect.ejecting.training_source import loss_source, optimizer_source
from framework.lowering.choice import Choices
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
    refused = refusals(setup)
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
    constants = settings(setup, features, trace.variables.get("params", {}), arrays)
    blocks = ["\n".join([opening(loaded.subject, script.name, arrays.name), *imports(closure), "", constants])]
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


def _rule(about: str) -> str:
    return f"# {'-' * 117}\n# {about}"
