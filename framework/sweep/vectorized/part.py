"""Members at one step, trained together to the end and evaluated together."""

from __future__ import annotations

import signal as _signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from framework.build.state import State
from framework.checkpoint.arrays import import_meanwhile
from framework.core.errors import Interrupted, RunError
from framework.data.schedule import BatchSchedule, eval_batches, schedule_of
from framework.runtime.garbage import collect_again
from framework.sweep.members import Copy, Director, Ending, Member, Stop
from framework.sweep.search.schedule import taken_over
from framework.sweep.vectorized.finish import finish
from framework.sweep.vectorized.homes import Home
from framework.sweep.vectorized.program import GroupProgram
from framework.sweep.vectorized.saving import Saving
from framework.sweep.vectorized.tracks import Track
from framework.train.setup import Setup

DISPATCH_SECONDS = 1.0
SAVE_SECONDS = 60.0
CAPACITY = 256
_COMPILERS = 2


class Part:
    """Members that are at the same step.

    Args:
      program: gives the functions for a number of members and of steps in a dispatch.
      like: the abstract state of one member.

    Attributes:
      state: theirs, with members on the first axis.
      best: the best states; None where no metric decides.
    """

    def __init__(
        self,
        setup: Setup,
        members: Sequence[tuple[Member, Home]],
        director: Director,
        program: Callable[[int, int], GroupProgram],
        like: State,
    ) -> None:
        self.setup = setup
        self.director = director
        self.like = like
        self.members = members
        self.experiment = setup.experiment
        self.total = setup.experiment.total_steps
        self.step = members[0][1].step
        self._started = self._saved_at = time.perf_counter()
        self._batches = self._schedules()
        self.tracks = [
            Track.of(
                member,
                home,
                place,
                self.experiment,
                self._batches[member.loaded.config.seed],
                lambda record, number=member.number: director.record(number, record),
                validates="valid" in setup.dataset.splits,
            )
            for place, (member, home) in enumerate(members)
        ]
        self.program = program(len(members), self._capacity())
        self.hyper = self._hyper()
        self._splits: dict[str, tuple[Any, Any, np.int32]] = {}
        self._arrays = self.program.share(dict(setup.dataset.arrays("train")))
        self._placed_order = self._order()
        self._count = min(8, self.program.capacity)
        self._compile()
        self.state, self.best = self._begin()
        self.saving = Saving([member for member, _ in members]) if setup.config.checkpoint.enabled else None

    def run(self) -> None:
        """Train to the end, then evaluate.

        Raises:
          Interrupted: a signal asked to stop; everything was saved.
        """
        self.director.started([track.member.number for track in self.tracks])
        if self.saving is not None:
            import_meanwhile()
        active = self._active()
        while active and self.step < self.total:
            boundary = active[0].boundary(self.total)
            while self.step < boundary and active:
                self._advance(min(boundary - self.step, self.program.capacity, self._count), active)
                active = self._active()
                if self.step < boundary:
                    self._heed_signals(active)
            self._arrive(active)
            active = self._active()
            self._heed_signals(active)
            if active and time.perf_counter() - self._saved_at > SAVE_SECONDS:
                self._save(active)
        self._save(active)
        finish(self, time.perf_counter() - self._started)

    def evaluate(self, state: State, split: str, tracks: Sequence[Track]) -> list[dict[str, Any]]:
        """The results of some members over a split, in their order: floats, and nested lists for matrices."""
        arrays, blocks, batches = self._split(split)
        slots = self.program.place(self.program.slots(self._mask(tracks), self.program.width))
        found = jax.device_get(self.program.evaluate(state, self.hyper, *slots, blocks, arrays, batches))
        names = self.experiment.result_names
        return [{name: _plain(found[name][track.place]) for name in names} for track in tracks]

    def _split(self, split: str) -> tuple[Any, Any, np.int32]:
        """The arrays of a split, its batches and their number, with rows and batches that fill every split's shape.

        So one compiled program evaluates all splits.
        """
        if split not in self._splits:
            data, dataset = self.setup.config.data, self.setup.dataset
            size = data.eval_batch_size or data.batch_size
            rows = max(len(dataset.splits[name]) for name in self._split_names)
            blocks = eval_batches(len(dataset.splits[split]), size)
            full = np.full((len(eval_batches(rows, size)), blocks.shape[1]), -1, blocks.dtype)
            full[: len(blocks)] = blocks
            arrays = {name: _filled(np.asarray(array), rows) for name, array in dataset.arrays(split).items()}
            self._splits[split] = (self.program.share(arrays), self.program.share(full), np.int32(len(blocks)))
        return self._splits[split]

    def keep(self, tracks: Sequence[Track]) -> None:
        """Take the present states of some members as their best."""
        if self.best is not None and tracks:
            slots = self.program.place(self.program.slots(self._mask(tracks), 1))
            self.best = self.program.keep(self.best, self.state, *slots)

    def _advance(self, count: int, active: Sequence[Track]) -> None:
        before = time.perf_counter()
        mask = self._mask(active)
        rows = self._rows(count, active)
        slots = self.program.place(self.program.slots(mask, self.program.width))
        self.state, told = self.program.train(
            self.state,
            self.hyper,
            self._placed_order,
            self.program.place(mask),
            *slots,
            rows,
            self._arrays,
            np.int32(count),
        )
        collect_again()
        logs = jax.device_get(told)
        self.step += count
        for track in active:
            try:
                track.advance({name: values[track.place][:count] for name, values in logs.items()}, count)
            except RunError as error:
                self._non_finite(track, str(error))
        wanted = int(DISPATCH_SECONDS * count / (time.perf_counter() - before))
        self._count = max(1, min(wanted, 4 * self._count, self.program.capacity))

    def _arrive(self, active: Sequence[Track]) -> None:
        """What is due at a boundary: validation, policies, verdicts."""
        due = bool(active) and active[0].validates_at(self.step, self.total)
        results = self.evaluate(self.state, "valid", active) if due else [None] * len(active)
        for track, found in zip(active, results, strict=True):
            track.arrive(self.total, found)
        self.keep([track for track in active if track.marks.improved])
        if due:
            self._review([track for track in active if track.active])

    def _review(self, active: Sequence[Track]) -> None:
        values = {track.member.number: dict(track.records.valid) for track in active}
        verdicts = self.director.review(self.step, values) if values and self.step < self.total else {}
        by_number = {track.member.number: track for track in self.tracks}
        copies: list[tuple[Track, Track, Mapping[str, float]]] = []
        for number, verdict in verdicts.items():
            track = by_number[number]
            if isinstance(verdict, Stop):
                track.halt()
                track.pruned = verdict.reason
            elif isinstance(verdict, Copy):
                copies.append((track, by_number[verdict.source], verdict.hyper))
        if copies:
            self._copy(copies)

    def _copy(self, copies: Sequence[tuple[Track, Track, Mapping[str, float]]]) -> None:
        """Exploit and explore: some members go on from the weights of others, with other traced values."""
        state, hyper = jax.device_get((self.state, self.hyper))
        to = [track.place for track, _, _ in copies]
        source = [other.place for _, other, _ in copies]

        def moved(leaf: np.ndarray) -> np.ndarray:
            leaf = np.array(leaf)
            leaf[to] = leaf[source]
            return leaf

        # A member keeps its own key, so that the two draw different numbers from here on.
        taken = jax.tree.map(moved, state).replace(rng=np.array(state.rng))
        hyper = {key: np.array(value) for key, value in hyper.items()}
        for track, _, changes in copies:
            for key, value in changes.items():
                hyper[key][track.place] = value
        self.state, self.hyper = self.program.place(taken), self.program.place(hyper)

    def _save(self, active: Sequence[Track]) -> None:
        for track in active:
            track.halt()
        for track in self.tracks:
            track.records.write()
        if self.saving is not None:
            kept = [track for track in self.tracks if track.marks.best or (track.marks.last and not track.failure)]
            state, best = jax.device_get((self.state, self.best))
            self.saving.save(self.step, state, best, kept)
        self._saved_at = time.perf_counter()

    def _heed_signals(self, active: Sequence[Track]) -> None:
        signal = self.director.stop_requested()
        if signal is None:
            return
        self._save(active)
        raise Interrupted(
            f"{signal}: saved at step {self.step}; the same command with the same folder goes on from there",
            _signal.Signals[signal],
        )

    def _non_finite(self, track: Track, words: str) -> None:
        track.failure = words
        track.records.write()
        seconds = (time.perf_counter() - self._started) / len(self.tracks)
        self.director.ended(track.member.number, Ending("non_finite", dict(track.records.valid), seconds, words))

    def _active(self) -> list[Track]:
        return [track for track in self.tracks if track.active]

    def _mask(self, tracks: Sequence[Track]) -> np.ndarray:
        mask = np.zeros(self.program.places, bool)
        mask[[track.place for track in tracks]] = True
        return mask

    def _schedules(self) -> dict[int, BatchSchedule]:
        """Seed -> its batches, in the order of `_rows`."""
        data, source = self.setup.config.data, self.setup.dataset.splits["train"]
        seeds = dict.fromkeys(member.loaded.config.seed for member, _ in self.members)
        return {seed: schedule_of(data, source, seed) for seed in seeds}

    def _order(self) -> Any:
        """Which row of `_rows` each member takes: int32[places]."""
        number = {seed: index for index, seed in enumerate(self._batches)}
        order = np.zeros(self.program.places, np.int32)
        order[: len(self.tracks)] = [number[track.member.loaded.config.seed] for track in self.tracks]
        return self.program.place(order)

    def _rows(self, count: int, active: Sequence[Track]) -> Any:
        """The examples of the next steps for each seed of an active member: int32[seeds, capacity, batch]."""
        needed = {track.member.loaded.config.seed for track in active}
        rows = np.zeros((len(self._batches), self.program.capacity, self.setup.config.data.batch_size), np.int32)
        for place, (seed, batches) in enumerate(self._batches.items()):
            if seed in needed:
                rows[place, :count] = batches.block(self.step, count)
        return self.program.share(rows)

    def _capacity(self) -> int:
        track = self.tracks[0]
        return max(1, min(CAPACITY, track.boundary(self.total) - self.step))

    def _compile(self) -> None:
        """Begin to compile everything at once; each function is waited for where it is first called."""
        program = self.program
        state = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((program.places, *leaf.shape), leaf.dtype), self.like)
        mask = np.ones(program.places, bool)
        slots = program.slots(mask, program.width)
        rows = self._rows(0, [])
        threads = ThreadPoolExecutor(_COMPILERS)
        if self.members[0][1].last is None:
            program.init.ahead(threads, self.hyper["seed"])
        program.train.ahead(
            threads, state, self.hyper, self._placed_order, mask, *slots, rows, self._arrays, np.int32(0)
        )
        if self._split_names:
            arrays, blocks, batches = self._split(self._split_names[0])
            program.evaluate.ahead(threads, state, self.hyper, *slots, blocks, arrays, batches)
        if self.program.keeps_best:
            program.keep.ahead(threads, state, state, *program.slots(mask, 1))
        threads.shutdown(wait=False)

    @property
    def _split_names(self) -> list[str]:
        """The splits that are evaluated, while training or at the end."""
        splits = self.setup.dataset.splits
        return [name for name in ("valid", *self.setup.evaluated_splits) if name in splits]

    def _hyper(self) -> dict[str, Any]:
        """Every traced value, with members on the first axis; the places that are left over are filled."""
        each = [_hyper_of(self.setup, member, self.step) for member, _ in self.members]
        each += [each[-1]] * (self.program.places - len(each))
        stacked = {key: np.stack([values[key] for values in each]) for key in each[0]}
        return self.program.place(stacked)

    def _begin(self) -> tuple[State, State | None]:
        homes = [home for _, home in self.members]
        if homes[0].last is None:
            return self.program.init(self.hyper["seed"])
        last = [_required(home.last) for home in homes]
        best = [home.best[0] if home.best else _required(home.last) for home in homes]
        return self._stacked(last), self._stacked(best) if self.program.keeps_best else None

    def _stacked(self, states: list[State]) -> State:
        states = states + [states[-1]] * (self.program.places - len(states))
        return self.program.place(
            jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *states)
        )


def _hyper_of(setup: Setup, member: Member, step: int) -> dict[str, Any]:
    """A member's traced values: those of its recipe, and those that it took over from another one before `step`."""
    hyper = replace(setup.experiment, config=member.loaded.config).hyper
    return hyper | {key: np.float32(value) for key, value in taken_over(member.path, step).items()}


def _filled(array: np.ndarray, rows: int) -> np.ndarray:
    """The array with rows of zeros after its own."""
    return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), array.dtype)])


def _required(state: State | None) -> State:
    assert state is not None
    return state


def _plain(value: np.ndarray) -> Any:
    return value.item() if value.ndim == 0 else value.tolist()
