"""Lines and curves in pixels, y downwards."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
Curve = tuple[Point, ...]
"""Two points are a straight line, four a cubic Bézier curve."""

_LEVEL = 0.6
_BEND = 8.0


def swung(start: Point, end: Point) -> Curve:
    """From left to right, level at both ends: a straight line where they are as high, else an S."""
    if abs(start[1] - end[1]) < _LEVEL:
        return (start, end)
    middle = (start[0] + end[0]) / 2
    return (start, (middle, start[1]), (middle, end[1]), end)


def bent(corners: Sequence[Point]) -> tuple[Curve, ...]:
    """Straight lines through `corners`, with the corners rounded."""
    points = [corners[0]]
    for point in corners[1:]:
        if abs(point[0] - points[-1][0]) + abs(point[1] - points[-1][1]) > _LEVEL:
            points.append(point)
    curves: list[Curve] = []
    here = points[0]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_BEND, _length(before, corner) / 2, _length(corner, after) / 2)
        begin, end = _towards(corner, before, radius), _towards(corner, after, radius)
        curves.append((here, begin))
        inner = 0.45 * radius
        curves.append((begin, _towards(corner, before, inner), _towards(corner, after, inner), end))
        here = end
    curves.append((here, points[-1]))
    return tuple(curves)


def moved(curve: Curve, by: Point) -> Curve:
    """A curve, elsewhere."""
    return tuple((x + by[0], y + by[1]) for x, y in curve)


def sampled(curve: Curve, count: int = 16) -> list[Point]:
    """Points along a curve, its ends among them."""
    if len(curve) == 2:
        (x0, y0), (x1, y1) = curve
        return [(x0 + (x1 - x0) * step / count, y0 + (y1 - y0) * step / count) for step in range(count + 1)]
    points = []
    for step in range(count + 1):
        t = step / count
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x, y = (sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1))
        points.append((x, y))
    return points


def _length(start: Point, end: Point) -> float:
    return abs(start[0] - end[0]) + abs(start[1] - end[1])


def _towards(start: Point, end: Point, distance: float) -> Point:
    whole = _length(start, end)
    share = distance / whole if whole else 0.0
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
