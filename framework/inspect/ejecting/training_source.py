"""Loss, optimizer and schedule of a recipe as source."""

from __future__ import annotations

from inspect import signature
from itertools import groupby
from typing import Any

import jax
import jax.numpy as jnp

from framework.build.experiment import Experiment
from framework.config.language.graph import REGULARIZER
from framework.core.trees import named_leaves
from framework.core.words import listed
from framework.inspect.ejecting.adapting import literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.trace import Trace
from framework.inspect.ejecting.writing import WIDTH, expression, statement
from framework.network.marks import penalties
from framework.objectives import losses
from framework.optim import optimizers, schedules
from framework.optim.building import SHARED

_COMPUTED = ("outputs", "intermediates")


def loss_source(experiment: Experiment, closure: Closure, trace: Trace, reads: list[str], *, masked: bool) -> str:
    """The function `loss`: the total, and what is logged by name.

    Args:
      reads: what it takes besides outputs and batch, such as `costs`.
      masked: whether a batch may have rows that do not count.
    """
    names = [*experiment.losses, *([REGULARIZER] if experiment.network.regularized else [])]
    arguments = ["outputs", "batch", "hyper", *reads]
    rows = "real rows" if masked else "rows"
    about = f'    """The weighted sum of {listed(names)} over the {rows} of a batch, and its parts by name."""'
    if len(about) > WIDTH:
        about = f'    """The weighted sum of the losses over the {rows} of a batch, and its parts by name."""'
    lines = [
        f"def loss({', '.join(f'{name}: Any' for name in arguments)}) -> tuple[Any, dict[str, Any]]:",
        about,
        "    total, parts = jnp.zeros((), jnp.float32), {}",
    ]
    for name, bound in experiment.losses.items():
        if bound.target is not None:
            continue  # refused before anything is written
        wires = {word: _path(path, trace) for word, path in bound.wires.items()}
        if bound.type == "expr":
            if _half(experiment):
                wires = {
                    word: f"jnp.asarray({wire}, jnp.float32)" if bound.wires[word].split(".")[0] in _COMPUTED else wire
                    for word, wire in wires.items()
                }
            value = expression(str(bound.plain["expression"]), wires)
            if not value.startswith("costs[") or not value.endswith('"]'):
                value = f"jnp.asarray({value}, jnp.float32)"
        else:
            function = closure.add("framework.objectives.losses", bound.type)
            words = [f"{word}={wire}" for word, wire in wires.items()]
            words += _set(getattr(losses, bound.type), bound.plain)
            words += [f'{word}=hyper["{key}"]' for word, key in bound.traced.items()]
            value = f"{function}({', '.join(words)})"
        mean = "values.mean()"
        if masked:
            mean = f'{closure.add("framework.objectives.masks", "masked_mean")}(values, batch["mask"])'
        lines += [
            *statement("    values = ", value),
            f'    parts["{name}"] = {mean}',
            f'    total = total + hyper["losses.{name}.weight"] * parts["{name}"]',
        ]
    if experiment.network.regularized:
        lines += [
            f'    parts["{REGULARIZER}"] = penalty(params, hyper)',
            f'    total = total + parts["{REGULARIZER}"]',
        ]
    result = '    return total, {"loss": total}' + (" | parts" if len(names) > 1 else "")
    text = "\n".join([*lines, result])
    return f"{_penalty(experiment, trace.variables['params'])}\n\n\n{text}" if experiment.network.regularized else text


def _penalty(experiment: Experiment, params: Any) -> str:
    """The function `penalty`: the sum of what the nodes' regularizers add."""
    arrays = named_leaves(params)
    terms = penalties(experiment.network.graph, arrays)
    lines = [
        "def penalty(params: Any, hyper: dict[str, Any]) -> jax.Array:",
        '    """The sum of the kernels\' regularizers: weight · sum |w| or weight · sum w²."""',
        "    total = jnp.zeros((), jnp.float32)",
    ]
    for path, group in groupby(terms, lambda term: term.path):
        kernel = "params" + "".join(f'["{part}"]' for part in path.split("."))
        narrow = jnp.promote_types(arrays[path].dtype, jnp.float32) != arrays[path].dtype
        lines.append(f"    kernel = {kernel}{'.astype(jnp.float32)' if narrow else ''}")
        for term in group:
            size = "jnp.abs(kernel)" if term.kind == "l1" else "jnp.square(kernel)"
            lines.append(f'    total = total + hyper["{term.key}"] * {size}.sum()')
    return "\n".join([*lines, "    return total"])


def _half(experiment: Experiment) -> bool:
    """Whether a layer computes in half precision, which formulas of losses are given as float32."""
    return any(getattr(node.body, "dtype", None) in ("bfloat16", "float16") for node in experiment.network.graph.walk())


def _path(path: str, trace: Trace) -> str:
    """A key path as Python; what a node gave stands where its module put it."""
    first, _, rest = path.partition(".")
    parts = trace.place(rest) if first == "intermediates" else rest.split(".")
    told = "[0]" if first == "intermediates" else ""  # Flax keeps all that one name was given
    return first + "".join(f'["{part}"]' for part in parts) + told


def optimizer_source(experiment: Experiment, closure: Closure, params: Any) -> str:
    """The functions `learning_rate` and `optimizer`; `params` has the shapes and dtypes."""
    spec, hyper = experiment.config.optimizer, experiment.hyper
    every = spec.accumulate_steps
    schedule = dict(spec.schedule.arguments())
    fraction = schedule.pop("warmup_fraction", None)
    if fraction is not None:
        schedule["warmup_steps"] = round(fraction * experiment.total_steps)
    shape = closure.add("framework.optim.schedules", spec.schedule.type)
    words = _words(getattr(schedules, spec.schedule.type), schedule, "optimizer.schedule", hyper)
    shaped = f"{shape}({', '.join(['total_steps=TOTAL_STEPS', *words])})"
    direction = {name: value for name, value in spec.arguments().items() if name not in SHARED}
    method = closure.add("framework.optim.optimizers", spec.type)
    clips = [
        f"optax.{clip}({_value(f'optimizer.{word}', getattr(spec, word), hyper)})"
        for word, clip in (("clip_value", "clip"), ("clip_norm", "clip_by_global_norm"))
        if getattr(spec, word) is not None
    ]
    rate = "lambda update: learning_rate(update * ACCUMULATE_STEPS, hyper)"
    words = _words(getattr(optimizers, spec.type), direction, "optimizer", hyper)
    inner = [f"{method}(", *(f"    {word}," for word in (rate, *words)), ")"]
    if clips:
        inner = ["optax.chain(", *(f"    {clip}," for clip in clips), *(f"    {line}" for line in inner), ")"]
        inner[-2] += ","
    chain = "\n".join(["    chain = " + inner[0], *(f"    {line}" for line in inner[1:])])
    result = "optax.MultiSteps(chain, ACCUMULATE_STEPS).gradient_transformation()" if every > 1 else "chain"
    if _is_narrow(params):
        result = f"{closure.add('framework.optim.precision', 'in_float32')}({result})"
    if result == "chain":
        chain, result = chain.replace("    chain = ", "    return ", 1), ""
    ending = f"\n    return {result}" if result else ""
    # Also by 1, which is no program's business but decides in which operations XLA computes the last bit.
    first = "step // ACCUMULATE_STEPS * ACCUMULATE_STEPS"
    base = _value("optimizer.learning_rate", spec.learning_rate, hyper)
    told = f"`{spec.type}` at the learning rate of each step"
    if clips:
        told += ", behind a limit of the gradients"
    schedule_line = "\n".join(statement("    schedule = ", shaped))
    return f'''def learning_rate(step: Any, hyper: dict[str, Any]) -> jax.Array:
    """The learning rate of a step: the base, and the schedule `{spec.schedule.type}` over the whole run."""
{schedule_line}
    return {base} * schedule({first})


def optimizer(hyper: dict[str, Any]) -> optax.GradientTransformation:
    """{told}."""
{chain}{ending}'''


def _is_narrow(params: Any) -> bool:
    """Whether a parameter has fewer digits than float32."""
    return any(jnp.promote_types(leaf.dtype, jnp.float32) != leaf.dtype for leaf in jax.tree.leaves(params))


def _words(function: Any, arguments: dict[str, Any], key: str, hyper: dict[str, Any]) -> list[str]:
    """Arguments as source: those that `hyper` holds, and those that the function has not by itself."""
    fixed = {name: value for name, value in arguments.items() if f"{key}.{name}" not in hyper}
    return [
        *(f'{name}=hyper["{key}.{name}"]' for name in arguments if name not in fixed),
        *_set(function, fixed),
    ]


def _set(function: Any, arguments: dict[str, Any]) -> list[str]:
    """The arguments that are not as a function has them by itself."""
    usual = signature(function).parameters
    return [f"{name}={literal(value)}" for name, value in arguments.items() if value != usual[name].default]


def _value(key: str, value: Any, hyper: dict[str, Any]) -> str:
    return f'hyper["{key}"]' if key in hyper else literal(value)
