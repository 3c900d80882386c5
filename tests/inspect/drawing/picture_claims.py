"""What must hold of every picture: nothing overlaps, every wire is there and meets no box that is not its own."""

from __future__ import annotations

from itertools import combinations, pairwise

from framework.inspect.drawing.diagram import Level
from framework.inspect.drawing.geometry import sampled
from framework.inspect.drawing.layout import Box, Frame, Picture, Route

Place = Box | Frame


def wires_of(level: Level) -> list[tuple[str, str]]:
    """The paths of both ends of every wire of a level and of those inside it."""
    paths = {item.key: item.path for item in level.items}
    found = [(paths[wire.source], paths[wire.target]) for wire in level.wires]
    for item in level.items:
        if item.inside is not None:
            found += wires_of(item.inside)
    return found


def holds(frame: Frame, path: str) -> bool:
    """Whether an item is inside a frame."""
    return path.startswith((f"{frame.item.path}.", f"{frame.item.path}:"))


def overlapping(picture: Picture) -> list[tuple[str, str]]:
    """Pairs of boxes, and of frames and what is not inside them, that have an area in common."""
    places: list[Place] = [*picture.boxes, *picture.frames]
    return [
        (one.item.path, other.item.path)
        for one, other in combinations(places, 2)
        if not any(
            isinstance(frame, Frame) and holds(frame, inner.item.path) for frame, inner in ((one, other), (other, one))
        )
        and one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    ]


def straying(picture: Picture) -> list[str]:
    """Items that are not within the picture, or not within the frame that holds them."""
    frames = [(frame, frame.x, frame.y, frame.width, frame.height) for frame in picture.frames]
    found = []
    for place in (*picture.boxes, *picture.frames):
        around = [bounds for frame, *bounds in frames if holds(frame, place.item.path)]
        for x, y, width, height in [*around, (0, 0, picture.width, picture.height)]:
            if place.x < x or place.y < y or place.x + place.width > x + width or place.y + place.height > y + height:
                found.append(place.item.path)
    return found


def crossings(picture: Picture) -> list[tuple[str, str, str]]:
    """Wires with a point strictly inside a box, or inside a frame that is not around the wire."""
    found = []
    for route in picture.routes:
        points = [point for curve in route.curves for point in sampled(curve, 24)]
        low, high = min(y for _, y in points), max(y for _, y in points)
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        for place in (*picture.boxes, *picture.frames):
            if isinstance(place, Frame) and holds(place, route.source):
                continue
            if place.x > right or place.x + place.width < left or place.y > high or place.y + place.height < low:
                continue
            if any(
                place.x + 0.1 < x < place.x + place.width - 0.1 and place.y + 0.1 < y < place.y + place.height - 0.1
                for x, y in points
            ):
                found.append((route.source, route.target, place.item.path))
    return found


def torn(picture: Picture) -> list[tuple[str, str]]:
    """Wires with a gap, or that do not go from the right side of their source to the left side of their target."""
    places: dict[str, Place] = {place.item.path: place for place in (*picture.boxes, *picture.frames)}

    def fine(route: Route) -> bool:
        source, target = places.get(route.source), places.get(route.target)
        (x0, y0), (x1, y1) = route.curves[0][0], route.curves[-1][-1]
        joined = all(_near(one[-1], other[0]) for one, other in pairwise(route.curves))
        leaves = source is None or (_near((x0, 0), (source.x + source.width, 0)) and _beside(y0, source))
        enters = target is None or (_near((x1, 0), (target.x, 0)) and _beside(y1, target))
        return joined and leaves and enters

    return [(route.source, route.target) for route in picture.routes if not fine(route)]


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) + abs(one[1] - other[1]) < 0.01


def _beside(y: float, place: Place) -> bool:
    return place.y <= y <= place.y + place.height


def require_clean(picture: Picture) -> None:
    """All of the claims."""
    assert overlapping(picture) == []
    assert straying(picture) == []
    assert crossings(picture) == []
    assert torn(picture) == []
    drawn = sorted((route.source, route.target) for route in picture.routes)
    assert drawn == sorted(wires_of(picture.diagram.level))
