"""An experiment: the pure functions `init`, `step`, `evaluate` and `predict` that a recipe declares.

They close over no arrays and keep no state, so `jax.jit`, `vmap`, `grad` and `eval_shape` apply to them as to any other
function. `hyper` is a flat mapping, config key -> scalar, of everything that may change without compiling anew; `vmap`
over `(state, hyper)` is a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from framework.build.across import merged_over, share_of_mean, summed_over
from framework.build.components import loss_values, make_metric
from framework.build.frozen import divided, joined
from framework.build.lowered import lowered
from framework.build.mixing import Mixed, mixed
from framework.build.stacks import stacked_axes
from framework.build.state import State
from framework.build.wiring import Bound, batch_arrays, network_inputs, probes, reads_costs, scope_tree
from framework.config.language.graph import REGULARIZER
from framework.config.schema.base import traced_values
from framework.config.schema.root import Config
from framework.core.errors import ConfigError, Problem
from framework.core.random import base_key, derive
from framework.core.trees import named_leaves
from framework.lowering.choice import Choices
from framework.lowering.narrow import precision_of
from framework.network import Network
from framework.network.marks import frozen, penalties, total_penalty
from framework.network.network import PROBED
from framework.objectives.metrics import Metric
from framework.optim import learning_rate_at, make_optimizer
from framework.parallel.inside import WHOLE, Inside

PROBE = "probe."
"""Begins the names under which what probes tell is logged."""

Arrays = Mapping[str, Any]
Hyper = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Experiment:
    """The pure functions of one recipe for one kind of data.

    Attributes:
      config: the validated recipe.
      arrays: batch array name -> shape and dtype of one example, without the batch axis.
      total_steps: optimizer steps of the whole run, which schedules are stretched over.
      inside: what the functions know of the layout over devices that they run in; see `within`.
    """

    config: Config
    arrays: Mapping[str, Any]
    total_steps: int
    inside: Inside = WHOLE

    @cached_property
    def choices(self) -> Choices:
        """Which forms the costly operations take."""
        trainer = self.config.trainer
        forms = {name: getattr(trainer.lowering, name) for name in type(trainer.lowering).model_fields}
        default = forms.pop("default")
        mesh = getattr(self.inside, "mesh", None)
        whole = mesh is None or mesh.size == 1
        return Choices(forms, default, trainer.memory, whole, precision_of(trainer.matmul_precision))

    def within(self, inside: Inside) -> Experiment:
        """The same functions for a layout over devices; they mean the same computation."""
        return self if inside is self.inside else replace(self, inside=inside)

    @cached_property
    def network(self) -> Network:
        """The declared network."""
        return Network(self.config.network, key="network", precision=self.config.trainer.precision)

    @cached_property
    def hyper(self) -> dict[str, Any]:
        """The traced scalars with the recipe's values: float32, and `seed` as uint32."""
        values: dict[str, float] = {}
        for section in ("losses", "optimizer", "trainer"):
            values |= traced_values(getattr(self.config, section), section)
        values |= dict(self.network.traced)
        # NumPy scalars, because a JAX array made while tracing would be a tracer that must not be kept.
        return {key: np.float32(value) for key, value in values.items()} | {"seed": np.uint32(self.config.seed)}

    @cached_property
    def losses(self) -> dict[str, Bound]:
        """The losses by name, bound to what they read."""
        keys = frozenset(self.hyper)
        if self.network.regularized and REGULARIZER in self.config.losses:
            raise ConfigError(
                Problem(
                    f"losses.{REGULARIZER}",
                    "a loss has the name under which the penalties of the network's nodes are told",
                    "another name",
                    f"~losses.{REGULARIZER} +losses.penalty=...",
                )
            )
        return {
            name: Bound.of(spec, f"losses.{name}", hyper_keys=keys, leave=("weight",))
            for name, spec in self.config.losses.items()
        }

    @cached_property
    def metric_wires(self) -> dict[str, Bound]:
        """The metrics by name, bound to what they read."""
        return {
            name: Bound.of(spec, f"metrics.{name}", hyper_keys=frozenset())
            for name, spec in self.config.metrics.items()
        }

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics by name: pure functions over mergeable states."""
        return {name: make_metric(bound) for name, bound in self.metric_wires.items()}

    @cached_property
    def inputs(self) -> dict[str, str]:
        """Network input -> key path of the batch array that feeds it."""
        read = batch_arrays(self.losses) | batch_arrays(self.metric_wires)
        return network_inputs(self.network.wiring, self.arrays, read)

    @cached_property
    def stacked(self) -> dict[str, int]:
        """Path of a parameter -> how many of its first dimensions count copies of a repeated node."""
        return stacked_axes(self.network, named_leaves(jax.eval_shape(self.init).params))

    def example_inputs(self, batch_size: int = 1) -> dict[str, jax.ShapeDtypeStruct]:
        """Shapes and dtypes of the network's inputs for a batch of `batch_size`."""
        return {
            name: _with_batch(self.arrays[path.removeprefix("batch.")], batch_size)
            for name, path in self.inputs.items()
        }

    def example_batch(self, batch_size: int) -> dict[str, jax.ShapeDtypeStruct]:
        """Shapes and dtypes of a batch, with its mask."""
        batch = {name: _with_batch(spec, batch_size) for name, spec in self.arrays.items()}
        return batch | {"mask": jax.ShapeDtypeStruct((batch_size,), jnp.float32)}

    @lowered
    def init(self, seed: int | jax.Array | None = None) -> State:
        """The state before the first step, all of it drawn from `seed` (by default the recipe's)."""
        rng = base_key(self.config.seed if seed is None else seed)
        inputs = self.example_inputs()
        spec = inputs if self.network.wiring else next(iter(inputs.values()))
        variables = dict(self.network.init(derive(rng, "init"), spec))
        params = variables.pop("params", {})
        return State(
            step=jnp.zeros((), jnp.int32),
            params=params,
            collections=variables,
            opt_state=self.optimizer(self.hyper).init(self._divided(params)[0]),
            rng=rng,
            ema=jax.tree.map(jnp.copy, params) if "trainer.ema_decay" in self.hyper else {},
        )

    def optimizer(self, hyper: Hyper) -> optax.GradientTransformation:
        """The optimizer for some traced scalars; its state has the same structure for all of them."""
        return make_optimizer(self.config.optimizer, hyper, total_steps=self.total_steps, key="optimizer")

    @lowered
    def step(self, state: State, batch: Arrays, hyper: Hyper | None = None) -> tuple[State, dict[str, jax.Array]]:
        """One optimizer step.

        Args:
          state: the state; its shapes and structure do not change.
          batch: arrays with a leading batch axis; `mask` ([batch] float32) marks real rows and may be left out.
          hyper: traced scalars; those left out have the recipe's values.

        Returns:
          The next state, and `{"loss": ..., "learning_rate": ..., <each loss by name where there are several>,
          <probe.NAME for what probes tell>}`, float32 scalars.
        """
        hyper = self.hyper | dict(hyper or {})
        key = derive(state.rng, "step", state.step)

        trained, kept = self._divided(state.params)
        mix = self._mixed(state, batch, hyper)
        fed = batch if mix is None else mix.first

        def objective(trained: Any) -> tuple[jax.Array, tuple[dict[str, Any], dict[str, jax.Array]]]:
            params = joined(trained, kept)
            variables = {"params": params, **state.collections}
            outputs, updates = self._apply(variables, fed, hyper, key=key, train=True)
            told = _told(updates)
            total, parts = self._loss(outputs, told, params, fed, hyper, self.inside.axis)
            if mix is not None:
                other = self._loss(outputs, told, params, mix.second, hyper, self.inside.axis)
                share = mix.share
                total, parts = jax.tree.map(lambda a, b: share * a + (1 - share) * b, (total, parts), other)
            parts |= _probe_means(updates, batch.get("mask"), self.inside.axis)
            return total, (updates, parts)

        # A policy about what to keep is that of all `remat` within it too, which would then keep nearly everything.
        # What is computed again brings its weights together again anyway; of the rest they are kept.
        again = any(node.remat for node in self.network.graph.walk())
        gradient = jax.value_and_grad(objective if again else self.inside.gathering(objective), has_aux=True)
        (_, (updates, logs)), gradients = gradient(trained)
        gradients, logs = summed_over(self.inside.axis, (gradients, logs))
        # What is frozen only fills the places that the layout knows.
        gradients, _ = self._divided(self.inside.pin_params(joined(gradients, kept)))
        changes, opt_state = self.optimizer(hyper).update(gradients, state.opt_state, trained)
        params = joined(optax.apply_updates(trained, changes), kept)
        ema = state.ema
        if "trainer.ema_decay" in self.hyper:
            decay = hyper["trainer.ema_decay"]
            ema = jax.tree.map(lambda average, value: decay * average + (1 - decay) * value, ema, params)
        logs["learning_rate"] = jnp.asarray(
            learning_rate_at(self.config.optimizer, hyper, state.step, self.total_steps), jnp.float32
        )
        following = State(
            step=state.step + 1,
            params=params,
            collections=state.collections | updates,
            opt_state=opt_state,
            rng=state.rng,
            ema=ema,
        )
        return following, logs

    def evaluation(self) -> dict[str, Any]:
        """The empty evaluation: sums of losses and of what probes tell by name, the count of rows, and the state of
        each metric."""
        sums = {name: jnp.zeros((), jnp.float32) for name in (*self._loss_names, *self._probe_names)}
        states = {name: metric.init() for name, metric in self.metrics.items()}
        return {"losses": sums, "rows": jnp.zeros((), jnp.float32), "metrics": states}

    def evaluate(
        self, state: State, batch: Arrays, evaluation: dict[str, Any], hyper: Hyper | None = None
    ) -> dict[str, Any]:
        """The evaluation with one more batch taken in; rows whose mask is 0 do not count.

        Where devices see rows of their own, each has an evaluation of its own; `combine` makes one of them.
        """
        return self.evaluate_and_predict(state, batch, evaluation, hyper)[0]

    @lowered
    def evaluate_and_predict(
        self, state: State, batch: Arrays, evaluation: dict[str, Any], hyper: Hyper | None = None
    ) -> tuple[dict[str, Any], dict[str, jax.Array]]:
        """What `evaluate` gives, and the network's outputs for the batch."""
        hyper = self.hyper | dict(hyper or {})
        variables = state.best_variables
        outputs, updates = self._apply(variables, batch, hyper, key=None, train=False)
        told = _told(updates)
        scope = scope_tree(batch, outputs, told, variables["params"])
        first = next(iter(batch.values()))
        mask = batch.get("mask")
        mask = jnp.ones(first.shape[:1], jnp.float32) if mask is None else mask
        _, parts = self._loss(outputs, told, variables["params"], batch, hyper)
        parts |= _probe_means(updates, mask)
        rows = mask.sum()
        states = {}
        for name, bound in self.metric_wires.items():
            arrays = bound.read(scope)
            with bound.blamed(arrays):
                states[name] = self.metrics[name].update(evaluation["metrics"][name], mask, **arrays)
        following = {
            "losses": {name: evaluation["losses"][name] + parts[name] * rows for name in evaluation["losses"]},
            "rows": evaluation["rows"] + rows,
            "metrics": states,
        }
        return following, dict(outputs)

    def combine(self, evaluation: Mapping[str, Any]) -> Mapping[str, Any]:
        """The evaluation of all rows, where each device had its own of its rows."""
        axis = self.inside.axis
        if axis is None:
            return evaluation
        sums, rows = summed_over(axis, (evaluation["losses"], evaluation["rows"]))
        states = {
            name: merged_over(axis, self.metrics[name].merge, state) for name, state in evaluation["metrics"].items()
        }
        return {"losses": sums, "rows": rows, "metrics": states}

    def summarise(self, evaluation: Mapping[str, Any]) -> dict[str, Any]:
        """The results of an evaluation by name: losses and what probes tell averaged over rows, metrics computed."""
        rows = jnp.maximum(evaluation["rows"], 1.0)
        results: dict[str, Any] = {name: value / rows for name, value in evaluation["losses"].items()}
        for name, metric in self.metrics.items():
            results[name] = metric.compute(evaluation["metrics"][name])
        return results

    @lowered
    def predict(self, state: State, batch: Arrays, hyper: Hyper | None = None) -> dict[str, jax.Array]:
        """The network's outputs for a batch that holds at least its inputs."""
        outputs, _ = self._apply(
            state.best_variables, batch, self.hyper | dict(hyper or {}), key=None, train=False, probe=False
        )
        return dict(outputs)

    @property
    def predicts_as_it_evaluates(self) -> bool:
        """Whether `predict` calls the network just as `evaluate` does: nothing but outputs is read of it."""
        return not self._probes and not self._reads_costs

    @property
    def result_names(self) -> tuple[str, ...]:
        """The names of an evaluation's results: the total loss, each loss where there are several, each metric, what
        probes tell."""
        return (*self._loss_names, *self.metrics, *self._probe_names)

    @property
    def _loss_names(self) -> list[str]:
        parts = [*self.losses, *([REGULARIZER] if self.network.regularized else [])]
        return ["loss", *(parts if len(parts) > 1 else ())]

    @property
    def _probe_names(self) -> list[str]:
        return [f"{PROBE}{name}" for name in self.network.probed(train=False)]

    def _divided(self, params: Any) -> tuple[Any, Any]:
        """The parameters that are trained and those that stay as they are."""
        if not self.network.freezes:
            return params, {}
        return divided(params, frozen(self.network.graph, named_leaves(params)))

    @cached_property
    def _probes(self) -> tuple[str, ...]:
        return probes(self.losses | self.metric_wires)

    @cached_property
    def _reads_costs(self) -> bool:
        told = self.network.probed(train=True) or self.network.probed(train=False)
        return bool(told) or reads_costs(self.losses | self.metric_wires)

    def _apply(
        self, variables: Any, batch: Arrays, hyper: Hyper, *, key: jax.Array | None, train: bool, probe: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        inputs = {name: batch[path.removeprefix("batch.")] for name, path in self.inputs.items()}
        fed = inputs if self.network.wiring else next(iter(inputs.values()))
        inside = self.inside
        if inside.gathers:
            variables = {**variables, "params": inside.whole((), variables["params"])}
        outputs, updates = self.network.apply(
            variables,
            fed,
            key=key,
            train=train,
            mask=batch.get("mask"),
            hyper=hyper,
            probes=self._probes if probe else (),
            costs=self._reads_costs and probe,
            axis=inside.axis,
            weights=inside.whole if inside.gathers else None,
        )
        return outputs, dict(updates)

    def _mixed(self, state: State, batch: Arrays, hyper: Hyper) -> Mixed | None:
        """The batch with its examples mixed with each other, where the recipe asks for it."""
        mix = self.config.trainer.mix
        if mix is None:
            return None
        inputs = [path.removeprefix("batch.") for path in self.inputs.values()]
        answers = sorted(batch_arrays(self.losses) - set(inputs))
        key = derive(state.rng, "mix", state.step)
        return mixed(mix, batch, inputs, answers, hyper, key, self.inside.axis)

    def _loss(
        self, outputs: Any, told: Arrays, params: Any, batch: Arrays, hyper: Hyper, axis: str | None = None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The total loss and its parts; over an axis, this device's shares of them, whose sum they are."""
        scope = scope_tree(batch, outputs, told, params)
        total = jnp.zeros((), jnp.float32)
        parts: dict[str, jax.Array] = {}
        for name, bound in self.losses.items():
            arrays = bound.read(scope)
            with bound.blamed(arrays):
                values = loss_values(bound, arrays, hyper)
            parts[name] = share_of_mean(values, batch.get("mask"), axis)
            total = total + hyper[f"losses.{name}.weight"] * parts[name]
        if self.network.regularized:
            arrays = named_leaves(params)
            penalty = total_penalty(penalties(self.network.graph, arrays), arrays, hyper)
            parts[REGULARIZER] = penalty if axis is None else penalty / lax.axis_size(axis)
            total = total + parts[REGULARIZER]
        return total, {"loss": total} | (parts if len(parts) > 1 else {})


def _told(updates: dict[str, Any]) -> dict[str, Any]:
    """What the network gave for losses and metrics to read, taken out of what changed."""
    return {"intermediates": updates.pop("intermediates", {}), "costs": updates.pop("costs", {})}


def _probe_means(updates: dict[str, Any], mask: jax.Array | None, axis: str | None = None) -> dict[str, jax.Array]:
    """The means over rows of what probes told, taken out of what changed; over an axis, this device's shares."""
    told = updates.pop(PROBED, {})
    return {f"{PROBE}{name}": share_of_mean(values, mask, axis).astype(jnp.float32) for name, values in told.items()}


def _with_batch(spec: Any, batch_size: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((batch_size, *spec.shape), spec.dtype)
