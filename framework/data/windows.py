"""Windows of text: each example is `context` tokens and, as targets, the tokens one place further on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.protocol import Arrays, ArraySpec, checked, joined


class TextWindows:
    """Windows that start at `starts` in a stream of tokens; a window and its targets cover `context` + 1 tokens."""

    def __init__(self, stream: np.ndarray, starts: np.ndarray, context: int) -> None:
        self.stream = stream
        self.starts = starts
        self.context = context
        self.spec = window_spec(context)

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, indices: np.ndarray) -> Arrays:
        """`tokens` and `targets`, int32[len(indices), context]; targets[i] follows tokens[i] in the text."""
        rows = checked(indices, len(self.starts))
        windows = self.stream[self.starts[rows, None] + np.arange(self.context + 1)].astype(np.int32)
        return {"tokens": windows[:, :-1], "targets": windows[:, 1:]}

    def extents(self) -> np.ndarray:
        """int64[windows, 2]: first and one past the last character that each window covers."""
        return np.stack([self.starts, self.starts + self.context + 1], axis=1)

    def covered(self, indices: np.ndarray) -> np.ndarray:
        """The part of the stream that some windows cover, in order and without repeats."""
        edges = np.zeros(len(self.stream) + 1, np.int64)
        np.add.at(edges, self.starts[indices], 1)
        np.add.at(edges, self.starts[indices] + self.context + 1, -1)
        return self.stream[np.cumsum(edges[:-1]) > 0]


def window_spec(context: int) -> Mapping[str, ArraySpec]:
    """The arrays of one window."""
    return {"tokens": ArraySpec((context,), "int32"), "targets": ArraySpec((context,), "int32")}


def cut_windows(
    streams: Mapping[str | None, np.ndarray], context: int, stride: int | None
) -> tuple[TextWindows, dict[str, np.ndarray] | None]:
    """Windows over one stream, or over that of each split; no window runs from one split's stream into another's.

    Args:
      streams: split -> its characters; None where the source names no splits.
      stride: characters from one window's start to the next; None: `context`, so that each is a target once.

    Returns:
      The windows, and the window numbers of each named split.

    Raises:
      DataError: a stream is too short for one window.
    """
    starts: list[np.ndarray] = []
    own: dict[str, np.ndarray] = {}
    offset, count = 0, 0
    problems: list[Problem] = []
    for split, stream in streams.items():
        if len(stream) < context + 1:
            problems.append(_too_short(split, len(stream), context))
            continue
        here = np.arange(0, len(stream) - context, stride or context, dtype=np.int64) + offset
        if split is not None:
            own[split] = np.arange(count, count + len(here))
        starts.append(here)
        offset += len(stream)
        count += len(here)
    if problems:
        raise DataError(problems)
    return TextWindows(joined(list(streams.values())), np.concatenate(starts), context), own or None


def _too_short(split: str | None, length: int, context: int) -> Problem:
    where = f"the split {split}" if split else "the text"
    return Problem(
        key="data.context",
        found=f"{where} has {length} characters, which do not fill one window of {context} and its targets",
        expected=f"at least {context + 1} characters",
        fix=f"data.context={length - 1}" if length > 1 else "more text",
    )
