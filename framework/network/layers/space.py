"""The space dimensions of [batch, *space, channels]: how many there are, and settings given for all or for each."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from framework.network.layers.wording import printed

Sides = tuple[tuple[int, int], ...]
Padding = str | int | tuple[int | tuple[int, int], ...]


def space_dims(x: jax.Array, layer: str) -> int:
    """The number of space dimensions, 1 to 3.

    Raises:
      ValueError: the rank is not 3, 4 or 5.
    """
    if 3 <= x.ndim <= 5:
        return x.ndim - 2
    mend = "put a reshape before it, e.g. {reshape: {shape: [8, 8, 1]}}"
    if x.ndim > 5:
        mend = "merge axes with a reshape before it"
    raise ValueError(
        f"found rank {x.ndim} {printed(x.shape)}, {layer} needs [batch, *space, channels] "
        f"with 1 to 3 space dimensions; {mend}"
    )


def per_dimension(value: int | Sequence[int], dims: int, name: str) -> tuple[int, ...]:
    """A setting for each space dimension.

    Raises:
      ValueError: a list of another length was given.
    """
    if isinstance(value, int):
        return (value,) * dims
    if len(value) != dims:
        raise ValueError(
            f"found {name} {list(value)}, {name} of an input with {_dims(dims)} is one integer or a list of {dims}; "
            f"set {name}={value[0] if value else 1}"
        )
    return tuple(value)


def sides(
    padding: Padding,
    space: Sequence[int],
    reach: Sequence[int],
    strides: Sequence[int],
    layer: str,
) -> Sides:
    """Padding (before, after) of each space dimension.

    Args:
      padding: `same` (ceil(space / strides) positions, the odd element after), `valid`, `causal` (one dimension, all
        before), an integer, or integers and pairs for each dimension.
      space: sizes of the space dimensions.
      reach: how many positions the window covers from end to end, dilation included.
      strides: steps between windows.

    Raises:
      ValueError: the list has another length, `causal` has more than one dimension, or no window fits inside.
    """
    dims = len(space)
    if padding == "same":
        totals = [max((-(-n // s) - 1) * s + r - n, 0) for n, r, s in zip(space, reach, strides, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if padding == "causal":
        if dims != 1:
            raise ValueError(f"found {_dims(dims)}, padding causal needs one (time); set padding=same")
        return ((reach[0] - 1, 0),)
    counts = 0 if isinstance(padding, str) else padding
    each = (counts,) * dims if isinstance(counts, int) else counts
    if len(each) != dims:
        shown = [list(side) if isinstance(side, tuple) else side for side in each]
        raise ValueError(
            f"found padding {shown}, padding of an input with {_dims(dims)} is one integer or a list of {dims}; "
            f"use an integer, or a pair for each dimension, e.g. {[[1, 1]] * dims}"
        )
    pairs = tuple((side, side) if isinstance(side, int) else side for side in each)
    if any(n + sum(pair) < r for n, r, pair in zip(space, reach, pairs, strict=True)):
        raise ValueError(
            f"found space {list(space)}, {layer} that reaches over {list(reach)} needs an input of at least that size; "
            "set padding=same, or take a smaller size"
        )
    return pairs


def _dims(count: int) -> str:
    return f"{count} space dimension{'' if count == 1 else 's'}"
