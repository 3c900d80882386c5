"""Losses and metrics bound to what they read: key paths resolved, traced scalars taken from `hyper`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax

from framework.config.schema.base import Component, TracedMark, WireMark, has_mark
from framework.config.schema.expressions import Formula
from framework.config.schema.own import Wired
from framework.core.errors import ConfigError, Problem
from framework.core.keypaths import lookup
from framework.data.protocol import LABELLED

Hyper = Mapping[str, jax.Array]


@dataclass(frozen=True)
class Bound:
    """One loss or metric with its arguments sorted by how they reach it.

    Attributes:
      key: its config key, e.g. `losses.label`.
      wires: argument -> key path.
      traced: argument -> config key of a traced scalar.
      plain: arguments that are fixed when compiling.
      target: the dotted name of the user's own function or class, in place of one that `type` names.
    """

    key: str
    type: str
    wires: dict[str, str]
    traced: dict[str, str]
    plain: dict[str, Any]
    target: str | None = None

    @classmethod
    def of(cls, spec: Component, key: str, *, hyper_keys: frozenset[str], leave: tuple[str, ...] = ()) -> Bound:
        """Sort the fields of `spec`, leaving out those named in `leave`."""
        if isinstance(spec, Wired):
            wires = dict(spec.inputs) or {"outputs": "outputs", "batch": "batch"}
            better = {name: getattr(spec, name) for name in ("higher_is_better",) if hasattr(spec, name)}
            return cls(key, spec.type, wires, {}, spec.options | better, spec.target)
        wires: dict[str, str] = {}
        traced: dict[str, str] = {}
        plain: dict[str, Any] = {}
        for name, value in spec.arguments().items():
            if isinstance(spec, Formula) and name == "inputs":
                wires |= value
                continue
            field = type(spec).model_fields[name]
            if name in leave:
                continue
            if has_mark(field, WireMark):
                if value is not None:
                    wires[name] = value
            elif has_mark(field, TracedMark) and f"{key}.{name}" in hyper_keys:
                traced[name] = f"{key}.{name}"
            else:
                plain[name] = value
        return cls(key, spec.type, wires, traced, plain)

    def read(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """The wired arrays out of {batch, outputs, intermediates, costs, params}."""
        return {name: lookup(scope, path, key=f"{self.key}.{name}") for name, path in self.wires.items()}

    def arguments(self, hyper: Hyper) -> dict[str, Any]:
        """The other arguments, traced ones from `hyper`."""
        return self.plain | {name: hyper[key] for name, key in self.traced.items()}

    @contextmanager
    def blamed(self, arrays: Mapping[str, Any]) -> Iterator[None]:
        """Turn a shape or dtype complaint of the component into a problem with its key and what it was given."""
        try:
            yield
        except (TypeError, ValueError) as error:
            given = ", ".join(f"{name} = {self.wires[name]} {_shape(array)}" for name, array in arrays.items())
            complaint = str(error).strip().splitlines()[0]
            # The wire that the complaint speaks of first is the one to look at.
            said = {name: complaint.find(name) for name in arrays if name in complaint}
            suspect = min(said, key=said.__getitem__, default=next(iter(arrays)))
            raise ConfigError(
                Problem(
                    key=f"{self.key}.{suspect}",
                    found=f"{self.target or self.type} cannot be computed from {given}",
                    expected=complaint,
                    fix=f"wire it to other arrays ({self.key}.{suspect}=...) or change the network",
                    suspects=tuple(f"{self.key}.{name}" for name in arrays),
                )
            ) from error


def _shape(array: Any) -> str:
    return f"{array.dtype}{list(array.shape)}" if hasattr(array, "shape") else type(array).__name__


def probes(bounds: Mapping[str, Bound]) -> tuple[str, ...]:
    """The node names that key paths read from `intermediates`."""
    names: dict[str, None] = {}
    for bound in bounds.values():
        for path in bound.wires.values():
            if path.startswith("intermediates."):
                names[path.removeprefix("intermediates.")] = None
    return tuple(names)


def reads_costs(bounds: Mapping[str, Bound]) -> bool:
    """Whether a key path reads what layers tell as costs."""
    return any(path.startswith("costs.") for bound in bounds.values() for path in bound.wires.values())


def batch_arrays(bounds: Mapping[str, Bound]) -> set[str]:
    """The batch arrays that losses and metrics read, e.g. `label`."""
    return {
        path.removeprefix("batch.")
        for bound in bounds.values()
        for path in bound.wires.values()
        if path.startswith("batch.")
    }


def network_inputs(wiring: Mapping[str, str], arrays: Mapping[str, Any], read_elsewhere: set[str]) -> dict[str, str]:
    """Which batch array feeds which network input: input name -> key path.

    A network without declared inputs takes the one array that is not an answer (`label`, `target`, `targets`); where
    there are several, the one that no loss or metric reads.

    Raises:
      ConfigError: a declared input is not in the data, or the input cannot be told.
    """
    if wiring and all(path for path in wiring.values()):
        for name, path in wiring.items():
            lookup({"batch": dict(arrays)}, path, key=f"network.inputs.{name}")
        return dict(wiring)
    free = [name for name in arrays if name not in LABELLED]
    if len(free) > 1:
        free = [name for name in free if name not in read_elsewhere] or free
    if len(free) == 1:
        return {next(iter(wiring), "input"): f"batch.{free[0]}"}
    raise ConfigError(
        Problem(
            key="network.inputs",
            found=f"the data has {len(free)} arrays that could be the input: {', '.join(free) or 'none'}",
            expected="a mapping from input name to key path, such as {image: batch.image}",
            fix=f"network.inputs={{x: batch.{next(iter(free or arrays))}}}",
        )
    )


def scope_tree(
    batch: Mapping[str, Any], outputs: Mapping[str, Any], told: Mapping[str, Any], params: Any
) -> dict[str, Any]:
    """The tree that key paths are resolved in; `told` has what the network gave besides: intermediates, costs."""
    return {"batch": dict(batch), "outputs": dict(outputs), **told, "params": params}
