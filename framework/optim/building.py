"""From the section `optimizer` to one Optax transformation, built inside the traced program.

The section is read by its attributes alone, so that this room needs to know nothing of the schema. Every scalar is
taken from `hyper` under its config key where it stands there, and from the section otherwise: `vmap` over `hyper` is a
sweep, and changing a value compiles nothing anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from framework.optim import optimizers, schedules
from framework.optim.precision import in_float32
from framework.optim.schedules import Schedule

Hyper = Mapping[str, Any]


class ComponentLike(Protocol):
    """What a section of the config shows of itself here."""

    @property
    def type(self) -> str: ...

    def arguments(self) -> dict[str, Any]: ...


class OptimizerLike(ComponentLike, Protocol):
    """The section `optimizer`."""

    @property
    def learning_rate(self) -> float: ...

    @property
    def schedule(self) -> Any: ...

    @property
    def clip_norm(self) -> float | None: ...

    @property
    def clip_value(self) -> float | None: ...

    @property
    def accumulate_steps(self) -> int: ...


SHARED = frozenset({"learning_rate", "schedule", "clip_norm", "clip_value", "accumulate_steps"})
"""Fields that every optimizer has and that are dealt with here, not by the optimizer's own function."""


def make_optimizer(
    spec: OptimizerLike, hyper: Hyper, *, total_steps: int, key: str = "optimizer"
) -> optax.GradientTransformation:
    """The optimizer that `spec` declares: clip by value, clip by norm, direction, weight decay, learning rate.

    With `accumulate_steps` above 1, the mean gradient of that many steps is taken first and the other steps leave the
    parameters alone; gradients of an incomplete last group are dropped. State and arithmetic are float32 also where
    parameters are of half precision.

    Args:
      hyper: traced scalars by config key, e.g. `optimizer.learning_rate`; keys of other sections are ignored.
      total_steps: steps of the whole run, which the schedule is stretched over.
      key: the config key of `spec`.
    """
    arguments = {
        name: _value(hyper, f"{key}.{name}", value) for name, value in spec.arguments().items() if name not in SHARED
    }
    every = spec.accumulate_steps

    def learning_rate(update: ArrayLike) -> jax.Array:
        return learning_rate_at(spec, hyper, jnp.asarray(update) * every, total_steps, key=key)

    clip_value = _value(hyper, f"{key}.clip_value", spec.clip_value)
    clip_norm = _value(hyper, f"{key}.clip_norm", spec.clip_norm)
    inner = optax.chain(
        optax.identity() if clip_value is None else optax.clip(clip_value),
        optax.identity() if clip_norm is None else optax.clip_by_global_norm(clip_norm),
        getattr(optimizers, spec.type)(learning_rate, **arguments),
    )
    return in_float32(optax.MultiSteps(inner, every).gradient_transformation() if every > 1 else inner)


def make_schedule(spec: ComponentLike, hyper: Hyper, *, total_steps: int, key: str = "optimizer.schedule") -> Schedule:
    """The schedule that `spec` declares: step -> share of the learning rate."""
    arguments = {name: _value(hyper, f"{key}.{name}", value) for name, value in spec.arguments().items()}
    fraction = arguments.pop("warmup_fraction")
    if fraction is not None:
        arguments["warmup_steps"] = round(fraction * total_steps)
    return getattr(schedules, spec.type)(total_steps=total_steps, **arguments)


def learning_rate_at(
    spec: OptimizerLike, hyper: Hyper, step: ArrayLike, total_steps: int, *, key: str = "optimizer"
) -> jax.Array:
    """The learning rate of the update that step number `step` takes part in; float32 scalar.

    It is a function of the first step of its group of `accumulate_steps`, so that all steps of a group agree.
    """
    schedule = make_schedule(spec.schedule, hyper, total_steps=total_steps, key=f"{key}.schedule")
    base = jnp.asarray(_value(hyper, f"{key}.learning_rate", spec.learning_rate), jnp.float32)
    return base * schedule(jnp.asarray(step) // spec.accumulate_steps * spec.accumulate_steps)


def _value(hyper: Hyper, key: str, default: Any) -> Any:
    return hyper.get(key, default)
