"""Tracing that nothing but shapes is asked of, which may then take shorter ways."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_shapes_only: ContextVar[bool] = ContextVar("shapes_only", default=False)
_starts_skipped: ContextVar[bool] = ContextVar("starts_skipped", default=False)


@contextmanager
def shapes_only() -> Iterator[None]:
    """Within it, of what a network computes only shapes and dtypes are right: it may draw other random numbers.

    What is traced here must not be compiled. JAX keeps traced programs by their function, so give it a function that is
    used nowhere else, such as a new `lambda`.

    Python's collector of cyclic garbage rests meanwhile: tracing makes hundreds of thousands of objects that live until
    its end, and looking through them again and again takes a third of the time of a large network.
    """
    collecting = gc.isenabled()
    token = _shapes_only.set(True)
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        _shapes_only.reset(token)


def numbers_matter() -> bool:
    """Whether what is traced now may be computed."""
    return not _shapes_only.get()


@contextmanager
def starts_skipped() -> Iterator[None]:
    """Within it parameters start as zeros: of what is traced only the shape of an output is kept.

    An initialiser that fails is then not noticed, so it must be traced elsewhere.
    """
    token = _starts_skipped.set(True)
    try:
        yield
    finally:
        _starts_skipped.reset(token)


def starts_matter() -> bool:
    """Whether anything reads what parameters start as, or whether their initialiser can be computed."""
    return not _starts_skipped.get()
