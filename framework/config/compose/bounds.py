"""How much a file, an override or an interpolation may hold. Each bound is checked before the costly step it guards."""

from __future__ import annotations

MAX_FILE_BYTES = 1 << 20
"""Bytes of one YAML file; the longest recipe we know of has 20 KiB."""

MAX_DEPTH = 64
"""Nesting of mappings and lists in a YAML file, aliases expanded."""

MAX_NODES = 100_000
"""Scalars, lists and mappings of one tree, aliases and interpolations expanded."""

MAX_OVERRIDE_CHARACTERS = 65_536
"""Length of one override. The grammar's parser is recursive Python, hence also `MAX_BRACKETS`."""

MAX_BRACKETS = 32
"""Nesting of brackets, braces, quotes' contents excluded, in one override or one interpolation."""

MAX_INTERPOLATION_CHARACTERS = 8_192
"""Length, as written, of a text that holds an interpolation."""

MAX_INTERPOLATION_CHAIN = 24
"""Interpolations that read one another."""

MAX_RESOLVED_CHARACTERS = 65_536
"""Length of a text once its interpolations are resolved."""

MAX_RESOLVED_TOTAL = 4 << 20
"""Characters of all texts that interpolations make."""


def brackets(text: str) -> int:
    """The deepest nesting of `(`, `[` and `{` in a text, counted without regard to quotes: never too few."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest
