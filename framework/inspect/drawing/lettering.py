"""How wide a text is, without a font at hand: the advances of DejaVu Sans, which few common fonts exceed."""

from __future__ import annotations

from framework.inspect.drawing.diagram import Line

FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
SIZES = {"name": 12.0, "op": 10.5, "shape": 10.0}
"""Style of a line -> height of its letters, in pixels."""

LEADING = 1.3
"""Distance of two lines, in heights of letters."""

# In hundredths of the height, for the characters from the space on.
_PLAIN = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34,
    84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99,
    69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52,
    39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip
_OTHERS = {"×": 84, "·": 32, "…": 100}
_WIDEST = 100
_BOLD = 1.13


def width(text: str, style: str) -> float:
    """Of a line of text, in pixels."""
    hundredths = sum(
        _PLAIN[ord(letter) - 32] if 32 <= ord(letter) < 127 else _OTHERS.get(letter, _WIDEST) for letter in text
    )
    return hundredths / 100 * SIZES[style] * (_BOLD if style == "name" else 1)


def block(lines: tuple[Line, ...]) -> tuple[float, float]:
    """Width and height of lines below each other."""
    return (
        max((width(line.text, line.style) for line in lines), default=0.0),
        sum(SIZES[line.style] * LEADING for line in lines),
    )


def row(lines: tuple[Line, ...], gap: float) -> float:
    """Width of lines beside each other."""
    return sum(width(line.text, line.style) for line in lines) + gap * max(0, len(lines) - 1)
