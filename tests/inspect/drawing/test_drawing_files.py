"""Drawings as files: SVG that is well-formed, PNG that opens, Mermaid that lists every node."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawn_networks import shipped, small
from PIL import Image

from framework.core.errors import ConfigError
from framework.inspect.drawing.diagram import Item, Line
from framework.inspect.drawing.drawing import Drawing
from framework.inspect.drawing.files import require_writable
from framework.inspect.drawing.lettering import SIZES, width

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("name", ["digits_cnn", "unet", "gpt2"])
def test_an_svg_is_well_formed_and_says_what_each_box_is(name: str, folder: str) -> None:
    drawing = shipped(name, 1, folder)
    root = ElementTree.fromstring(drawing.svg)
    titles = {title.text for title in root.iter(f"{SVG}title")}
    texts = [text.text for text in root.iter(f"{SVG}text")]
    for box in drawing.picture.boxes:
        assert box.item.title in titles
        assert all(line.text in texts for line in box.item.lines)
    assert len(list(root.iter(f"{SVG}polygon"))) == sum(route.arrow for route in drawing.picture.routes)


def test_an_svg_refers_to_nothing_outside(folder: str) -> None:
    text = shipped("digits_cnn", 1, folder).svg
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "href" not in text
    assert "url(" not in text


HOSTILE = {"a": {"expr": "where(x < 1, x, 2) * (x > 0)", "from": {"x": "input"}}}


def test_signs_of_xml_are_escaped() -> None:
    drawing = small(HOSTILE)
    root = ElementTree.fromstring(drawing.svg)
    assert any("x < 1" in (title.text or "") for title in root.iter(f"{SVG}title"))


def test_signs_of_mermaid_are_escaped() -> None:
    text = small(HOSTILE).mermaid
    assert "x #lt; 1" in text
    assert "<" not in text.replace("<br/>", "")


def test_a_png_opens_and_is_twice_as_fine(tmp_path: Path, folder: str) -> None:
    drawing = shipped("digits_cnn", 2, folder)
    drawing.save(tmp_path / "new" / "net.png")
    with Image.open(tmp_path / "new" / "net.png") as image:
        image.load()
        assert abs(image.width - 2 * drawing.picture.width) <= 2
        assert abs(image.height - 2 * drawing.picture.height) <= 2
        # Not blank: the colours of convolutions and dense layers are there.
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 20) or []}
    assert {(0xD9, 0xE8, 0xF9), (0xDC, 0xF0, 0xD8)} <= colours


def test_no_text_is_wider_than_was_reckoned(folder: str) -> None:
    """In the font that PNGs are set in."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    lines = {line for name in ("gpt2", "digits_cnn") for box in shipped(name, 1, folder).picture.boxes
             for line in box.item.lines}  # fmt: skip
    lines |= {Line("WWW@MMM % ·×…", style) for style in SIZES}
    for line in lines:
        weight = "bold" if line.style == "name" else "normal"
        outline = TextPath(
            (0, 0), line.text, size=SIZES[line.style], prop=FontProperties(family="DejaVu Sans", weight=weight)
        )
        assert outline.get_extents().width <= width(line.text, line.style) + 1


@pytest.mark.parametrize(("name", "depth"), [("digits_cnn", 1), ("digits_cnn", None), ("unet", 2), ("resnet18", None)])
def test_mermaid_lists_every_node_and_joins_them(name: str, depth: int | None, folder: str) -> None:
    drawing = shipped(name, depth, folder)
    text = drawing.mermaid
    labels = re.findall(r'^ *(n\d+)(?:\(\["|\[\["|\[")(.*?)"\]', text, re.MULTILINE)
    assert [label for _, label in labels] == [
        "<br/>".join(line.text for line in item.lines) for item in ordered(drawing)
    ]
    assert text.count("subgraph ") == len(drawing.picture.frames) == len(re.findall(r"^ *end$", text, re.MULTILINE))
    joined = re.findall(r"^  (n\d+) --> (n\d+)$", text, re.MULTILINE)
    known = {key for key, _ in labels}
    assert {end for pair in joined for end in pair} == known  # nothing unknown, nobody alone
    assert len(set(joined)) == len(joined)


def ordered(drawing: Drawing) -> list[Item]:
    """The boxes in the order of the declaration."""
    places = {box.item.path for box in drawing.picture.boxes}
    return [item for item in drawing.diagram.level.walk() if item.path in places]


def test_mermaid_joins_through_the_borders_of_blocks() -> None:
    layers = {"r": {"residual": {"layers": {"a": {"dense": {"features": 8}}}}}, "b": "relu"}
    text = small(layers, depth=2, outputs={"y": "b"}).mermaid
    names = {label.split("<br/>")[0]: key for key, label in re.findall(r'(n\d+)(?:\(\["|\[")(.*?)"\]', text)}
    joined = set(re.findall(r"(n\d+) --> (n\d+)", text))
    pairs = [("input", "a"), ("input", "add"), ("a", "add"), ("add", "b")]
    assert {(names[one], names[other]) for one, other in pairs} <= joined


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("net.jpg", r"'.*net\.jpg' ends in '\.jpg'\n  expected:  a file ending in \.svg, \.png, \.mmd\n.*net\.png"),
        ("net.sgv", r"ends in '\.sgv'(.|\n)*fix: .*net\.svg"),
        ("net", r"'.*net' has no ending"),
        ("folder.svg", r"is a folder"),
        ("file.txt/net.svg", r"file\.txt' is a file"),
    ],
)
def test_a_file_that_cannot_be_is_refused(name: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        require_writable(tmp_path / name)
    assert (tmp_path / "file.txt").read_text(encoding="utf-8") == "kept"


def test_a_drawing_shows_itself_in_a_notebook() -> None:
    import jax

    import framework as fw

    network = fw.Network({"layers": {"a": {"dense": {"features": 2}}}})
    drawing = fw.draw(network, jax.ShapeDtypeStruct((5, 3), "float32"))
    assert drawing._repr_svg_() == drawing.svg
    assert "5×2 · 8" in drawing.svg
    with pytest.raises(ConfigError, match="a network alone knows no shapes"):
        fw.draw(network)


def test_an_experiment_draws_its_network() -> None:
    import framework as fw

    experiment = fw.load("digits_mlp")
    assert fw.draw(experiment, batch_size=4).diagram == experiment.draw(batch_size=4).diagram
    assert "4×128" in experiment.draw(batch_size=4).svg
