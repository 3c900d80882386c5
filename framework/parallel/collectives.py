"""What a compiled program sends between devices, read out of its text."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")

_BITS = re.compile(r"(?:[a-z]+)(\d+)")
_SHAPE = re.compile(r"([a-z]+\d*[a-z0-9]*)\[([\d,]*)\]")
_CALL = re.compile(rf"= (.*?) ({'|'.join(KINDS)})(?:-start)?\(")


@dataclass(frozen=True)
class Collectives:
    """The collectives of one program.

    Attributes:
      count: kind -> operations. One that stands in a loop counts once.
      nbytes: kind -> bytes of the results on one device.
    """

    count: dict[str, int]
    nbytes: dict[str, int]

    @property
    def total_bytes(self) -> int:
        """Bytes of all results on one device."""
        return sum(self.nbytes.values())


def collectives(text: str) -> Collectives:
    """Count the collectives of a program.

    Args:
      text: of a compiled program (`compiled.as_text()`).
    """
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for line in text.splitlines():
        found = _CALL.search(line)
        if found:
            shape, kind = found.groups()
            count[kind] += 1
            size[kind] += sum(_bytes(*part) for part in _SHAPE.findall(shape))
    return Collectives(dict(count), dict(size))


def _bytes(dtype: str, dimensions: str) -> int:
    bits = _BITS.match(dtype)
    each = max(1, int(bits[1]) // 8) if bits else 1  # pred has no number in its name, and takes a byte
    return each * math.prod(int(size) for size in dimensions.split(",") if size)
