"""Runs many optimizer steps per dispatch.

The compiled program takes the number of steps as an input (`lax.fori_loop` with a traced bound), so one executable
serves a full block, the rest of an epoch and the step before a checkpoint alike. That is also why a resumed run is
bitwise equal to an uninterrupted one wherever it was cut: the same instructions run, however many steps each dispatch
had.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from framework.build.contents import primitives
from framework.build.experiment import Experiment
from framework.build.state import State
from framework.data.schedule import schedule_of
from framework.parallel.hosts.team import Alone, Company
from framework.parallel.strategy import SHARED, STATE, Rows, Strategy
from framework.train.feed import Feed, ResidentFeed, StreamFeed, is_resident, stream_capacity
from framework.train.remembering import recalled

CAPACITY = 256
DISPATCH_SECONDS = 0.4


class Runner:
    """Steps of one experiment over one training split.

    Attributes:
      schedule: which rows each step takes.
      steps_per_dispatch: at most so many steps per XLA execution.
    """

    def __init__(
        self, experiment: Experiment, dataset: Any, strategy: Strategy, company: Company | None = None
    ) -> None:
        data = experiment.config.data
        self._company = company or Alone()
        source = dataset.splits["train"]
        self.experiment = experiment.within(strategy.inside)
        self.strategy = strategy
        self.schedule = schedule_of(data, source, experiment.config.seed)
        self.hyper = strategy.place_shared(experiment.hyper)
        asked = experiment.config.trainer.steps_per_dispatch
        self._adaptive = asked == "auto"
        self.steps_per_dispatch = _automatic(experiment, strategy) if asked == "auto" else asked
        masked = data.last_batch == "mask" and len(source) % data.batch_size != 0
        self.feed = self._make_feed(dataset, source, data, masked)
        self._count = min(8, self.steps_per_dispatch) if self._adaptive else self.steps_per_dispatch
        takes = (STATE, SHARED, SHARED, Rows(1))
        gives = (STATE, SHARED)
        if self.steps_per_dispatch > 1:
            self._program = strategy.compile(self._many, takes=(*takes, SHARED), gives=gives, donate=(0,))
        else:
            self._program = strategy.compile(self._one, takes=takes, gives=gives, donate=(0,))
        self._block: tuple[int, Mapping[str, Any]] | None = None

    def _make_feed(self, dataset: Any, source: Any, data: Any, masked: bool) -> Feed:
        nbytes = dataset.nbytes("train")
        if is_resident(data.resident, nbytes):
            capacity = self.steps_per_dispatch if self.steps_per_dispatch > 1 else CAPACITY
            arrays = self.strategy.place_shared(dataset.arrays("train"))
            return ResidentFeed(arrays, self.schedule, capacity, masked)
        batch_bytes = nbytes // max(1, len(source)) * data.batch_size
        capacity = stream_capacity(batch_bytes, min(32, self.steps_per_dispatch))
        self.steps_per_dispatch = min(self.steps_per_dispatch, capacity)
        return StreamFeed(source, self.schedule, capacity, masked, self.strategy.rows_here(data.batch_size))

    def run(self, state: State, start: int, limit: int) -> tuple[State, Logs]:
        """Dispatch up to `limit` steps from global step `start` and return without waiting for them.

        Returns:
          The next state (the one given is consumed), and the logs of the steps that were dispatched.
        """
        if self.steps_per_dispatch == 1:
            return self._run_singly(state, start, limit)
        count = min(limit, self._agreed_count(), self.feed.capacity)
        block = self.feed.block(start, count)
        if self._company.count > 1:
            block = self._placed(block)
        state, logs = self._program(state, self.hyper, self.feed.arrays, block, np.int32(count))
        return state, Logs(start, count, logs)

    def _run_singly(self, state: State, start: int, limit: int) -> tuple[State, Logs]:
        """One step per execution; the rows of a whole block are placed on the device at once."""
        capacity = self.feed.capacity
        base = start - start % capacity
        if self._block is None or self._block[0] != base:
            self._block = (base, self._placed(self.feed.block(base, capacity)))
        count = min(limit, base + capacity - start, self._agreed_count() if self._adaptive else 32, 32)
        count = max(1, count)
        rows: list[Any] = []
        for _ in range(count):
            state, logs = self._program(state, self.hyper, self.feed.arrays, self._block[1])
            rows.append(logs)
        return state, Logs(start, count, rows)

    def _agreed_count(self) -> int:
        """How many steps to dispatch. It depends on the clock, so what the first process says holds for all."""
        return self._company.tell("a number of steps", lambda: self._count) if self._adaptive else self._count

    def _placed(self, block: Mapping[str, Any]) -> Mapping[str, Any]:
        if isinstance(self.feed, StreamFeed):
            return self.strategy.place_part(block, self.schedule.batch_size, 1)
        return self.strategy.place_rows(block, 1)

    def observe(self, count: int, seconds: float) -> None:
        """Learn from the time that `count` steps took, so that a dispatch lasts about 0.4 s."""
        if not self._adaptive or seconds <= 0:
            return
        wanted = max(1, int(DISPATCH_SECONDS * count / seconds))
        ceiling = self.steps_per_dispatch if self.steps_per_dispatch > 1 else 32
        self._count = max(1, min(wanted, 4 * self._count, ceiling))

    def _many(
        self, state: State, hyper: Any, arrays: Any, block: Any, count: jax.Array
    ) -> tuple[State, dict[str, jax.Array]]:
        # A function of its own, so that the step is traced once for both: the shapes of its logs and the loop.
        step = jax.jit(self._step, inline=True)
        _, shapes = jax.eval_shape(step, state, hyper, arrays, block, np.int32(0))
        empty = {name: jnp.zeros((self.feed.capacity,), leaf.dtype) for name, leaf in shapes.items()}

        def body(index: jax.Array, carry: Any) -> Any:
            state, logs = carry
            state, values = step(state, hyper, arrays, block, index)
            return state, {name: logs[name].at[index].set(value) for name, value in values.items()}

        return jax.lax.fori_loop(np.int32(0), count, body, (state, empty))

    def _one(self, state: State, hyper: Any, arrays: Any, block: Any) -> tuple[State, dict[str, jax.Array]]:
        return self._step(state, hyper, arrays, block, state.step % self.feed.capacity)

    def _step(self, state: State, hyper: Any, arrays: Any, block: Any, index: Any) -> Any:
        inside = self.experiment.inside
        batch = inside.pin_rows(self.feed.batch_at(arrays, block, index))
        state, logs = self.experiment.step(state, batch, hyper)
        return inside.pin_state(state), logs

    def close(self) -> None:
        """Stop the threads of the feed."""
        self.feed.close()


class Logs:
    """What a dispatch reports, still on the device.

    Attributes:
      start: the global step before the first of them.
      count: how many steps they cover.
    """

    def __init__(self, start: int, count: int, values: Any) -> None:
        self.start = start
        self.count = count
        self._values = values
        self._dispatched = time.perf_counter()

    def fetch(self) -> dict[str, np.ndarray]:
        """Wait for the steps; float32 arrays of length `count` by name."""
        if isinstance(self._values, list):
            host = jax.device_get(self._values)
            return {name: np.asarray([row[name] for row in host]) for name in host[0]}
        return {name: np.asarray(value)[: self.count] for name, value in self._values.items()}


def _automatic(experiment: Experiment, strategy: Strategy) -> int:
    """How many steps one execution may run.

    XLA's weight gradient of a convolution is many times slower inside a loop on the CPU (733 ms a step against 23 ms
    for a small network), so a network with such a convolution takes one step per execution there. Convolutions that
    have a gradient of their own do not count.
    """
    if strategy.devices[0].platform != "cpu":
        return CAPACITY

    def convolves() -> bool:
        state = jax.eval_shape(experiment.init)
        inside = primitives(experiment.predict, state, experiment.example_batch(1), skip=("custom_vjp_call",))
        return "conv_general_dilated" in inside

    return 1 if recalled(strategy, "convolves", convolves) else CAPACITY
