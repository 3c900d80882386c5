"""Composing one recipe many times gives what composing it anew gives, and merges its files once."""

from __future__ import annotations

import pickle

import pytest

from framework.config.compose import load
from framework.config.compose.loader import Loader
from framework.config.compose.pipeline import Recipe
from framework.core.errors import ConfigError

TEXT = """\
optimizer:
  weight_decay: ${optimizer.learning_rate}
run:
  dir: out/${name}/${seed}-${optimizer.learning_rate}
"""

SETS = {
    "nothing": [],
    "a traced value": ["optimizer.learning_rate=0.5"],
    "a value that others read": ["optimizer.learning_rate=0.5", "seed=3", "data.classes=10"],
    "several values": ["seed=1", "trainer.epochs=null", "trainer.steps=7"],
    "an option and a value": ["optimizer=adam", "optimizer.learning_rate=1e-3", "~optimizer.weight_decay"],
    "another option": ["optimizer=adam", "optimizer.learning_rate=1e-2", "~optimizer.weight_decay"],
    "an added and a deleted key": ["+metrics.accuracy.type=accuracy", "~optimizer.weight_decay"],
    "an item of a list": ["run.stages=[train,evaluate]", "run.stages.0=evaluate"],
    "an interpolation": ["trainer.log_every_steps='${data.batch_size}'", "seed=4"],
    "a whole section": ["trainer.early_stop={patience: 3}", "trainer.early_stop.patience=4"],
}


def test_the_same_as_composing_each_alone(write):
    write(TEXT)
    recipe = Recipe("./mine.yaml")
    for _ in range(2):  # the second time everything is known already
        for overrides in SETS.values():
            together, alone = recipe.load(overrides), load("./mine.yaml", overrides)
            for name in ("tree", "config", "origins", "history", "choices", "overrides", "interpolations", "subject"):
                assert getattr(together, name) == getattr(alone, name), (overrides, name)


def test_one_composition_leaves_no_trace_in_the_next(write):
    write(TEXT)
    recipe = Recipe("./mine.yaml")
    before = recipe.load()
    first = recipe.load(["trainer.early_stop={patience: 3}", "optimizer.learning_rate=0.5"])
    first.tree["data"]["classes"] = 99
    after = recipe.load()
    assert (after.tree, after.origins, after.history) == (before.tree, before.origins, before.history)


def test_files_are_merged_once_for_each_choice_of_options(write, monkeypatch):
    write(TEXT)
    merged = []
    compose = Loader.compose_alone
    monkeypatch.setattr(Loader, "compose_alone", lambda self, given: merged.append(given) or compose(self, given))
    recipe = Recipe("./mine.yaml")
    for kind in ("adamw", "lion"):
        for seed in range(8):
            recipe.load([f"optimizer={kind}", f"seed={seed}", f"optimizer.learning_rate={seed + 1}e-3"])
    assert len(merged) == 2


def test_mistakes_are_those_of_a_single_composition(write):
    write(TEXT)
    recipe = Recipe("./mine.yaml")
    for overrides in (["optimizer.learning_rate=-1"], ["seeed=1"], ["seed=[1"], ["~nothing"], ["optimizer=lionx"]):
        with pytest.raises(ConfigError) as together:
            recipe.load(overrides)
        with pytest.raises(ConfigError) as alone:
            load("./mine.yaml", overrides)
        assert str(together.value) == str(alone.value)


def test_a_recipe_can_be_sent_to_another_process(write):
    write(TEXT)
    recipe = Recipe("./mine.yaml")
    assert pickle.loads(pickle.dumps(recipe)).load(["seed=5"]).tree == recipe.load(["seed=5"]).tree
