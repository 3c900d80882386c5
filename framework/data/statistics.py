"""Scaling: statistics of the training split, and arrays scaled by them.

A scaled value is (x - shift) / scale, for each feature or channel (the last axis):
  standard: shift = mean, scale = standard deviation (of the population, not of the sample);
  minmax:   shift = minimum, scale = maximum - minimum, so that the training split lies in [0, 1].
A feature that is constant in the training split has scale 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.protocol import Arrays, Source

Method = Literal["standard", "minmax", "none"]
_CHUNK = 1024


@dataclass(frozen=True)
class Scaler:
    """How one array is finished: missing values filled, then shifted and scaled.

    Attributes:
      shift, scale: float32, of shape () or [features].
      fill: what stands in for NaN, in the units of the data; None where no value may be missing.
    """

    shift: np.ndarray
    scale: np.ndarray
    fill: np.ndarray | None = None

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Scaled float32 values; shape as before."""
        values = array.astype(np.float32)
        if self.fill is not None:
            values = np.where(np.isnan(values), self.fill, values)
        return (values - self.shift) / self.scale

    def apply_into(self, array: np.ndarray) -> None:
        """Scale a float32 array where it lies; the numbers are those of `apply`."""
        if self.fill is not None:
            np.copyto(array, self.fill, where=np.isnan(array))
        np.subtract(array, self.shift, out=array)
        np.divide(array, self.scale, out=array)

    def invert(self, array: np.ndarray) -> np.ndarray:
        """The values in the units of the data."""
        return np.asarray(array, np.float32) * self.scale + self.shift

    def facts(self) -> dict[str, Any]:
        """JSON-able; float32 numbers survive it exactly."""
        fill = None if self.fill is None else self.fill.tolist()
        return {"shift": self.shift.tolist(), "scale": self.scale.tolist(), "fill": fill}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Scaler:
        """The scaler that wrote these facts."""
        fill = facts.get("fill")
        return cls(
            np.asarray(facts["shift"], np.float32),
            np.asarray(facts["scale"], np.float32),
            None if fill is None else np.asarray(fill, np.float32),
        )


def apply_scalers(arrays: Mapping[str, np.ndarray], scalers: Mapping[str, Scaler]) -> Arrays:
    """The arrays, scaled where a scaler is named after them."""
    return {name: scalers[name].apply(array) if name in scalers else array for name, array in arrays.items()}


def measure(
    source: Source,
    indices: np.ndarray,
    methods: Mapping[str, Method],
    fill: Mapping[str, str] | None = None,
    fixed: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Scaler]:
    """The scalers of some arrays, by one pass over the examples at `indices` (the training split).

    Args:
      methods: array name -> method. An array with neither a method nor missing values needs no scaler and gets none.
      fill: array name -> `mean` or `zero`, where NaN means missing.
      fixed: array name -> [features] bool, features that are left as they are.

    Raises:
      DataError: a value is NaN or infinite, or all values of a feature are missing.
    """
    fill, fixed = fill or {}, fixed or {}
    wanted: dict[str, Method] = {name: method for name, method in methods.items() if method != "none" or name in fill}
    if not wanted:
        return {}
    moments = {name: _Moments(name, source.spec[name].shape, gaps=name in fill) for name in wanted}
    for start in range(0, len(indices), _CHUNK):
        rows = indices[start : start + _CHUNK]
        arrays = source.take(rows)
        for name, moment in moments.items():
            moment.add(arrays[name], rows)
    return {name: moment.scaler(wanted[name], fill.get(name), fixed.get(name)) for name, moment in moments.items()}


class _Moments:
    """Count, mean, squared deviations and range of each feature, merged chunk by chunk in float64.

    Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    def __init__(self, name: str, shape: tuple[int, ...], *, gaps: bool) -> None:
        self.name = name
        self.gaps = gaps
        self.shape = shape[-1:]
        width = shape[-1] if shape else 1
        self.count = np.zeros(width)
        self.mean = np.zeros(width)
        self.squares = np.zeros(width)
        self.low = np.full(width, np.inf)
        self.high = np.full(width, -np.inf)

    def add(self, array: np.ndarray, rows: np.ndarray) -> None:
        values = array.reshape(-1, len(self.count)).astype(np.float64)
        self._refuse_nonfinite(array, rows)
        here = ~np.isnan(values)
        missing = None if here.all() else ~here
        self.low = np.minimum(self.low, values.min(0, where=here, initial=np.inf))
        self.high = np.maximum(self.high, values.max(0, where=here, initial=-np.inf))
        count = here.sum(0).astype(np.float64)
        # In place from here on: of large images a chunk takes many times what a batch does.
        mean = _without(values, missing).sum(0) / np.maximum(count, 1)
        np.subtract(values, mean, out=values)
        squares = np.square(_without(values, missing), out=values).sum(0)
        total = self.count + count
        share = count / np.maximum(total, 1)
        self.squares += squares + (mean - self.mean) ** 2 * self.count * share
        self.mean += (mean - self.mean) * share
        self.count = total

    def _refuse_nonfinite(self, array: np.ndarray, rows: np.ndarray) -> None:
        wrong = np.isinf(array) if self.gaps else ~np.isfinite(array)
        if wrong.any():
            where = np.argwhere(wrong)[0]
            value = array[tuple(where)]
            raise DataError(
                Problem(
                    key="data",
                    found=f"array '{self.name}' holds {value} in example {rows[where[0]]}",
                    expected="finite numbers",
                    fix="clean the data",
                )
            )

    def scaler(self, method: Method, fill: str | None, fixed: np.ndarray | None) -> Scaler:
        if not self.count.all():
            raise DataError(
                Problem(
                    key="data.missing",
                    found=f"feature {int(np.argmin(self.count))} of array '{self.name}' is missing in all of train",
                    expected="at least one value to learn from",
                    fix="leave the column out: data.exclude",
                )
            )
        shift, scale = np.zeros_like(self.mean), np.ones_like(self.mean)
        if method == "standard":
            shift, scale = self.mean, np.sqrt(self.squares / self.count)
        elif method == "minmax":
            shift, scale = self.low, self.high - self.low
        scale = np.where(self.high > self.low, scale, 1.0)
        if fixed is not None:
            shift, scale = np.where(fixed, 0.0, shift), np.where(fixed, 1.0, scale)
        filled = None if fill is None else (self.mean if fill == "mean" else np.zeros_like(self.mean))
        return Scaler(self._finished(shift), self._finished(scale), None if filled is None else self._finished(filled))

    def _finished(self, values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32).reshape(self.shape)


def _without(values: np.ndarray, missing: np.ndarray | None) -> np.ndarray:
    """The values, now with 0 where one is missing."""
    if missing is not None:
        values[missing] = 0.0
    return values
