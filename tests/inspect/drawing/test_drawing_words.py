"""What boxes say: names, copies, shapes, parameters, folded blocks."""

from __future__ import annotations

import pytest
from drawn_networks import shipped, small

from framework.core.errors import ConfigError
from framework.inspect.drawing.diagram import Item
from framework.inspect.drawing.drawing import Drawing
from framework.inspect.drawing.wording import short_count, shortened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("recipes"))


def item(drawing: Drawing, path: str) -> Item:
    (found,) = [item for item in drawing.diagram.level.walk() if item.path == path]
    return found


def words(drawing: Drawing, path: str) -> list[str]:
    return [line.text for line in item(drawing, path).lines]


def test_blocks_are_folded_and_opened_by_depth(folder: str) -> None:
    folded, opened = shipped("digits_cnn", 1, folder), shipped("digits_cnn", 2, folder)
    assert folded.counts == (10, 3)
    assert opened.counts == (16, 0)
    assert words(folded, "conv1") == ["conv1", "conv_norm_relu · 3 nodes", "8×8×32 · 352"]
    assert words(opened, "conv1.conv") == ["conv", "3×3 conv, 32", "8×8×32 · 288"]
    assert item(opened, "conv1").inside is not None
    assert shipped("digits_cnn", None, folder).diagram == opened.diagram


def test_stages_of_a_resnet_are_folded_and_their_parameters_add_up(folder: str) -> None:
    drawing = shipped("resnet18", 1, folder)
    assert drawing.counts == (9, 5)
    assert words(drawing, "stage2")[1:] == ["residual_stage · 26 nodes", "4×4×128 · 526k"]
    inner = shipped("resnet18", 2, folder)
    assert words(inner, "stage2.rest")[0] == "rest"
    assert "295,424 parameters" in item(inner, "stage2.rest").title


def test_copies_are_told_once_with_all_their_parameters(folder: str) -> None:
    gpt = shipped("gpt2", 1, folder)
    assert words(gpt, "stack") == ["stack × 12", "transformer_block, 12 heads", "1024×768 · 85.1M"]
    assert words(gpt, "logits")[-1] == "weights of embed"
    assert gpt.diagram.remark.startswith("124,439,808 parameters, ")


def test_copies_that_stand_alone_are_added_up() -> None:
    drawing = small({"layers": {"dense": {"features": 4}, "repeat": 3}})
    assert words(drawing, "layers") == ["layers × 3", "dense, 4", "4 · 76"]  # 8 x 4 + 4, then twice 4 x 4 + 4


def test_insides_of_copies_that_stand_alone_are_added_up() -> None:
    blocks = {"wide": {"layers": {"hidden": {"dense": {"features": 4}}, "act": "relu"}}}
    drawing = small({"stack": {"wide": {}, "repeat": 3}}, depth=2, blocks=blocks)
    assert words(drawing, "stack.hidden") == ["hidden", "dense, 4", "4 · 76"]
    assert words(drawing, "stack.act") == ["act", "relu"]


def test_a_node_that_shares_weights_has_none_of_its_own() -> None:
    layers = {"one": {"dense": {"features": 8}}, "two": {"share": "one"}}
    drawing = small(layers)
    assert words(drawing, "one") == ["one", "dense, 8", "8 · 72"]
    assert words(drawing, "two") == ["two", "dense, 8", "weights of one"]


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ({"x": {"ensemble": {"layers": {"a": {"dense": {"features": 3}}}, "members": 5}}}, "x × 5"),
        ({"x": {"cond": {"train": {"dropout": {"rate": 0.5}}}}}, "cond, train or eval · 2 nodes"),
        ({"x": {"parallel": {"layers": {"a": "relu", "b": "tanh"}, "merge": "add"}}}, "parallel · 2 nodes"),
        ({"x": {"residual": {"layers": {"a": {"dense": {"features": 8}}}}}}, "residual · 1 node"),
    ],
)
def test_combinators_are_boxes_that_say_what_they_are(layers: dict, told: str) -> None:
    assert told in words(small(layers), "x")


def test_both_branches_of_a_cond_lead_on() -> None:
    drawing = small({"x": {"cond": {"train": {"dropout": {"rate": 0.5}}}}}, depth=2)
    inside = item(drawing, "x").inside
    assert inside is not None
    assert sorted(wire.source for wire in inside.wires if wire.target.startswith("output:")) == ["eval", "train"]


def test_a_tooltip_tells_everything() -> None:
    drawing = small({"hidden": {"dense": {"features": 3}, "freeze": True}})
    assert item(drawing, "hidden").title.splitlines() == [
        "hidden",
        "dense(features=3)",
        "float32[1, 8] -> float32[1, 3]",
        "27 parameters, 51 FLOPs",
        "frozen",
    ]


@pytest.mark.parametrize(
    ("layer", "shape", "told"),
    [
        ({"conv": {"features": 2, "kernel": 3, "strides": 2}}, (1, 8, 8, 1), "3×3 conv, 2, /2"),
        ({"conv": {"features": 2, "kernel": [1, 7], "dilation": 2}}, (1, 8, 8, 1), "1×7 conv, 2, dilation 2"),
        ({"conv": {"features": 2, "kernel": 3}}, (1, 8, 1), "conv, 2, kernel 3"),
        ({"max_pool": {"window": 2}}, (1, 8, 8, 1), "2×2 max_pool"),
        ({"attention": {"heads": 2}}, (1, 8, 4), "attention, 2 heads"),
        ({"expand_dims": {"axis": 1}}, (1, 8), "expand_dims, axis 1"),
        ({"expr": "x + 1"}, (1, 8), "x + 1"),
    ],
)
def test_an_operation_is_told_with_what_says_most(layer: dict, shape: tuple[int, ...], told: str) -> None:
    node = layer | {"from": {"x": "input"}} if "expr" in layer else layer
    assert words(small({"node": node}, shape=shape, inputs={"input": "batch.x"}), "node")[1] == told


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1k"), (352_128, "352k"), (999_600, "1M"), (4.1e9, "4.1G")]
)
def test_short_counts_have_three_digits(number: float, text: str) -> None:
    assert short_count(number) == text


def test_long_texts_are_shortened() -> None:
    assert shortened("a" * 40, 30) == "a" * 29 + "…"


@pytest.mark.parametrize("depth", [0, -1, True, 1.5])
def test_a_depth_is_a_positive_integer(depth: int) -> None:
    with pytest.raises(ConfigError, match=r"depth: unknown value .*\n.*a positive integer, or None"):
        small({"a": "relu"}, depth=depth)


def test_too_many_nodes_are_refused() -> None:
    layers = {f"a{number}": "relu" for number in range(1501)}
    with pytest.raises(ConfigError, match=r"depth: 1,501 nodes are to be shown\n.*at most 1,500"):
        small(layers)
