"""One step of a recipe compiled for simulated devices, from shapes alone: nothing is loaded and nothing runs.

Only meaningful in a process that was started with so many virtual CPU devices (see `process`).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from framework.build.experiment import Experiment
from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError
from framework.core.trees import nbytes
from framework.inspect.plan.collectives import collectives
from framework.inspect.plan.measured import Measured
from framework.inspect.plan.program import Program
from framework.inspect.plan.work import repeated_flops, traffic
from framework.parallel.automatic import layout
from framework.parallel.choose import choose
from framework.parallel.mapped import Mapped
from framework.parallel.strategy import SHARED, STATE, Rows, Strategy
from framework.train.setup import Setup


@dataclass(frozen=True)
class Step:
    """A step, ready to be lowered: the function, the layout, and the shapes of what it takes."""

    function: Any
    strategy: Strategy
    state: Any
    batch: Any
    hyper: Any

    def compile(self) -> Any:
        """The compiled program; a state is consumed, as in training."""
        if isinstance(self.strategy, Mapped):
            return self._compile_mapped()
        program = self.strategy.compile(
            self.function, takes=(STATE, Rows(0), SHARED), gives=(STATE, SHARED), donate=(0,)
        )
        return program.lower(self.strategy.state_like(self.state), self.batch, self.hyper).compile()  # pyright: ignore[reportFunctionMemberAccess]

    def _compile_mapped(self) -> Any:
        devices = self.strategy.devices
        program = jax.pmap(
            self.function,
            axis_name=self.strategy.inside.axis,
            out_axes=(0, None),  # pyright: ignore[reportArgumentType]
            devices=devices,
            donate_argnums=(0,),
        )
        count = len(devices)
        copied = jax.tree.map(lambda leaf: _shaped(leaf, (count, *leaf.shape)), (self.state, self.hyper))
        parts = jax.tree.map(lambda leaf: _shaped(leaf, (count, leaf.shape[0] // count, *leaf.shape[1:])), self.batch)
        return program.lower(copied[0], parts, copied[1]).compile()


def prepare(loaded: Loaded, *, hbm: float | None) -> Step:
    """The step of a recipe on the devices that are present.

    Args:
      hbm: bytes of a device, by which `parallel=auto` decides; None: it does not know, as on a CPU.

    Raises:
      ConfigError: the recipe does not fit the devices.
    """
    setup = Setup(loaded)
    experiment = setup.abstract
    state = jax.eval_shape(experiment.init)
    try:
        strategy = _strategy(loaded, experiment, state, hbm)
    except ConfigError as error:
        raise error.located(loaded.origins, loaded.subject) from None
    inner = experiment.within(strategy.inside)

    def step(state: Any, batch: Any, hyper: Any) -> Any:
        following, logs = inner.step(state, inner.inside.pin_rows(batch), hyper)
        return inner.inside.pin_state(following), logs

    batch = experiment.example_batch(loaded.config.data.batch_size)
    hyper = {key: _shaped(value, ()) for key, value in experiment.hyper.items()}
    return Step(step, strategy, state, batch, hyper)


def measure(loaded: Loaded, *, hbm: float | None = None) -> Measured:
    """Compile one step and read what it needs.

    Raises:
      ConfigError: the recipe does not fit the devices.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        step = prepare(loaded, hbm=hbm)
        compiled = step.compile()
    memory = compiled.memory_analysis()
    program = Program.parse(compiled.as_text())
    placed = step.strategy.state_like(step.state)
    parameters, optimizer = device_bytes(placed.params), device_bytes(placed.opt_state)
    count = len(step.strategy.devices)
    costs = compiled.cost_analysis() or {}
    xla_flops = float((costs[0] if isinstance(costs, list) else costs).get("flops", 0.0))
    mesh = getattr(step.strategy, "mesh", None)
    axes = dict(mesh.shape) if mesh is not None else {"data": count}
    return Measured(
        devices=count,
        compiled=count,
        layout=step.strategy.name,
        axes={axis: size for axis, size in axes.items() if size > 1},
        batch_size=loaded.config.data.batch_size,
        parameters=parameters,
        gradients=parameters,
        optimizer=optimizer,
        other=device_bytes(placed) - parameters - optimizer,
        arguments=memory.argument_size_in_bytes,
        outputs=memory.output_size_in_bytes,
        aliased=memory.alias_size_in_bytes,
        temporary=memory.temp_size_in_bytes,
        whole_state=nbytes(step.state),
        flops=xla_flops + repeated_flops(program),
        xla_flops=xla_flops,
        moved=traffic(program, memory.argument_size_in_bytes),
        collectives=collectives(program, count),
        unknown_loops=program.unknown_loops,
        remarks=tuple(dict.fromkeys(str(one.message) for one in told if issubclass(one.category, UserWarning))),
    )


def device_bytes(tree: Any) -> int:
    """Bytes of a tree on each device, by the shardings of its leaves; without one, a leaf is whole."""
    return sum(_leaf_bytes(leaf) for leaf in jax.tree.leaves(tree))


def _leaf_bytes(leaf: Any) -> int:
    sharding = getattr(leaf, "sharding", None)
    shape = leaf.shape if sharding is None else sharding.shard_shape(leaf.shape)
    return int(np.prod(shape, dtype=np.int64)) * leaf.dtype.itemsize


def _strategy(loaded: Loaded, experiment: Experiment, state: Any, hbm: float | None) -> Strategy:
    section = loaded.config.parallel
    stacked: Any = lambda: experiment.stacked  # noqa: E731
    if section.type == "auto" and hbm is not None:
        kind = layout(nbytes(state) + nbytes(state.params), int(hbm))
        if kind == "fsdp" and (section.devices or len(jax.devices())) > 1:
            section = _Fsdp(section.devices)
    return choose(section, lambda: state, batch_size=loaded.config.data.batch_size, stacked=stacked)


@dataclass(frozen=True)
class _Fsdp:
    """What `auto` decides for, in the words of the section."""

    devices: int | None
    type: str = "fsdp"
    min_size: int = 1024

    def sizes(self) -> Mapping[str, int]:
        """All devices on one axis."""
        return {"fsdp": -1}


def _shaped(leaf: Any, shape: tuple[int, ...]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, leaf.dtype)
