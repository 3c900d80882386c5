"""The face for Python: load a recipe, use its pure functions, train, evaluate, predict.

Nothing here is global: two experiments live side by side, and each keeps what it trained.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from framework import data as data_room
from framework.build.state import State
from framework.config.compose import load as compose
from framework.config.compose.pipeline import Recipe
from framework.config.schema.root import Config
from framework.core.errors import ConfigError, Problem, RunError
from framework.core.words import listed
from framework.data.absent import require_here
from framework.data.held import Held
from framework.library.arguments import Overrides, override_words, recipe_word
from framework.library.data import same_arrays, with_arrays
from framework.network import Network
from framework.network.generation import generate
from framework.train import saved
from framework.train.evaluation import Evaluator
from framework.train.setup import Setup
from framework.train.stages import Outcome, run

if TYPE_CHECKING:
    from framework.inspect.drawing.drawing import Drawing


@dataclass(frozen=True, eq=False)
class Result:
    """What training came to.

    Attributes:
      path: the run directory.
      metrics: split -> metric -> value, for the splits that were evaluated.
      history: the records of the metric log, in order.
      seconds: how long training took.
      parameters: how many numbers were trained.
      state: the state that evaluation uses: the best checkpoint, or the last.
    """

    path: Path
    metrics: dict[str, dict[str, Any]]
    history: list[dict[str, Any]] = field(repr=False)
    seconds: float
    parameters: int
    state: State = field(repr=False)

    def _repr_html_(self) -> str:
        from framework.report.notebook import result_html

        return result_html(self.path, self.metrics, self.history)


class Experiment:
    """A loaded recipe: its pure functions (`init`, `step`), and the durable things that one does with them.

    Attributes:
      config: the validated recipe.
    """

    def __init__(self, setup: Setup, state: State | None = None, held: Held | None = None) -> None:
        self._setup = setup
        self._state = state
        self._held = held  # arrays of the caller's are found for as long as somebody keeps them
        self.config: Config = setup.config

    @property
    def network(self) -> Network:
        """The network: pure `init` and `apply`."""
        return self._setup.abstract.network

    @property
    def data(self) -> Any:
        """The loaded data set: `splits`, `spec`, `arrays(split)`."""
        return self._setup.dataset

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes, in the order of the logits; None where the data has no classes."""
        return self._setup.dataset.classes

    @property
    def hyper(self) -> dict[str, Any]:
        """The traced scalars, config key -> value; pass changed ones to `step`."""
        return self._setup.abstract.hyper

    @property
    def state(self) -> State | None:
        """What was trained or restored last; None before."""
        return self._state

    def init(self, seed: int | jax.Array | None = None) -> State:
        """The state before the first step; pure. See `framework.build.experiment.Experiment.init`."""
        return self._setup.experiment.init(seed)

    def step(
        self, state: State, batch: Mapping[str, Any], hyper: Mapping[str, Any] | None = None
    ) -> tuple[State, dict[str, jax.Array]]:
        """One optimizer step; pure. See `framework.build.experiment.Experiment.step`."""
        return self._setup.experiment.step(state, batch, hyper)

    def outputs(self, state: State, batch: Mapping[str, Any]) -> dict[str, jax.Array]:
        """The network's outputs for a batch; pure."""
        return self._setup.experiment.predict(state, batch)

    def batch(self, step: int = 0, split: str = "train") -> dict[str, np.ndarray]:
        """The batch that training takes at a step, as host arrays with their mask; of other splits the batch of rows
        [step x batch_size, ...)."""
        return saved.batch(self._setup, step, split)

    def check(self) -> None:
        """Evaluate the whole recipe abstractly; nothing is loaded or compiled.

        Raises:
          ConfigError: with every problem that was found.
        """
        self._setup.check()

    def draw(self, *, depth: int | None = 1, batch_size: int | None = None) -> Drawing:
        """The picture of the network, by shapes alone; in a notebook it shows itself. See `framework.library.draw`."""
        from framework.inspect.drawing.recipe import drawing_of_setup

        return drawing_of_setup(self._setup, depth=depth, batch_size=batch_size)

    def train(self, directory: str | Path | None = None, *, progress: bool = False) -> Result:
        """Train in a run directory, durably: the same directory goes on where it was left.

        Args:
          directory: by default the recipe's `run.dir`, else a new folder `runs/<recipe>/<time>`.
          progress: show a progress line.

        Raises:
          DataError: the data were arrays in the memory of another process.
        """
        require_here(self.config.data)
        with ExitStack() as stack:
            observers = []
            if progress:
                from framework.train.showing import console_for

                observers.append(stack.enter_context(console_for(self._setup)))
            outcome = run(
                self._setup.loaded,
                stages=("train",),
                observers=observers,
                directory=Path(directory) if directory is not None else None,
                setup=self._setup,
            )
        self._state = saved.state_of(self._setup, outcome.path, self.config.run.evaluate_checkpoint, outcome.state)
        return self._result(outcome)

    def evaluate(self, split: Any = "test") -> dict[str, Any]:
        """The losses and metrics of the trained state on a split, or on other data.

        Args:
          split: the name of a split; or arrays in the units of the data, as `fw.load` takes them for one split:
            `(x, y)`, or a dict of batch arrays by name. They are scaled as the training split was.

        Raises:
          RunError: nothing was trained or restored yet.
          ConfigError: there is no such split.
          DataError: the arrays are not like those that the run was trained on.
        """
        if not isinstance(split, str):
            state, evaluator = self._trained(), self._setup.evaluator
            given = data_room.given_examples(split, self.config.data, self._setup.dataset)
            return Evaluator(self._setup.experiment, given, evaluator.strategy).evaluate(state, "given")
        splits = self._setup.dataset.splits
        if split not in splits:
            known = tuple(splits)
            raise ConfigError(Problem("split", f"unknown value '{split}'", expected=listed(known), fix=known[-1]))
        return self._setup.evaluator.evaluate(self._trained(), split)

    def predict(self, inputs: Any) -> Any:
        """The network's outputs for raw inputs, scaled as the training split was.

        Args:
          inputs: one array with a leading batch axis, or a mapping of batch array names to such; a data frame, whose
            columns are found by name, where the run was trained on a table; or the path of a file, as for `fw predict`.

        Returns:
          The array, where the network has one output; else a dict by name.

        Raises:
          RunError: nothing was trained or restored yet.
          DataError: the inputs are not what the network reads.
        """
        state = self._trained()
        outputs = self._setup.evaluator.predict(state, self._scaled(inputs))
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _scaled(self, inputs: Any) -> dict[str, Any]:
        first = next(iter(self._setup.experiment.inputs.values())).removeprefix("batch.")
        return dict(data_room.given_inputs(inputs, first, self.config.data, self._setup.dataset.facts()))

    def generate(
        self, tokens: Any, count: int, *, temperature: float = 1.0, top_k: int | None = None, seed: int = 0
    ) -> np.ndarray:
        """Tokens and those that the trained network adds to them. See `framework.network.generation.generate`.

        Args:
          tokens: integers [batch, time] to go on from.
          count: how many to add.
          temperature: 0 takes the most likely token each time; above 0 they are drawn.
          top_k: only the most likely ones are drawn from; None: all.
          seed: of what is drawn.

        Returns:
          int32 [batch, time + count].

        Raises:
          RunError: nothing was trained or restored yet.
          ConfigError: the network needs whole sequences, or an argument does not fit.
        """
        variables, key = self._trained().best_variables, jax.random.key(seed)
        given = np.asarray(tokens)
        return np.asarray(
            generate(self.network, variables, given, count, temperature=temperature, top_k=top_k, key=key)
        )

    def _trained(self) -> State:
        if self._state is None:
            raise RunError("nothing was trained yet\n  fix:       experiment.train(), or framework.open_run(PATH)")
        return self._state

    def _result(self, outcome: Outcome) -> Result:
        return Result(
            path=outcome.path,
            metrics=outcome.result.get("metrics", {}),
            history=outcome.records,
            seconds=outcome.result.get("seconds", 0.0),
            parameters=outcome.result.get("parameters", 0),
            state=self._trained(),
        )

    @cached_property
    def _title(self) -> str:
        return f"Experiment {self.config.name}"

    def __repr__(self) -> str:
        return f"<{self._title}: {self.config.data.type}, {len(self.network.graph.nodes)} nodes>"

    def _repr_html_(self) -> str:
        return f"<b>{html.escape(self._title)}</b>{self.network._repr_html_()}"


def load(
    recipe: str | PathLike[str],
    overrides: Overrides = (),
    *,
    data: Any = None,
    config_dirs: Sequence[str | Path] = (),
    trust: Sequence[str] = (),
) -> Experiment:
    """Load a recipe by name or path, with overrides in Hydra's grammar or as a dict of keys and values.

    Args:
      data: arrays in memory in the place of the recipe's data: `(x, y)`, which `data.split` shares out; a dict of batch
        arrays by name; or one of these for each split, `{"train": (x, y), "test": (u, v)}`. Arrays of NumPy, JAX and
        whatever else NumPy reads, and data frames for `x`. Classes and vocabulary are those that the arrays hold. They
        are not copied: leave them as they are while the experiment is used.

    Raises:
      ConfigError: with every problem that was found in the recipe and the overrides.
      DataError: with everything that is wrong with `data`.
    """
    name, words = recipe_word(recipe), override_words(overrides)
    if data is None:
        return Experiment(Setup(compose(name, words, config_dirs=config_dirs, trust=trust)))
    loaded, held = with_arrays(Recipe(name, config_dirs=config_dirs, trust=trust), words, data)
    return Experiment(Setup(loaded), held=held)


def open_run(
    path: str | Path, checkpoint: str | int = "best", *, data: Any = None, trust: Sequence[str] = ()
) -> Experiment:
    """The experiment of a run directory, with what it trained.

    Args:
      checkpoint: `best`, `last` or a step.
      data: the arrays that the run was trained on, where it was and they are to be used again; `predict`, and
        `evaluate` of other data, do without.

    Raises:
      RunError: there is no run, or no such checkpoint.
      DataError: `data` are not the arrays of the run.
    """
    setup = saved.setup_of(Path(path), trust=trust)
    held = None if data is None else same_arrays(setup.config.data, data)
    return Experiment(setup, saved.state_of(setup, Path(path), checkpoint, None), held)
