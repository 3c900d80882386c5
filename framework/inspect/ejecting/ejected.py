"""`fw eject`: the script of a recipe, and the arrays that it trains on."""

from __future__ import annotations

import io
import pprint
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from framework.build.experiment import Experiment
from framework.config.compose import Loaded
from framework.core.errors import ConfigError, Problem
from framework.core.words import listed
from framework.inspect.ejecting.adapting import literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.network_source import HELPERS, Classes
from framework.inspect.ejecting.training_source import LOOP, loss_source, optimizer_source
from framework.lowering.choice import Choices
from framework.train.feed import is_resident
from framework.train.setup import Setup

_OWN_NAMES = (
    *("State", "streams", "apply", "init", "step", "rows", "gather", "run_step", "load", "train", "main", "loss"),
    *("learning_rate", "optimizer", "argparse", "NamedTuple", "Any", "Path", "np", "jax", "jnp", "nn", "optax"),
    *("partial", "annotations", *HELPERS),
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
    dataset = setup.dataset
    closure = Closure(set(_OWN_NAMES))
    problems = _refused(setup)
    classes = Classes(closure, problems)
    params = jax.eval_shape(experiment.init).params
    root = classes.network(experiment.network.graph, params, "Network")
    if problems:
        raise ConfigError(problems).located(loaded.origins, loaded.subject)
    parts = [loss_source(experiment, closure), optimizer_source(experiment, closure)]
    for module, name in (
        ("framework.network.context", "Context"),
        ("framework.core.random", "base_key"),
        ("framework.core.random", "derive"),
        ("framework.data.streams", "permutation"),
    ):
        closure.add(module, name)
    forms = _forms(experiment.choices, closure)
    train = dataset.splits["train"]
    text = _script(experiment, closure, classes, root, parts, forms, loaded.subject, script.with_suffix(".npz"), train)
    return Ejected(text, _packed({name: np.asarray(array) for name, array in dataset.arrays("train").items()}))


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
    """What of the recipe a script cannot have."""
    experiment, config = setup.experiment, setup.config
    problems = []
    if config.parallel.type not in ("auto", "single"):
        problems.append(
            Problem("parallel.type", f"the layout '{config.parallel.type}'", "one device", fix="parallel=single")
        )
    if "trainer.ema_decay" in experiment.hyper:
        problems.append(Problem("trainer.ema_decay", "a moving average", "none", fix="trainer.ema_decay=null"))
    if not is_resident(config.data.resident, setup.dataset.nbytes("train")):
        problems.append(
            Problem(
                "data.resident", "the data is read while training", "data that is held whole", fix="data.resident=true"
            )
        )
    for name, bound in experiment.losses.items():
        for word, path in bound.wires.items():
            if path.partition(".")[0] not in ("batch", "outputs"):
                problems.append(
                    Problem(f"losses.{name}.{word}", f"reads {path}", "batch.… or outputs.…", fix=f"~losses.{name}")
                )
    return problems


def _forms(choices: Choices, closure: Closure) -> str:
    """The statement that chooses forms of operations, where the recipe names some; else nothing."""
    forms = {name: form for name, form in choices.forms.items() if form != "auto"}
    usual = Choices()
    if not forms and (choices.default, choices.memory) == (usual.default, usual.memory):
        return ""
    kind, current = (closure.add("framework.lowering.choice", name) for name in ("Choices", "_current"))
    return f"{current}.set({kind}({forms!r}, {literal(choices.default)}, {literal(choices.memory)}))"


def _script(
    experiment: Experiment,
    closure: Closure,
    classes: Classes,
    root: str,
    parts: list[str],
    forms: str,
    subject: str,
    arrays: Path,
    train: Any,
) -> str:
    config = experiment.config
    left = ["metrics", "validation", "early stopping", "checkpoints", "reports"]
    sections = list(closure.sections())
    helpers = [HELPERS[name] for name in sorted(classes.helpers)]
    masked = config.data.last_batch == "mask" and len(train) % config.data.batch_size != 0
    size, full = config.data.batch_size, len(train)
    steps = full // size if config.data.last_batch == "drop" else -(-full // size)
    fed = {
        path.removeprefix("batch."): (tuple(given.shape[1:]), str(given.dtype))
        for path, given in zip(experiment.inputs.values(), experiment.example_inputs().values(), strict=True)
    }
    hyper = {name: _Float32(value) for name, value in experiment.hyper.items() if name != "seed"}
    settings = [
        ("SEED", int(config.seed), "all that is random follows from it"),
        ("TOTAL_STEPS", experiment.total_steps, "steps of the optimizer, which the schedule is stretched over"),
        ("BATCH_SIZE", size, "examples in a step"),
        ("STEPS_PER_EPOCH", steps, "steps that visit every example once"),
        ("ACCUMULATE_STEPS", config.optimizer.accumulate_steps, "steps whose mean gradient makes one update"),
        ("SHUFFLE", config.data.shuffle, "each epoch visits the examples in an order of its own"),
        ("MASKED", masked, "the last batch of an epoch is filled up, and the rows that do so do not count"),
        ("LOG_EVERY", config.trainer.log_every_steps, "steps between lines"),
    ]
    lines = [
        f'"""The {subject} in plain JAX, Flax and Optax: `python FILE` trains it on {arrays.name}.',
        "",
        "Weights have the names that a run of the recipe gives them, so its parameters fit: `State.params`.",
        "Numbers in HYPER may be changed; those of the network's shape stand in its classes, at the end.",
        "",
        f"Left out are {listed(left)}.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *_imports(closure),
        "",
        *(f"{name} = {literal(value)}  # {why}" for name, value, why in settings),
        f'DATA = Path(__file__).parent / "{arrays.name}"',
        "# Arrays that the network takes: shape of one example, and number format.",
        "INPUTS: dict[str, tuple[tuple[int, ...], str]] = " + _table(fed),
        "# Numbers that the compiled step takes as inputs: changing one compiles nothing anew.",
        "HYPER: dict[str, Any] = " + _table(hyper),
    ]
    blocks = ["\n".join(lines)]
    for about, texts in sections:
        first, *rest = texts
        blocks += [f"{_rule(about)}\n\n\n{first}" if _is_block(first) else f"{_rule(about)}\n\n{first}", *rest]
    blocks += [
        f"{_rule('The network of the recipe.')}\n\n\n{(helpers + classes.texts)[0]}",
        *(helpers + classes.texts)[1:],
    ]
    blocks.append(f"NETWORK = {root}()" + (f"\n{forms}" if forms else ""))
    blocks += [f"{_rule('Training.')}\n\n\n{parts[0]}", *parts[1:], LOOP]
    return "\n\n\n".join(blocks) + "\n"


class _Float32:
    """A number that is written as NumPy's float32, with as few digits as tell it."""

    def __init__(self, value: Any) -> None:
        self.value = np.float32(value)

    def __repr__(self) -> str:
        return f"np.float32({self.value})"


def _is_block(text: str) -> bool:
    return text.startswith(("def ", "class ", "@"))


def _rule(about: str) -> str:
    return f"# {'-' * 117}\n# {about}"


def _table(values: dict[str, Any]) -> str:
    inside = "".join(f'\n    "{name}": {literal(value)},' for name, value in values.items())
    return "{" + inside + "\n}" if inside else pprint.pformat(values)


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
    lines = sorted(plain) + [
        f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(grouped.items())
    ]
    own = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    return [*own, "", *(line for line in lines if line not in own)]
