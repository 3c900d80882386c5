"""Forms of one operation beside each other: a forward and a backward pass, in turns in one process.

    python benchmarks/forms.py [--cases attention depthwise] [--rounds 7]

Times are medians of turns in milliseconds, by the clock and of the processor, each with its ratio to the first form;
memory is what the compiled program takes for temporary arrays. Compiling is timed once, in processor time.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax

from framework.lowering.attention import attend
from framework.lowering.choice import Choices, using
from framework.lowering.convolution import convolve

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """An operation on arrays of some shapes, and the forms to compare; `auto` shows what would be taken."""

    family: str
    forms: tuple[str, ...]
    operation: Callable[..., jax.Array]
    shapes: tuple[Shape, ...]
    found: dict[str, list[float]] = field(default_factory=dict)


def convolution(
    space: Shape, kernel: Shape, channels: int, features: int, batch: int, groups: int = 1, strides: int = 1
) -> Case:
    """A convolution that keeps its space, or divides it by `strides`."""
    dims = len(space)

    def operation(x: jax.Array, kernel: jax.Array) -> jax.Array:
        steps = (strides,) * dims
        return convolve(x, kernel, strides=steps, padding="SAME", dilation=(1,) * dims, groups=groups)

    forms = ("shifts", "fft") if groups == channels > 1 else ("patches", "rows", "fft")
    return Case("convolution", forms, operation, ((batch, *space, channels), (*kernel, channels // groups, features)))


def attention(batch: int, time: int, heads: int, features: int, causal: bool = True) -> Case:
    """Attention of a sequence to itself."""
    shape = (batch, time, heads, features)
    return Case("attention", ("fused", "blocks"), lambda q, k, v: attend(q, k, v, causal=causal), (shape,) * 3)


CASES = {
    **{f"depthwise-2d-{k}": convolution((32, 32), (k, k), 64, 64, 8, groups=64) for k in (3, 5, 7, 9, 13)},
    **{f"depthwise-2d-small-{k}": convolution((14, 14), (k, k), 256, 256, 8, groups=256) for k in (7, 13)},
    **{f"depthwise-1d-{k}": convolution((1024,), (k,), 64, 64, 8, groups=64) for k in (8, 16, 32, 64, 128)},
    "depthwise-tiles-7": convolution((8, 8), (7, 7), 128, 128, 8, groups=128),
    "depthwise-1d-1024": convolution((4096,), (1024,), 64, 64, 4, groups=64),
    "depthwise-2d-31": convolution((56, 56), (31, 31), 64, 64, 4, groups=64),
    "depthwise-3d-3": convolution((16, 16, 16), (3, 3, 3), 32, 32, 4, groups=32),
    **{f"one-channel-1d-{k}": convolution((8192,), (k,), 1, 16, 8) for k in (32, 64, 256, 1024)},
    **{f"channels-1d-{k}": convolution((1024,), (k,), 32, 32, 16) for k in (16, 64, 256)},
    **{f"channels-2d-{k}": convolution((32, 32), (k, k), 16, 16, 32) for k in (5, 7, 11)},
    "wide-2d-7": convolution((16, 16), (7, 7), 48, 48, 16),
    "alexnet-11": convolution((224, 224), (11, 11), 3, 64, 4, strides=4),
    "image-11": convolution((64, 64), (11, 11), 3, 16, 16),
    **{f"attention-{t}": attention(8, t, 4, 64) for t in (256, 512, 1024)},
    "attention-2048": attention(2, 2048, 4, 64),
    "attention-full-1024": attention(8, 1024, 4, 64, causal=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=[""], help="what names begin with")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--forms", nargs="*", help="these alone")
    options = parser.parse_args()
    print(f"{'case':24}{'form':9}{'ms':>9}{'ratio':>8}{'cpu ms':>9}{'ratio':>8}{'MiB':>8}{'compiling s':>13}")
    for name, case in CASES.items():
        if any(name.startswith(start) for start in options.cases):
            compare(name, case, options.forms or case.forms, options.rounds)


def compare(name: str, case: Case, forms: tuple[str, ...], rounds: int) -> None:
    """Print a line for each form."""
    keys = jax.random.split(jax.random.key(0), len(case.shapes) + 1)
    given = [jax.random.normal(key, shape) for key, shape in zip(keys, case.shapes, strict=False)]
    back = jax.random.normal(keys[-1], jax.eval_shape(case.operation, *given).shape)
    programs, compiling, memory = {}, {}, {}
    for form in forms:
        start = time.process_time()
        with using(Choices({case.family: form})):
            programs[form] = jax.jit(lambda back, *x: _both(case.operation, back, *x)).lower(back, *given).compile()
        compiling[form] = time.process_time() - start
        memory[form] = programs[form].memory_analysis().temp_size_in_bytes / 2**20
    clock: dict[str, list[float]] = {form: [] for form in forms}
    processor: dict[str, list[float]] = {form: [] for form in forms}
    for turn in range(rounds + 1):
        for form in forms:
            start, used = time.perf_counter(), time.process_time()
            jax.block_until_ready(programs[form](back, *given))
            if turn:
                clock[form].append((time.perf_counter() - start) * 1e3)
                processor[form].append((time.process_time() - used) * 1e3)
    for form in forms:
        figures = "".join(
            f"{statistics.median(times[form]):9.2f}{_ratio(times[form], times[forms[0]]):8.2f}"
            for times in (clock, processor)
        )
        print(f"{name:24}{form:9}{figures}{memory[form]:8.1f}{compiling[form]:13.2f}", flush=True)


def _ratio(times: list[float], first: list[float]) -> float:
    """The median of the ratios within each round."""
    return statistics.median(own / other for own, other in zip(times, first, strict=True))


def _both(operation: Callable[..., jax.Array], back: jax.Array, *given: Any) -> Any:
    y, pullback = jax.vjp(operation, *given)
    return y, pullback(back.astype(y.dtype))


if __name__ == "__main__":
    main()
