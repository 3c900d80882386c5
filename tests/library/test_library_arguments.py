"""What Python may give for a recipe, its overrides, new inputs and a checkpoint, and what it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import framework as fw

QUICK = {"trainer.epochs": None, "trainer.steps": 2, "report.tensorboard": False, "report.figures": False}
TABLE = "sour,sweet,soil,kind\n" + "".join(
    f"{index % 7},{index * 0.5},{'clay' if index % 3 else 'sand'},{'red' if index % 2 else 'white'}\n"
    for index in range(40)
)
NEW = {"soil": ["sand", "clay"], "kind": ["red", "red"], "sweet": [3.5, 4.0], "sour": [1, 2]}
RECIPE = """\
defaults:
  - override /data: csv
  - override /losses: classification
  - override /metrics: classification
data: {path: PATH, target: kind, classes: 2, categorical: {soil: null}, batch_size: 8}
network: {layers: {logits: {dense: {features: 2}}}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe on a table, beside rows to predict."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "table.csv").write_text(TABLE)
    (folder / "mine.yaml").write_text(RECIPE.replace("PATH", str(folder / "table.csv")))
    rows = zip(*NEW.values(), strict=True)
    (folder / "new.csv").write_text("\n".join([",".join(NEW), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> fw.Experiment:
    """A run of two steps, from a path and a dict."""
    experiment = fw.load(folder / "mine.yaml", QUICK)
    experiment.train(folder / "run")
    return experiment


def test_a_dict_of_overrides_is_the_list_of_them(folder: Path) -> None:
    given = {"optimizer.learning_rate": 1e-3, "optimizer": "lion", "data.exclude": ["sweet"], "trainer.ema_decay": None}
    words = ["optimizer.learning_rate=0.001", "optimizer=lion", "data.exclude=[sweet]", "trainer.ema_decay=null"]
    given, words = given | {"trainer.epochs": 1}, [*words, "trainer.epochs=1"]
    assert fw.load(folder / "mine.yaml", given).config == fw.load(str(folder / "mine.yaml"), words).config


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("trainer.epochs=2", r"overrides: found the text 'trainer.epochs=2'(.*\n)+  fix: +\['trainer.epochs=2'\]"),
        ([("trainer.epochs", 2)], r"overrides: found \('trainer.epochs', 2\) in the list"),
    ],
)
def test_overrides_of_another_kind_are_told(overrides: object, message: str) -> None:
    with pytest.raises(fw.ConfigError, match=message):
        fw.load("wine_mlp", overrides)  # pyright: ignore[reportArgumentType] - the mistake that is told


def test_a_dict_is_no_recipe() -> None:
    with pytest.raises(fw.ConfigError, match=r"recipe: found a mapping of layers\n.*fw.Network takes"):
        fw.load({"layers": {}})  # pyright: ignore[reportArgumentType] - the mistake that is told


def test_the_names_of_the_classes_are_in_the_order_of_the_logits(trained: fw.Experiment) -> None:
    assert trained.classes == ("red", "white")


def test_a_data_frame_is_read_by_the_names_of_its_columns(trained: fw.Experiment, folder: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    logits = trained.predict(folder / "new.csv")
    assert logits.shape == (2, 2)
    assert np.array_equal(trained.predict(pandas.DataFrame(NEW)), logits)


def test_a_data_frame_without_a_column_is_told(trained: fw.Experiment) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    with pytest.raises(fw.DataError, match="inputs: the data frame has no column 'sour'"):
        trained.predict(pandas.DataFrame(NEW).drop(columns="sour"))
    with pytest.raises(fw.DataError, match="inputs: the data frame row 2, column 'sour' holds 'x'"):
        trained.predict(pandas.DataFrame(NEW | {"sour": ["1", "x"]}))


def test_a_checkpoint_that_is_none_is_told(trained: fw.Experiment, folder: Path) -> None:
    with pytest.raises(fw.RunError, match=r"checkpoint: unknown value 'bset'(.*\n)+  fix: +'best'"):
        fw.open_run(folder / "run", "bset")


def test_a_result_prints_on_one_line(trained: fw.Experiment, folder: Path) -> None:
    again = repr(trained.train(folder / "run"))
    assert len(again.splitlines()) == 1
    assert "state=" not in again
