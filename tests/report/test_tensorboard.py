"""Event files hold every number once at its step, the recipe, the hyperparameters and matrices."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from tensorboardX.proto import event_pb2

from framework.report.tensorboard import TensorBoard


def events(folder: Path) -> list[Any]:
    """All events of a folder, read by the format's definition: length, checksum, event, checksum."""
    found = []
    for path in sorted(folder.iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            found.append(vars(event_pb2)["Event"].FromString(data[at + 12 : at + 12 + length]))
            at += 12 + length + 4
    return found


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    return [
        (event.step, value.tag, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
        if value.WhichOneof("value") == "simple_value"
    ]


def test_the_numbers_of_a_record_become_scalars_by_split(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.record({"step": 50, "epoch": 1, "split": "train", "loss": 0.5, "accuracy": 1, "note": "x", "flag": True})
    board.record({"step": 60, "epoch": 1, "split": "valid", "loss": 0.25, "confusion": [[1]]})
    board.close()
    assert scalars(tmp_path) == [(50, "train/loss", 0.5), (50, "train/accuracy", 1.0), (60, "valid/loss", 0.25)]


def test_a_resumed_run_hides_the_steps_that_it_tells_again(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, purge_step=51)
    board.record({"step": 60, "epoch": 1, "split": "train", "loss": 0.5})
    board.close()
    starts = [event.step for event in events(tmp_path) if event.session_log.status == event.session_log.START]
    assert starts == [51]


def test_the_recipe_is_shown_as_text(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.config("name: digits_mlp\nseed: 0\n")
    board.close()
    values = {value.tag: value for event in events(tmp_path) for value in event.summary.value}
    assert values["recipe/text_summary"].tensor.string_val == [b"    name: digits_mlp\n    seed: 0"]


def test_settings_stand_beside_the_final_metrics(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    tree = {"optimizer": {"type": "adamw", "learning_rate": 0.01}, "trainer": {"steps": None}, "run": {"stages": ["a"]}}
    board.hparams(tree, {"test/accuracy": 0.5}, step=100)
    board.close()
    contents = {
        value.tag: value.metadata.plugin_data.content for event in events(tmp_path) for value in event.summary.value
    }
    start = contents["_hparams_/session_start_info"]
    assert all(key in start for key in (b"optimizer.learning_rate", b"adamw", b"trainer.steps", b"None"))
    assert b"test/accuracy" in contents["_hparams_/experiment"]
    assert scalars(tmp_path) == [(100, "test/accuracy", 0.5)]


def test_a_matrix_becomes_an_image_where_pillow_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = TensorBoard(tmp_path / "with")
    board.matrix("test/confusion", [[3, 1], [0, 4]], step=7)
    board.close()
    images = [value.image for event in events(tmp_path / "with") for value in event.summary.value if value.tag]
    assert [(image.height, image.width) for image in images] == [(32, 32)]
    monkeypatch.setitem(sys.modules, "PIL", None)
    board = TensorBoard(tmp_path / "without")
    board.matrix("test/confusion", [[3, 1], [0, 4]], step=7)
    board.close()
    assert [value for event in events(tmp_path / "without") for value in event.summary.value] == []


def test_a_figure_is_shown_as_the_file_is(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is an extra: pip install 'framework[images]'")
    picture = tmp_path / "picture.png"
    pillow.new("RGBA", (5, 3)).save(picture)
    board = TensorBoard(tmp_path / "board")
    board.figure("test/confusion", picture.read_bytes(), step=9)
    board.close()
    ((step, image),) = [
        (event.step, value.image)
        for event in events(tmp_path / "board")
        for value in event.summary.value
        if value.tag == "test/confusion"
    ]
    assert (step, image.width, image.height, image.colorspace) == (9, 5, 3, 4)
    assert image.encoded_image_string == picture.read_bytes()
