"""A broken network, and what its author must be told."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent, indent

HEAD = """\
defaults:
  - override /data: digits
  - override /losses: classification
  - override /optimizer: adamw
trainer: {epochs: 1}
network:
"""
TOLD = "# <- told"


@dataclass(frozen=True)
class Broken:
    """A network with one mistake in it, for pictures of 8 x 8 pixels and one channel.

    Attributes:
      name: the mistake in a few words.
      network: the section, with `TOLD` behind the line that must be named.
      key: the whole key of the problem.
      found: what the message says was found, or a part of it, as in all that follow.
      expected: what would have been right.
      fix: what mends it.
    """

    name: str
    network: str
    key: str
    found: str
    expected: str = ""
    fix: str = ""

    @property
    def recipe(self) -> str:
        """The recipe that declares it."""
        return HEAD + indent(dedent(self.network).strip("\n"), "  ") + "\n"

    @property
    def line(self) -> int:
        """The line of the recipe that the message must name."""
        return next(number for number, text in enumerate(self.recipe.splitlines(), 1) if text.endswith(TOLD))
