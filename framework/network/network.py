"""`Network`: the pure functions `init` and `apply` of a declared network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp

from framework.config.language import Graph, elaborate
from framework.config.language.graph import REGULARIZER
from framework.config.schema.layers.probing import Probe
from framework.config.schema.network import NetworkSection
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.network.context import Context, Decoding
from framework.network.costs import COSTS, added_up, averaged
from framework.network.graph.call import Call
from framework.network.graph.interpreter import PROBE, GraphModule
from framework.network.graph.table import NodeRow, rows
from framework.network.layers.cache import CACHE
from framework.network.piecewise import require_piecewise

PROBED = "probed"
"""What `apply` returns the averages of `probe` layers as."""

Variables = Mapping[str, Any]
Inputs = Any


class Network:
    """A declared network as pure functions. It holds no arrays; equal declarations are equal and hash alike."""

    def __init__(
        self,
        declaration: Mapping[str, Any] | NetworkSection | Graph,
        *,
        key: str = "network",
        precision: str | None = None,
    ) -> None:
        """Elaborate a declaration.

        Args:
          declaration: the fields of a network section (layers, and perhaps inputs, outputs, args, blocks).
          key: the config key with which errors and traced scalars are named.
          precision: the number format that layers compute in which do not say it themselves, e.g. `bfloat16`; None: the
            widest of their inputs and parameters. A graph is taken as it is.

        Raises:
          ConfigError: with one problem for each mistake.
        """
        whole = isinstance(declaration, Graph)
        self.graph = declaration if whole else elaborate(declaration, key=key, precision=precision)
        self._module = GraphModule(self.graph)

    @property
    def wiring(self) -> dict[str, str]:
        """Input name -> key path of the batch array that feeds it; empty where the declaration names none."""
        return dict(self.graph.wiring)

    @property
    def traced(self) -> dict[str, float]:
        """Config key -> value of every scalar that `apply` takes through `hyper`, such as dropout rates."""
        return self.graph.traced

    @cached_property
    def freezes(self) -> bool:
        """Whether a node keeps its parameters as they are."""
        return any(node.freeze for node in self.graph.walk())

    @cached_property
    def regularized(self) -> bool:
        """Whether a node adds a penalty on its kernels to the loss."""
        return any(name.startswith(REGULARIZER) for node in self.graph.walk() for name, _, _ in node.traced)

    def probed(self, *, train: bool) -> tuple[str, ...]:
        """The names under which `probe` layers tell statistics while the network trains, or while it does not."""
        return self._probed[train]

    def init(self, key: jax.Array, spec: Inputs) -> dict[str, Any]:
        """Fresh variables: `{"params": ...}` and other collections, such as `batch_stats`.

        Args:
          key: a JAX random key.
          spec: for the one input, or for each by name, something with `.shape` and `.dtype`; the batch axis included.

        Raises:
          ConfigError: a shape does not fit; the node and what it was given are named.
        """
        shapes = self._ordered(spec)

        # Compiled, so that the forward pass, of which only the shapes are needed, is dropped instead of computed.
        @jax.jit
        def start(key: jax.Array) -> Any:
            zeros = [jnp.zeros(shape.shape, shape.dtype) for shape in shapes]
            return self._module.init(_rngs(key), *zeros, call=self._call(Context()))

        variables = dict(start(key))
        variables.pop(COSTS, None)  # a user's module may tell costs already here
        return {"params": {}} | variables

    def apply(
        self,
        variables: Variables,
        inputs: Inputs,
        *,
        key: jax.Array | None = None,
        train: bool = False,
        mask: jax.Array | None = None,
        hyper: Mapping[str, jax.Array] | None = None,
        probes: Sequence[str] = (),
        costs: bool = False,
        axis: str | None = None,
        weights: Callable[[tuple[str, ...], Any], Any] | None = None,
    ) -> tuple[dict[str, jax.Array], dict[str, Any]]:
        """Outputs by name, and what changed: collections other than `params`, and `intermediates` as nested mappings.

        Args:
          variables: from `init`.
          inputs: one array, or arrays by input name; the batch axis comes first.
          key: a JAX random key; needed where layers draw random numbers while training.
          train: whether dropout draws and statistics are updated.
          mask: [batch], 1 for real rows and 0 for padding.
          hyper: traced scalars by config key; those left out have their declared values.
          probes: paths of nodes (`stage1`, `stage1.conv1`) whose outputs are returned as `intermediates`.
          costs: whether what layers tell as costs, [batch] by name, is returned as `costs`, and the averages of what
            `probe` layers tell as `probed`.
          axis: name of the axis over which other devices compute with rows of their own, as under `jax.pmap`;
            statistics of batches and random masks are then those of all rows together.
          weights: see `Context`; it is asked for what is stacked, the rest of `variables` is taken as it is.

        Raises:
          ConfigError: an input is missing or its shape does not fit, or a probe names no node.
        """
        arrays = [jnp.asarray(array) for array in self._ordered(inputs)]
        self._check_probes(probes)
        context = Context(train=train, mask=mask, hyper=dict(hyper or {}), axis=axis, weights=weights)
        changing = [name for name in variables if name != "params"] if train else []
        outputs, updates = self._module.apply(
            dict(variables),
            *arrays,
            call=self._call(context, probes),
            rngs=_rngs(key),
            mutable=[*changing, *(["intermediates"] if probes else []), *([COSTS] if costs else [])],
        )
        changed = dict(updates)
        if probes:
            changed["intermediates"] = _nested(changed.pop("intermediates", {}))
        if costs:
            told, rows = changed.pop(COSTS, {}), len(arrays[0])
            changed[COSTS] = added_up(told, rows, by_step=self._folds_steps)
            if self.probed(train=train):
                changed[PROBED] = averaged(told, rows, self.probed(train=train))
        return outputs, changed

    def decode(
        self, variables: Variables, cache: Variables, inputs: Inputs, *, position: int | jax.Array, length: int
    ) -> tuple[dict[str, jax.Array], dict[str, Any]]:
        """Outputs by name for the next positions of sequences whose earlier ones are in the cache, and the new cache.

        Evaluation as by `apply`, piece by piece: what attention and recurrences need of earlier positions is kept.

        Args:
          variables: from `init`.
          cache: what the call for the positions before gave; `{}` at the start.
          inputs: [batch, time, ...], the positions from `position` on.
          position: the place in time of the first of them; may be traced.
          length: how many positions the cache has room for, the same in all calls. That these positions lie within
            it is not checked.

        Raises:
          ConfigError: a node of the network needs the whole sequence, or shapes do not fit.
        """
        require_piecewise(self.graph)
        arrays = [jnp.asarray(array) for array in self._ordered(inputs)]
        context = Context(decoding=Decoding(jnp.asarray(position, jnp.int32), length))
        held = {CACHE: dict(cache)} if cache else {}
        outputs, updates = self._module.apply({**variables, **held}, *arrays, call=self._call(context), mutable=[CACHE])
        changed = dict(updates)
        return outputs, dict(changed.get(CACHE, {}))

    def __call__(self, variables: Variables, inputs: Inputs, **options: Any) -> Any:
        """The outputs alone: the array where there is one output, else arrays by name. Options as for `apply`."""
        outputs, _ = self.apply(variables, inputs, **options)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def check(self, spec: Inputs) -> list[NodeRow]:
        """Each node's input and output shapes, parameters and operations; nothing is allocated or compiled.

        Args:
          spec: as for `init`.

        Raises:
          ConfigError: a shape does not fit.
        """
        return rows(self._module, self._ordered(spec), self._call(Context()))

    def _call(self, context: Context, probes: Sequence[str] = ()) -> Call:
        givers = tuple(f"the input '{name}'" for name in self.graph.inputs)
        return Call(context, frozenset(probes), givers=givers)

    def _ordered(self, given: Any) -> list[Any]:
        """What is given for each input, in order."""
        names = self.graph.inputs
        key = f"{self.graph.key}.inputs"
        if not isinstance(given, Mapping):
            if len(names) == 1:
                return [given]
            raise ConfigError(Problem(key, "one array for several inputs", f"a mapping with {listed(names)}"))
        unknown = [str(name) for name in given if name not in names]
        missing = [name for name in names if name not in given]
        if unknown or missing:
            near = {name: closest(name, missing) for name in unknown}
            raise ConfigError(
                [
                    *(
                        Problem(
                            f"{key}.{name}",
                            f"there is no input '{name}'" + (f" (did you mean '{near[name]}'?)" if near[name] else ""),
                            f"inputs: {listed(names)}",
                        )
                        for name in unknown
                    ),
                    *(Problem(f"{key}.{name}", f"the input '{name}' is not given", "an array") for name in missing),
                ]
            )
        return [given[name] for name in names]

    def _check_probes(self, probes: Iterable[str]) -> None:
        for probe in probes:
            if probe not in self._paths:
                near = closest(probe, self._paths)
                raise ConfigError(
                    Problem(
                        f"intermediates.{probe}",
                        f"no node is called '{probe}'" + (f" (did you mean '{near}'?)" if near else ""),
                        f"nodes: {listed(self._paths)}",
                        fix=f"intermediates.{near}" if near else None,
                    )
                )
        inside = [(probe, other) for probe in probes for other in probes if probe.startswith(f"{other}.")]
        for probe, other in inside:
            raise ConfigError(
                Problem(
                    f"intermediates.{probe}",
                    f"'{other}' is asked for too, and one name cannot be an array and hold another",
                    f"either, or an `identity` node after '{other}' to ask for instead",
                )
            )

    @cached_property
    def _probed(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(dict.fromkeys(_statistics(self.graph, "eval"))), tuple(
            dict.fromkeys(_statistics(self.graph, "train"))
        )

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(node.path for node in self.graph.walk())

    @cached_property
    def _folds_steps(self) -> bool:
        bodies = [node.body for node in self.graph.walk() if isinstance(node.body, Graph)]
        return any(body.wrap is not None and body.wrap.kind == "steps" for body in bodies)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.graph == other.graph

    def __hash__(self) -> int:
        return hash(self.graph)

    def __reduce__(self) -> tuple[Any, ...]:
        return Network, (self.graph,)

    def __repr__(self) -> str:
        ends = ", ".join(name for name, _ in self.graph.outputs)
        return f"Network({', '.join(self.graph.inputs)} -> {ends}; {len(self.graph.nodes)} nodes)"

    def _repr_html_(self) -> str:
        from framework.network.graph.html import drawn

        return drawn(self.graph)


def _statistics(graph: Graph, phase: str) -> Iterator[str]:
    """What the probes of a graph tell in one phase, in which the other branch of a `cond` is not called."""
    for node in graph.nodes:
        if graph.wrap is not None and graph.wrap.kind == "phase" and node.name != phase:
            continue
        if isinstance(node.body, Graph):
            yield from _statistics(node.body, phase)
        elif isinstance(node.body, Probe):
            yield from (f"{node.body.label}_{name}" for name in Probe.statistics)


def _rngs(key: jax.Array | None) -> dict[str, jax.Array]:
    """Streams of random numbers: `params` is also what any stream that a user's module names falls back to."""
    if key is None:
        return {}
    return {"params": jax.random.fold_in(key, 0), "dropout": jax.random.fold_in(key, 1)}


def _nested(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Probed outputs as nested mappings by the parts of their paths."""
    found: dict[str, Any] = {}
    for path, value in _probed(tree):
        *outer, last = path.split(".")
        place = found
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return found


def _probed(tree: Mapping[str, Any]) -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in tree.items():
        if name.startswith(PROBE):
            flat.append((name.removeprefix(PROBE), value))
        elif isinstance(value, Mapping):
            flat.extend(_probed(value))
    return flat
