"""Which parameter of a recipe is laid out how over devices, told without having the devices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import jax

from framework.config.compose.loaded import Loaded
from framework.core.errors import ConfigError
from framework.parallel.choose import division, resolved
from framework.parallel.division import Divided, Division
from framework.train.setup import Setup

_PARTS = {"params": "parameters", "opt_state": "optimizer state", "ema": "moving average"}
_OTHER = "statistics, step and key"


@dataclass(frozen=True)
class Row:
    """One parameter.

    Attributes:
      path: dotted, e.g. `stack.mlp_in.kernel`.
      shape: of the whole.
      spec: the mesh axis that divides each dimension, or None.
      nbytes: of the whole.
      device_bytes: of what each device holds.
      rule: what decided, or nothing where nothing asked for a division.
    """

    path: str
    shape: tuple[int, ...]
    spec: tuple[str | None, ...]
    nbytes: int
    device_bytes: int
    rule: str


@dataclass(frozen=True)
class Shardings:
    """A state over devices.

    Attributes:
      layout: the word of `parallel.type`; for `auto`, what it decided on.
      axes: mesh axis -> number of devices.
      present: devices of this machine.
      rows: the parameters.
      parts: parameters, optimizer state ... -> bytes of the whole, and on each device.
      warnings: what was asked for and could not be done.
    """

    layout: str
    axes: dict[str, int]
    present: int
    rows: tuple[Row, ...]
    parts: dict[str, tuple[int, int]]
    warnings: tuple[str, ...]


def shardings(loaded: Loaded) -> Shardings:
    """The layout of a recipe's state over `parallel.devices`, which need not be present; by default those that are.

    No data is read, nothing is compiled and no array is made.

    Raises:
      ConfigError: the recipe or its layout does not fit together.
    """
    setup = Setup(loaded)
    checked = setup.check()
    experiment, parallel = setup.abstract, setup.config.parallel
    present = jax.device_count()
    shapes: Any = checked.state
    try:
        kind, axes = resolved(parallel, present, lambda: shapes, batch_size=setup.config.data.batch_size, needed=False)
        divided = division(parallel, shapes, axes, experiment.stacked)
    except ConfigError as error:
        raise error.located(loaded.origins, loaded.subject) from error.__cause__
    parameters = {path: leaf for path, leaf in divided.leaves.items() if path.startswith("params.")}
    return Shardings(
        layout=kind,
        axes={axis: size for axis, size in axes.items() if size > 1},
        present=present,
        rows=tuple(_row(leaf, axes) for leaf in parameters.values()),
        parts=_parts(divided),
        warnings=divided.warnings,
    )


def _row(leaf: Division, axes: dict[str, int]) -> Row:
    return Row(
        path=leaf.path.removeprefix("params."),
        shape=leaf.shape,
        spec=leaf.spec,
        nbytes=leaf.nbytes,
        device_bytes=leaf.device_bytes(axes),
        rule=leaf.why,
    )


def _parts(divided: Divided) -> dict[str, tuple[int, int]]:
    whole: dict[str, int] = defaultdict(int)
    each: dict[str, int] = defaultdict(int)
    for path, leaf in divided.leaves.items():
        part = _PARTS.get(path.partition(".")[0], _OTHER)
        whole[part] += leaf.nbytes
        each[part] += leaf.device_bytes(divided.axes)
    return {part: (size, each[part]) for part, size in whole.items()}
