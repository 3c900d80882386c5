"""Pictures are clean: of random networks, and of the shipped ones at every depth."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from drawn_networks import shipped, small
from picture_claims import crossings, overlapping, require_clean

from framework.inspect.drawing.columns import broken, columns_of
from framework.inspect.drawing.diagram import Diagram, Item, Level, Line, Wire
from framework.inspect.drawing.lanes import isotonic
from framework.inspect.drawing.layout import Picture, picture
from framework.inspect.drawing.skips import skipping


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("depth", [1, 2, None])
@pytest.mark.parametrize("name", ["digits_cnn", "resnet18", "unet", "gpt2"])
def test_a_shipped_network_is_drawn_clean(name: str, depth: int | None, folder: str) -> None:
    drawing = shipped(name, depth, folder)
    require_clean(drawing.picture)
    assert drawing.picture.width / drawing.picture.height < 3


def invented(seed: int, prefix: str = "", depth: int = 0) -> Level:
    """A random level: wires from any earlier items, boxes of many sizes, some of them opened."""
    chance = random.Random(f"{seed}{prefix}")

    def item(key: str, end: str = "") -> Item:
        lines = tuple(Line("m" * chance.randint(1, 16), "op") for _ in range(chance.randint(1, 4)))
        path = f"{prefix.removesuffix('.')}:{key}" if end else prefix + key
        inside = invented(seed, f"{path}.", depth + 1) if not end and depth < 2 and chance.random() < 0.25 else None
        return Item(key, path, "end" if end else "dense", lines, key, chance.choice((1, 1, 3)), end=end, inside=inside)

    starts = [item(f"input:{number}", "input") for number in range(chance.randint(1, 2))]
    nodes = [item(f"n{number}") for number in range(chance.randint(1, 14 - 4 * depth))]
    stops = [item(f"output:{number}", "output") for number in range(chance.randint(1, 2))]
    wires = []
    given = list(starts)
    for node in nodes:
        slots = len(node.inside.ends("input")) if node.inside else chance.randint(1, 3)
        near = given[-3:] if chance.random() < 0.7 else given
        wires += [_wire(chance, chance.choice(near), node.key, slot) for slot in range(slots)]
        given.append(node)
    wires += [_wire(chance, chance.choice(given[-2:]), stop.key, 0) for stop in stops]
    return Level((*starts, *nodes, *stops), tuple(wires))


def _wire(chance: random.Random, source: Item, target: str, slot: int) -> Wire:
    outputs = [end.key.partition(":")[2] for end in source.inside.ends("output")] if source.inside else [""]
    return Wire(source.key, chance.choice(outputs), target, slot)


@pytest.mark.parametrize("seed", range(60))
def test_a_random_network_is_drawn_clean(seed: int) -> None:
    require_clean(picture(Diagram("random", "", invented(seed))))


def test_the_claims_see_what_is_wrong() -> None:
    """Moving one box onto another is noticed, so that a clean picture says something."""
    found = picture(Diagram("chain", "", chain(4)))
    first, second, *others = found.boxes
    moved = [type(second)(second.item, first.x + 5, first.y, second.width, second.height), *others]
    spoilt = Picture(found.diagram, found.width, found.height, (first, *moved), (), found.routes, ())
    assert overlapping(spoilt)
    assert crossings(spoilt)


def chain(count: int) -> Level:
    """Boxes in a row."""
    ends = [Item("input:x", ":input:x", "end", (Line("x", "name"),), "", end="input")]
    items = [Item(f"n{number}", f"n{number}", "dense", (Line(f"n{number}", "name"),), "") for number in range(count)]
    stops = [Item("output:y", ":output:y", "end", (Line("y", "name"),), "", end="output")]
    keys = ["input:x", *(item.key for item in items), "output:y"]
    wires = tuple(Wire(one, "", other, 0) for one, other in pairwise(keys))
    return Level((*ends, *items, *stops), wires)


def test_a_short_chain_is_one_level_line() -> None:
    found = picture(Diagram("chain", "", chain(2)))
    assert len({box.y + box.height / 2 for box in found.boxes}) == 1
    assert [box.x for box in found.boxes] == sorted(box.x for box in found.boxes)


@pytest.mark.parametrize("count", [8, 20, 60])
def test_a_long_chain_is_wrapped_into_rows(count: int) -> None:
    found = picture(Diagram("chain", "", chain(count)))
    require_clean(found)
    assert 0.8 < found.width / found.height < 3


def test_a_chain_is_broken_where_nothing_runs_beside_it() -> None:
    columns = [[name] for name in "abcdef"]
    rows = broken(columns, [100.0] * 6, [1, 3, 1, 3, 1, 0], 340.0, 0)
    assert rows == [(("a",), ("b",), ("c",)), (("d",), ("e",), ("f",))]


def test_branches_share_columns_and_outputs_come_last() -> None:
    items = chain(3).items
    wires = (Wire("input:x", "", "n0", 0), Wire("input:x", "", "n1", 0), Wire("n0", "", "n2", 0))
    wires += (Wire("n1", "", "n2", 1), Wire("n2", "", "output:y", 0))
    assert columns_of(items, wires, ports=False) == [["input:x"], ["n0", "n1"], ["n2"], ["output:y"]]


def test_a_late_input_stands_before_what_reads_it() -> None:
    first, *rest = chain(3).items
    late = Item("input:z", ":input:z", "end", (Line("z", "name"),), "", end="input")
    wires = (*chain(3).wires, Wire("input:z", "", "n2", 1))
    assert columns_of([first, late, *rest], wires, ports=False)[2] == ["input:z", "n1"]
    assert columns_of([first, late, *rest], wires, ports=True)[0] == ["input:x", "input:z"]


def test_isotonic_means_of_violators() -> None:
    assert isotonic([3.0, 1.0, 2.0, 5.0], [1.0, 1.0, 2.0, 1.0]) == [2.0, 2.0, 2.0, 5.0]
    assert isotonic([3.0, 1.0], [3.0, 1.0]) == [2.5, 2.5]


def test_only_the_wire_past_a_reader_is_a_skip() -> None:
    level = chain(3)
    past = Wire("n0", "", "n2", 1)
    assert skipping(Level(level.items, (*level.wires, past))) == {past}
    assert skipping(level) == frozenset()


def test_a_residual_runs_beside_what_it_skips() -> None:
    layers = {"f": {"dense": {"features": 8}}, "g": "relu", "sum": {"add": {}, "from": ["input", "g"]}}
    found = small(layers, inputs={"input": "batch.x"}).picture
    (skip,) = [route for route in found.routes if route.skips]
    assert (skip.source, skip.target) == (":input:input", "sum")
    highest = min(y for curve in skip.curves for _, y in curve)
    assert highest < min(box.y for box in found.boxes if box.item.path in ("f", "g"))


def test_what_runs_above_boxes_of_many_heights_runs_level() -> None:
    layers = {"f": {"dense": {"features": 8}}, "g": "relu"}
    layers["sum"] = {"add": {}, "from": ["input", "g"]}
    found = small(layers, inputs={"input": "batch.x"}).picture
    (skip,) = [route for route in found.routes if route.skips]
    assert len({box.y for box in found.boxes if box.item.path in ("f", "g")}) == 2
    bends = [curve for curve in skip.curves if len(curve) == 4]
    assert len(bends) == 2  # up behind the input, and down before the sum


def test_two_drawings_of_one_network_are_equal(folder: str) -> None:
    assert Path(folder).is_dir()
    drawing = shipped("unet", 1, folder)
    assert picture(drawing.diagram) == drawing.picture
