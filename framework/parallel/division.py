"""Which dimension of which array of a state is divided among the devices of which mesh axis.

All of it follows from paths, shapes and the sizes of the axes, so that a layout can be told for any number of devices
without having one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from framework.core.axes import counted
from framework.core.errors import ConfigError, Problem
from framework.core.words import listed
from framework.parallel.rules import Rule, Spec, first

PARAMS = "params."


@dataclass(frozen=True)
class Division:
    """How one array is divided.

    Attributes:
      path: of the array in the state, e.g. `params.hidden.kernel`.
      spec: a mesh axis or None for each dimension.
      why: the rule that said so.
      stacked: how many of its first dimensions count copies of a layer.
    """

    path: str
    shape: tuple[int, ...]
    itemsize: int
    spec: Spec
    why: str
    stacked: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return math.prod(self.shape) * self.itemsize

    def parts(self, axes: Mapping[str, int]) -> int:
        """Into how many parts it is cut."""
        return math.prod(axes[axis] for axis in self.spec if axis is not None)

    def device_bytes(self, axes: Mapping[str, int]) -> int:
        """Bytes that each device holds of it."""
        return self.nbytes // self.parts(axes)


@dataclass(frozen=True)
class Divided:
    """A whole state, divided.

    Attributes:
      axes: axis -> number of devices.
      leaves: path -> how that array is divided, in the order of the state.
      warnings: what was asked for and could not be done.
    """

    axes: Mapping[str, int]
    leaves: Mapping[str, Division]
    warnings: tuple[str, ...]

    @property
    def device_bytes(self) -> int:
        """Bytes of the state on each device."""
        return sum(leaf.device_bytes(self.axes) for leaf in self.leaves.values())


@dataclass
class _Told:
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def divide(
    leaves: Mapping[str, Any],
    axes: Mapping[str, int],
    *,
    rules: Sequence[Rule] = (),
    min_size: int = 0,
    stacked: Mapping[str, int] | None = None,
) -> Divided:
    """Divide a state: parameters by rules over `tensor`, then along their largest dimension over `fsdp`.

    An array elsewhere in the state (optimizer state, moving average) is divided as the parameter whose path its own
    ends with.

    Args:
      leaves: path -> something with `shape` and `dtype`; parameters stand under `params.`.
      axes: axis -> number of devices.
      rules: for parameters; an axis of size 1 divides nothing.
      min_size: parameters of fewer elements are not divided over `fsdp`.
      stacked: path of a parameter without `params.` -> how many of its first dimensions count copies of a layer, which
        are scanned over and stay whole.

    Raises:
      ConfigError: a rule asks for a dimension that its axis does not divide, or no parameter is divided over `tensor`.
    """
    told = _Told()
    params = {path.removeprefix(PARAMS): leaf for path, leaf in leaves.items() if path.startswith(PARAMS)}
    whole = {axis: axes.get(axis, 1) for axis in ("fsdp", "tensor")}
    fsdp = _Fsdp(whole["fsdp"], min_size)
    made: dict[str, tuple[Spec, str]] = {}
    used: set[str] = set()
    uneven: list[str] = []
    for path, leaf in params.items():
        shape = tuple(leaf.shape)
        spec, why = _by_rule(path, shape, rules, whole, told, used)
        spec, more = fsdp.add(spec, shape, (stacked or {}).get(path, 0))
        if more.startswith(_UNEVEN):
            uneven.append(f"{path} {list(shape)}")
        made[path] = (spec, "; ".join(part for part in (why, more) if part))
    _tell(rules, used, uneven, made, whole, told)
    if told.problems:
        raise ConfigError(told.problems)
    divisions = {}
    for path, leaf in leaves.items():
        shape = tuple(leaf.shape)
        spec, why = _found(path, shape, params, made, fsdp)
        copies = (stacked or {}).get(path.removeprefix(PARAMS), 0) if path.startswith(PARAMS) else 0
        divisions[path] = Division(path, shape, leaf.dtype.itemsize, spec, why, copies)
    return Divided(dict(axes), divisions, tuple(told.warnings))


_UNEVEN = "nothing divides by"


@dataclass(frozen=True)
class _Fsdp:
    """The rule of the axis `fsdp`: the largest free dimension that divides; the first of equal ones."""

    size: int
    min_size: int

    def add(self, spec: Spec, shape: tuple[int, ...], stacked: int) -> tuple[Spec, str]:
        """The spec with one more dimension divided, and why, or why not."""
        if self.size == 1 or "fsdp" in spec:
            return spec, ""
        if math.prod(shape) < self.min_size:
            return spec, f"below {self.min_size} elements" if not any(spec) else ""
        free = [index for index in range(stacked, len(shape)) if spec[index] is None and shape[index] % self.size == 0]
        free = [index for index in free if shape[index] > 0]
        if not free:
            return spec, f"{_UNEVEN} fsdp {self.size}"
        largest = max(free, key=lambda index: shape[index])
        return (*spec[:largest], "fsdp", *spec[largest + 1 :]), "largest dimension"


def _by_rule(
    path: str, shape: tuple[int, ...], rules: Sequence[Rule], axes: Mapping[str, int], told: _Told, used: set[str]
) -> tuple[Spec, str]:
    """The spec that the first matching rule gives, with axes of size 1 left out."""
    nothing: Spec = (None,) * len(shape)
    rule = first(rules, path, shape)
    if rule is None:
        return nothing, ""
    used.add(rule.name)
    spec = tuple(axis if axis is not None and axes[axis] > 1 else None for axis in rule.full(shape))
    for index, axis in enumerate(spec):
        if axis is None or shape[index] % axes[axis] == 0:
            continue
        found = (
            f"{path} {list(shape)} has {shape[index]} in dimension {index}, which the {counted(axes[axis])} of the "
            f"axis '{axis}' do not divide"
        )
        if rule.optional:
            told.warnings.append(f"parallel.rules.{rule.name}: {found}; it is kept whole")
            return nothing, f"{rule.name}: {shape[index]} does not divide by {axis} {axes[axis]}"
        told.problems.append(
            Problem(
                key=f"parallel.rules.{rule.name}",
                found=found,
                expected=f"a multiple of {axes[axis]}",
                fix=f"++parallel.rules.{rule.name}.optional=true keeps it whole",
            )
        )
    if len([axis for axis in spec if axis]) != len({axis for axis in spec if axis}):
        told.problems.append(
            Problem(
                key=f"parallel.rules.{rule.name}.spec",
                found=f"the spec of {path} divides two dimensions over one axis",
                expected="each axis at most once",
                fix=f"set one of them to null in parallel.rules.{rule.name}.spec",
            )
        )
    return spec, rule.name


def _tell(
    rules: Sequence[Rule],
    used: set[str],
    uneven: Sequence[str],
    made: Mapping[str, tuple[Spec, str]],
    axes: Mapping[str, int],
    told: _Told,
) -> None:
    for rule in rules:
        if rule.name not in used and not rule.optional:
            told.warnings.append(
                f"parallel.rules.{rule.name}: '{rule.pattern.pattern}' with a spec of {len(rule.spec)} dimensions "
                f"matches no parameter that an earlier rule leaves; there are {listed(made, 8)}"
            )
    if uneven:
        told.warnings.append(
            f"{len(uneven)} of {len(made)} parameters are not divided over 'fsdp', because no free dimension of theirs "
            f"can be divided among its {counted(axes['fsdp'])}: {listed(uneven, 4)}"
        )
    if axes["tensor"] > 1 and not told.problems and not any("tensor" in spec for spec, _ in made.values()):
        reasons = "".join(f"\n{warning.partition(': ')[2]}" for warning in told.warnings[:2])
        told.problems.append(
            Problem(
                key="parallel.rules",
                found=f"no parameter is divided over the {axes['tensor']} devices of the axis 'tensor'{reasons}",
                expected=f"a rule that matches one of {listed(made, 8)}",
                fix="parallel=data",
            )
        )


def _found(
    path: str,
    shape: tuple[int, ...],
    params: Mapping[str, Any],
    made: Mapping[str, tuple[Spec, str]],
    fsdp: _Fsdp,
) -> tuple[Spec, str]:
    """The division of any array of the state."""
    if path.startswith(PARAMS):
        return made[path.removeprefix(PARAMS)]
    parts = path.split(".")
    for start in range(1, len(parts)):
        owner = ".".join(parts[start:])
        if owner in params:
            if tuple(params[owner].shape) == shape:
                return made[owner][0], f"as params.{owner}"
            # Such as the row and column means that Adafactor keeps of a matrix.
            return fsdp.add((None,) * len(shape), shape, 0)
    return (None,) * len(shape), ""
