"""Which form a costly operation takes: one meaning, several forms, one choice.

A form is chosen while a program is traced: by the recipe where it names one (`trainer.lowering`), else by a rule over
platform, shapes and memory. The rules look at nothing that changes from one start to the next, neither at the clock nor
at how much memory happens to be free, so that a run that is resumed goes on with the same program, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

import jax

from framework.lowering.memory import memory_bytes

Memory = Literal["auto", "fast", "lean"]

AUTO = "auto"

_ROOM = 32
"""One operation may keep this fraction of the memory in order to be faster, one part in so many."""


@dataclass(frozen=True)
class Choices:
    """What a recipe says about forms.

    Attributes:
      forms: family -> form, or `auto`; families left out have the form `default`.
      default: `auto`, or `xla`: every operation as JAX and XLA compute it by themselves.
      memory: `lean` takes the forms that keep least until the backward pass, `fast` the fastest ones, whatever they
        keep, `auto` the fastest ones that keep a small part of the device's memory.
      whole: every array lies on one device. Else kernels may be divided along axes, which must then not be merged.
      matmul_precision: see `trainer.matmul_precision`; None: as JAX does for the platform.
    """

    forms: Mapping[str, str] = field(default_factory=dict)
    default: str = AUTO
    memory: Memory = "auto"
    whole: bool = True
    matmul_precision: str | None = None


_AUTOMATIC = Choices()

_current: ContextVar[Choices] = ContextVar("choices", default=_AUTOMATIC)


@contextmanager
def using(choices: Choices) -> Iterator[None]:
    """Trace what is inside with these choices."""
    token = _current.set(choices)
    # On the CPU JAX knows no other precision than that of the numbers; there `narrow` rounds.
    wanted = None if platform() == "cpu" else choices.matmul_precision
    try:
        with nullcontext() if wanted is None else jax.default_matmul_precision(wanted):
            yield
    finally:
        _current.reset(token)


def asked(family: str) -> str:
    """The form that is asked for by name, or `auto`."""
    choices = _current.get()
    form = choices.forms.get(family, AUTO)
    return choices.default if form == AUTO else form


def lean() -> bool:
    """Whether little memory counts for more than speed."""
    return _current.get().memory == "lean"


def affords(nbytes: int) -> bool:
    """Whether an operation may keep so many bytes until the backward pass in order to be faster."""
    memory = _current.get().memory
    return memory == "fast" or (memory == "auto" and nbytes <= memory_bytes() // _ROOM)


def whole() -> bool:
    """Whether every array lies on one device, so that axes may be merged."""
    return _current.get().whole


def matmul_precision() -> str | None:
    """The precision to which operands of float32 products may be rounded, or None for JAX's own rule."""
    return _current.get().matmul_precision


def platform() -> str:
    """`cpu`, `gpu` or `tpu`."""
    return jax.default_backend()


def fast_on_cpu() -> bool:
    """Whether this is the CPU, where the forms of this room were measured to be the faster ones."""
    return platform() == "cpu"


def takes(family: str, form: str) -> bool:
    """Whether a family takes a form that is the faster one on the CPU: asked for by name, or `auto` and there."""
    wanted = asked(family)
    return wanted == form or (wanted == AUTO and fast_on_cpu())
