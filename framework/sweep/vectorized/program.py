"""The compiled functions over the members of a group.

All arrays of members have them as their first axis, which is divided among the devices of the mesh axis `sweep`. A
device takes its members `width` at a time: within such a bunch they are computed together (`vmap`), and one bunch comes
after the other, each for all steps of the dispatch (`fori_loop`). On a CPU the width is 1: its kernels are fast for one
network of any size, and the state of one stays in the cache. On an accelerator one bunch holds all.

Which bunches are taken is an input of the program (`slots`), so members that have stopped cost nothing and compile
nothing anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from framework.build.experiment import Experiment
from framework.build.state import State
from framework.runtime.effort import compiler_options
from framework.runtime.known import Known, kept
from framework.sweep.vectorized.devices import AXIS, member_mesh
from framework.train.evaluation import over_blocks
from framework.train.feed import gather

Tree = Any
Kinds = tuple[PartitionSpec, ...]
EACH = PartitionSpec(AXIS)
ALL = PartitionSpec()


class Compiled:
    """A function under `jax.jit` that another thread can compile before it is called.

    XLA works without Python's lock, so the functions of a group are compiled side by side.
    """

    def __init__(self, jitted: Any, devices: Sequence[Any], known: Known | None) -> None:
        self._jitted = jitted
        self._devices = devices
        self._known = known
        self._ahead: Future[Any] | None = None

    def ahead(self, threads: Executor, *arguments: Any) -> None:
        """Begin to compile for arguments of these shapes, arrays or `jax.ShapeDtypeStruct`s, unless that was done."""
        if self._ahead is not None:
            return
        shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(np.shape(leaf), leaf.dtype), arguments)
        self._ahead = threads.submit(self._made, shapes)

    def _made(self, shapes: tuple[Any, ...]) -> Callable[..., Any]:
        if self._known is None:
            return self._jitted.lower(*shapes).compile()
        return self._known.program(self._jitted, shapes, self._devices)

    def __call__(self, *arguments: Any) -> Any:
        """Run it, when it is compiled."""
        return (self._jitted if self._ahead is None else self._ahead.result())(*arguments)


class GroupProgram:
    """Functions of one experiment over `places` members at once.

    Args:
      experiment: of any member; the others differ in `hyper` alone.
      count: how many members there are.
      devices: among which they are divided.
      width: how many are computed together; None for all that a device has.
      capacity: at most so many steps per dispatch.
      keeps_best: whether each member's best state is kept besides its present one.
      masked: whether training batches may hold padding.
      known: programs that earlier processes made for members like these.

    Attributes:
      places: the length of the first axis: `count`, made a multiple of what the devices take.
      slots: by device and order, which bunch comes; together with their number for each device.
    """

    def __init__(
        self,
        experiment: Experiment,
        count: int,
        *,
        devices: Sequence[Any],
        width: int | None,
        capacity: int,
        keeps_best: bool,
        masked: bool,
        known: Known | None = None,
    ) -> None:
        self.experiment = experiment
        self.keeps_best = keeps_best
        self.masked = masked
        self.devices = tuple(devices)
        self.capacity = capacity
        each = -(-count // len(devices))
        self.width = min(width or each, each)
        self.each = -(-each // self.width) * self.width
        self.places = self.each * len(devices)
        self._mesh = member_mesh(self.devices)
        size = f"{self.places} {self.width} {capacity} {masked} {keeps_best} {[device.id for device in devices]}"
        self._known = None if known is None else known.within(size)
        self.init = self._compiled(self._init, (EACH,), (EACH, EACH))
        self.train = self._compiled(self._train, (EACH, EACH, EACH, EACH, EACH, EACH, ALL, ALL, ALL), EACH, donate=(0,))
        self.keep = self._compiled(self._keep, (EACH, EACH, EACH, EACH), EACH, donate=(0,))
        self.evaluate = self._compiled(self._evaluate, (EACH, EACH, EACH, EACH, ALL, ALL, ALL), EACH)

    def place(self, tree: Tree) -> Tree:
        """Host arrays whose first axis counts members, each part on its device."""
        return jax.device_put(tree, NamedSharding(self._mesh, EACH))

    def share(self, tree: Tree) -> Tree:
        """Host arrays that every device needs whole."""
        return jax.device_put(tree, NamedSharding(self._mesh, ALL))

    def slots(self, active: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Which bunches hold an active member.

        Args:
          active: bool[places].
          width: of a bunch.

        Returns:
          int32[places / width]: for each device, its bunches that are to be taken, first; int32[devices]: how many.
        """
        bunches = active.reshape(len(self.devices), -1, width).any(axis=2)
        order = np.argsort(~bunches, axis=1, kind="stable").astype(np.int32)
        return order.reshape(-1), bunches.sum(axis=1).astype(np.int32)

    def _compiled(self, function: Callable[..., Any], takes: Kinds, gives: Any, donate: Any = ()) -> Compiled:
        name = f"members{function.__name__}"
        if len(self.devices) > 1:
            function = jax.shard_map(
                function, mesh=self._mesh, in_specs=takes, out_specs=gives, check_vma=False, axis_names={AXIS}
            )
        placed = tuple(NamedSharding(self._mesh, spec) for spec in takes)
        results = jax.tree.map(partial(NamedSharding, self._mesh), gives)
        options = compiler_options(self.experiment.config.trainer.compile, jax.default_backend()) or None
        jitted = jax.jit(
            kept(function, name),
            in_shardings=placed,
            out_shardings=results,
            donate_argnums=donate,
            compiler_options=options,
        )
        return Compiled(jitted, self.devices, self._known)

    def _init(self, seeds: jax.Array) -> tuple[State, State | None]:
        """The first states, and where the best are kept the same again, in memory of their own."""
        # One after the other: the compiler has then no more to do than for a single network.
        state = jax.lax.map(self.experiment.init, seeds)
        return state, state if self.keeps_best else None

    def _train(
        self,
        state: State,
        hyper: Mapping[str, jax.Array],
        order: jax.Array,
        active: jax.Array,
        slots: jax.Array,
        taken: jax.Array,
        rows: jax.Array,
        arrays: Mapping[str, jax.Array],
        count: jax.Array,
    ) -> tuple[State, dict[str, jax.Array]]:
        """Up to `capacity` steps of every member in the slots.

        Args:
          order: int32[places], which of `rows` a member takes.
          active: bool[places]; a member of a bunch that is not keeps its state.
          rows: int32[orders, capacity, batch], the examples of each step.

        Returns:
          The next states, and the logs by name, [places, capacity].
        """
        each = self._once(
            lambda now, which, number, values, rows, arrays: self.experiment.step(
                now, gather(arrays, rows[which, number], masked=self.masked), values
            )
        )
        one = jax.tree.map(lambda leaf: leaf[0], (state, order, dict(hyper)))
        _, shapes = jax.eval_shape(each, one[0], one[1], np.int32(0), one[2], rows, dict(arrays))
        logs = {name: jnp.zeros((self.each, self.capacity), leaf.dtype) for name, leaf in shapes.items()}

        def bunch(index: jax.Array, carry: Any) -> Any:
            state, logs = carry
            first = slots[index] * self.width
            now, values, mine, on = (self._part(tree, first) for tree in (state, dict(hyper), order, active))

            def step(number: jax.Array, carry: Any) -> Any:
                now, written = carry
                following, told = self._mapped(
                    lambda *member: each(*member[:2], number, member[2], rows, dict(arrays))
                )(now, mine, values)
                if self.width > 1:
                    following = jax.tree.map(partial(_chosen, on), following, now)
                return following, {name: written[name].at[:, number].set(value) for name, value in told.items()}

            written = self._part(logs, first)
            now, written = jax.lax.fori_loop(np.int32(0), count, step, (now, written))
            return _put(state, now, first), _put(logs, written, first)

        return jax.lax.fori_loop(np.int32(0), taken[0], bunch, (state, logs))

    def _keep(self, kept: State, state: State, slots: jax.Array, taken: jax.Array) -> State:
        """The states of the members in the slots (bunches of one), in place of those kept before."""

        def member(index: jax.Array, kept: State) -> State:
            return _put(kept, _slice(state, slots[index], 1), slots[index])

        return jax.lax.fori_loop(np.int32(0), taken[0], member, kept)

    def _evaluate(
        self,
        state: State,
        hyper: Mapping[str, jax.Array],
        slots: jax.Array,
        taken: jax.Array,
        blocks: jax.Array,
        arrays: Mapping[str, jax.Array],
        batches: jax.Array,
    ) -> dict[str, jax.Array]:
        """The results over a split of every member in the slots, by name, [places, ...].

        Args:
          blocks: int32[at least batches, rows], the split; -1 is padding.
        """
        experiment = self.experiment

        def results_of(state: State, hyper: Any, arrays: Any, blocks: Any, batches: Any) -> dict[str, jax.Array]:
            found = over_blocks(experiment, state, hyper, arrays, blocks, batches)
            return experiment.summarise(experiment.combine(found))

        each = self._once(results_of)
        given = (dict(arrays), blocks, batches)
        shapes = jax.eval_shape(each, *jax.tree.map(lambda leaf: leaf[0], (state, dict(hyper))), *given)
        results = jax.tree.map(lambda leaf: jnp.zeros((self.each, *leaf.shape), leaf.dtype), shapes)

        def bunch(index: jax.Array, results: Any) -> Any:
            first = slots[index] * self.width
            mine = (self._part(state, first), self._part(dict(hyper), first))
            return _put(results, self._mapped(lambda *member: each(*member, *given))(*mine), first)

        return jax.lax.fori_loop(np.int32(0), taken[0], bunch, results)

    @staticmethod
    def _once(function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, traced once for all places where it is called with arguments of the same shapes."""
        return jax.jit(function, inline=True)

    def _part(self, tree: Tree, first: jax.Array) -> Tree:
        return _slice(tree, first, self.width)

    def _mapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Over the members of a bunch; a bunch of one is computed as the member alone would be."""
        if self.width > 1:
            return jax.vmap(function)

        def alone(*arguments: Any) -> Any:
            given = jax.tree.map(lambda leaf: leaf[0], arguments)
            return jax.tree.map(lambda leaf: leaf[None], function(*given))

        return alone


def _slice(tree: Tree, first: jax.Array, length: int) -> Tree:
    return jax.tree.map(lambda leaf: jax.lax.dynamic_slice_in_dim(leaf, first, length), tree)


def _put(tree: Tree, part: Tree, first: jax.Array) -> Tree:
    return jax.tree.map(lambda leaf, new: jax.lax.dynamic_update_slice_in_dim(leaf, new, first, 0), tree, part)


def _chosen(on: jax.Array, new: jax.Array, old: jax.Array) -> jax.Array:
    return jnp.where(on.reshape(on.shape + (1,) * (new.ndim - 1)), new, old)
