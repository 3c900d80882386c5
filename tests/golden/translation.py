"""From the names and layouts of another library's weights to ours, and the comparison of what both compute.

A model is described by rules. Each takes the other library's names by a pattern to the path of our weight, where `{0}`,
`{1}` and so on stand for the pattern's groups, and says how the array is laid out anew. A path that ends in `[{0}]`
names one copy of a repeated node, whose weights lie stacked. Gradients go the same way as weights.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from formula import weight

FOLDER = Path(__file__).parent / "references"
TOLERANCE = 1e-5
NOTHING = 1e-9
Arrays = dict[str, np.ndarray]
Layout = Callable[[np.ndarray], np.ndarray]


def as_is(array: np.ndarray) -> np.ndarray:
    """Biases, scales and whatever else has one axis."""
    return array


def dense(array: np.ndarray) -> np.ndarray:
    """[outputs, inputs] -> [inputs, outputs]."""
    return array.T


def conv(array: np.ndarray) -> np.ndarray:
    """[features, channels, *kernel] -> [*kernel, channels, features]."""
    return np.moveaxis(array, (0, 1), (-1, -2))


def transposed_conv(array: np.ndarray) -> np.ndarray:
    """[channels, features, *kernel] -> [*kernel, channels, features], its taps in the other order."""
    return np.flip(np.moveaxis(array, (0, 1), (-2, -1)), tuple(range(array.ndim - 2)))


def heads_in(heads: int, parts: int = 3) -> Layout:
    """[parts · features, inputs] -> [inputs, parts, heads, head features], and biases likewise."""

    def change(array: np.ndarray) -> np.ndarray:
        split = array.reshape(parts, heads, -1, *array.shape[1:])
        return split if array.ndim == 1 else np.moveaxis(split, -1, 0)

    return change


def heads_out(heads: int) -> Layout:
    """[features, heads · head features] -> [heads, head features, features]."""
    return lambda array: array.T.reshape(heads, -1, array.shape[0])


@dataclass(frozen=True)
class Rule:
    """Where weights whose name fits a pattern go, and how they are laid out there."""

    pattern: str
    path: str
    layout: Layout = as_is


def translated(arrays: Mapping[str, np.ndarray], rules: Iterable[Rule]) -> Arrays:
    """The arrays by our paths, those of repeated nodes stacked.

    Raises:
      KeyError: no rule fits a name.
    """
    listed = list(rules)
    found: Arrays = {}
    stacks: dict[str, dict[int, np.ndarray]] = {}
    for name, array in arrays.items():
        fitting = [(rule, match) for rule in listed if (match := re.fullmatch(rule.pattern, name))]
        if not fitting:
            raise KeyError(f"no rule fits '{name}'")
        rule, match = fitting[0]
        path = rule.path.format(*match.groups())
        laid = rule.layout(array)
        copy = re.fullmatch(r"(.*)\[(\d+)\]", path)
        if copy:
            stacks.setdefault(copy[1], {})[int(copy[2])] = laid
        else:
            found[path] = laid
    return found | {path: np.stack([parts[index] for index in sorted(parts)]) for path, parts in stacks.items()}


def nested(flat: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """A tree out of dotted paths, in float32."""
    tree: dict[str, Any] = {}
    for path, array in flat.items():
        *outer, last = path.split(".")
        place = tree
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = np.asarray(array, np.float32)
    return tree


@dataclass(frozen=True)
class Reference:
    """What the other library computed; see `make_references.py`.

    Attributes:
      weights: by its names, out of the formula.
      gradients: by its names, those of inputs included.
      kept: statistics after the step.
      arrays: everything else in the file.
    """

    weights: Arrays
    gradients: Arrays
    kept: Arrays
    arrays: Arrays


def reference(name: str, inputs: Iterable[str]) -> Reference:
    """Read a reference.

    Args:
      inputs: names of the model's inputs, whose gradients are no weights'.
    """
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    parts = {
        kind: {key.removeprefix(f"{kind}/"): array for key, array in arrays.items() if key.startswith(f"{kind}/")}
        for kind in ("gradient", "kept")
    }
    shapes = {key: array.shape for key, array in (parts["gradient"] | parts["kept"]).items() if key not in set(inputs)}
    weights = {key: weight(key, shape) for key, shape in shapes.items()}
    rest = {key: array for key, array in arrays.items() if "/" not in key}
    return Reference(weights, parts["gradient"], parts["kept"], rest)


def assert_close(ours: Mapping[str, Any], theirs: Mapping[str, np.ndarray], tolerance: float = TOLERANCE) -> None:
    """The same names, and each array within `tolerance` of the other, relative to its largest absolute value.

    An array that is 0 but for rounding, as the gradient of attention by the bias of its keys, is measured by the
    largest of all arrays.
    """
    assert set(ours) == set(theirs), set(ours) ^ set(theirs)
    scales = {name: float(np.abs(array).max()) for name, array in theirs.items()}
    largest = max(scales.values(), default=0.0)
    far = {}
    for name, expected in theirs.items():
        found = np.asarray(ours[name])
        assert found.shape == expected.shape, (name, found.shape, expected.shape)
        scale = scales[name] if scales[name] > NOTHING * largest else largest
        distance = np.abs(found - expected).max() / scale
        if not distance <= tolerance:
            far[name] = float(distance)
    assert not far, far
