"""Files of token ids, mapped into memory: text that a tokenizer has already cut up, of any size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from framework.core.errors import DataError, Problem
from framework.data.paths import Files, by_split, files_of
from framework.data.protocol import Arrays, Collection, Outline, by_part, checked
from framework.data.windows import window_spec


def describe(*, path: Files, context: int, vocabulary: int) -> Outline:
    """The outline, by the section alone: the files need not be there."""
    return Outline(window_spec(context), vocabulary=vocabulary, own=tuple(by_split(path) or ()), ordered=True)


def tokens(*, path: Files, context: int, stride: int | None, vocabulary: int, dtype: str) -> Collection:
    """Windows of `context` tokens side by side (or every `stride`), and the tokens that follow as targets.

    A window lies within one file. Nothing but the windows that are asked for is read.

    Raises:
      DataError: a file is missing or no file of tokens, or too short; all of them are told. A token outside of the
        vocabulary is told when its window is taken.
    """
    groups = files_of(path)
    problems: list[Problem] = []
    files: list[tuple[str | None, Path, np.ndarray]] = []
    for split, paths in groups.items():
        for file in paths:
            try:
                stream = _mapped(file, dtype)
                _require_window(file, len(stream), context)
                files.append((split, file, stream))
            except DataError as error:
                problems.extend(error.problems)
    if problems:
        raise DataError(problems)
    windows = TokenWindows(
        [file for _, file, _ in files], [stream for *_, stream in files], context, stride, vocabulary
    )
    # A wrong vocabulary or number format is told before a run begins, not in the middle of it.
    for first, count in zip(windows.firsts, windows.counts, strict=True):
        windows.take(np.unique([first, first + count // 2, first + count - 1]))
    of_split = {
        split: np.concatenate(
            [
                np.arange(first, first + count)
                for (owner, *_), first, count in zip(files, windows.firsts, windows.counts, strict=True)
                if owner == split
            ]
        )
        for split in groups
        if split is not None
    }
    return Collection(windows, own=of_split or None, extents=windows.extents())


class TokenWindows:
    """Windows over several streams, numbered through; a window and its targets cover `context` + 1 tokens of one.

    Attributes:
      firsts: the number of each stream's first window.
      counts: how many windows each stream has.
    """

    def __init__(
        self, files: Sequence[Path], streams: Sequence[np.ndarray], context: int, stride: int | None, vocabulary: int
    ) -> None:
        self.spec = window_spec(context)
        self._files, self._streams = list(files), list(streams)
        self._context, self._stride, self._vocabulary = context, stride or context, vocabulary
        self.counts = [(len(stream) - context - 1) // self._stride + 1 for stream in streams]
        self._ends = np.cumsum(self.counts)
        self.firsts = [int(end) - count for end, count in zip(self._ends, self.counts, strict=True)]

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, indices: np.ndarray) -> Arrays:
        """`tokens` and `targets`, int32[len(indices), context].

        Raises:
          DataError: a token is outside of the vocabulary.
        """
        rows = checked(indices, len(self))
        windows = np.empty((len(rows), self._context + 1), np.int32)
        along = np.arange(self._context + 1)
        for owner, places, inside in by_part(self._ends, rows):
            starts = inside * self._stride
            found = self._streams[owner][starts[:, None] + along]
            self._require_known(owner, found, starts)
            windows[places] = found
        return {"tokens": windows[:, :-1], "targets": windows[:, 1:]}

    def extents(self) -> np.ndarray:
        """int64[windows, 2]: first and one past the last token of each window, the files lying one after another."""
        offsets = np.cumsum([0, *(len(stream) for stream in self._streams[:-1])])
        starts = np.concatenate(
            [
                offset + self._stride * np.arange(count, dtype=np.int64)
                for offset, count in zip(offsets, self.counts, strict=True)
            ]
        )
        return np.stack([starts, starts + self._context + 1], axis=1)

    def _require_known(self, owner: int, found: np.ndarray, starts: np.ndarray) -> None:
        wrong = (found < 0) | (found >= self._vocabulary)
        if not wrong.any():
            return
        row, place = np.argwhere(wrong)[0]
        token = int(found[row, place])
        raise DataError(
            Problem(
                key="data.vocabulary",
                found=f"'{self._files[owner]}' holds token {token} at place {int(starts[row]) + int(place)}",
                expected=f"tokens in [0, {self._vocabulary})",
                fix=f"data.vocabulary={token + 1} or more, or the data.dtype that the file was written with",
            )
        )


def _mapped(file: Path, dtype: str) -> np.ndarray:
    """The tokens of an .npy file or of a raw one; nothing is read yet."""
    if file.suffix.lower() == ".npy":
        try:
            stream = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise _unfit(file, f"cannot be read as NPY: {str(error).splitlines()[0]}") from None
        if stream.ndim != 1 or stream.dtype.kind not in "iu":
            raise _unfit(file, f"holds {stream.dtype}{list(stream.shape)}")
        return stream
    size, each = file.stat().st_size, np.dtype(dtype).itemsize
    if size % each:
        raise _unfit(file, f"has {size:,} bytes, which are no whole number of {dtype}")
    if size == 0:
        raise _unfit(file, "is empty")
    return np.memmap(file, np.dtype(dtype).newbyteorder("<"), mode="r")


def _unfit(file: Path, found: str) -> DataError:
    expected = "token ids one after another: an .npy file of integers [tokens], or raw little-endian data.dtype"
    return DataError(Problem("data.path", f"'{file}' {found}", expected))


def _require_window(file: Path, length: int, context: int) -> None:
    if length > context:
        return
    raise DataError(
        Problem(
            key="data.context",
            found=f"'{file}' has {length} tokens, which do not fill one window of {context} and its targets",
            expected=f"at least {context + 1} tokens",
            fix=f"data.context={length - 1}" if length > 1 else None,
        )
    )
