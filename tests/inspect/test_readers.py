"""Who reads a setting: nothing in the schema is dead, and what is told can be found in the source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from framework.config.compose import load
from framework.inspect.components import family
from framework.inspect.explanation import explain
from framework.inspect.fields import arguments

ROOT = Path(__file__).parent.parent.parent
SECTIONS = ("trainer", "trainer.early_stop", "checkpoint", "report", "run", "data", "optimizer", "optimizer.schedule")
LOADED = load("digits_mlp", ["trainer.early_stop={monitor: valid.loss}"])


def keys() -> list[str]:
    """Every key of the sections above, losses and metrics."""
    found = ["name", "seed"]
    for section in (*SECTIONS, "losses.cross_entropy", "metrics.accuracy", "metrics.f1"):
        node = LOADED.config
        for part in section.split("."):
            node = node[part] if isinstance(node, dict) else getattr(node, part)
        found += [f"{section}.{argument.name}" for argument in arguments(type(node))]
    return found


@pytest.mark.parametrize("key", keys())
def test_every_setting_is_read_somewhere(key: str) -> None:
    for place in explain(LOADED, key).readers:
        file, _, name = place.partition(": ")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"(def|class) {name.rpartition('.')[2]}\b", text)
    assert explain(LOADED, key).readers


@pytest.mark.parametrize("word", family("optimizer"))
def test_the_settings_of_every_optimizer_are_read(word: str) -> None:
    overrides = (
        [f"optimizer={word}", "~optimizer.weight_decay"]
        if word in ("adam", "rmsprop", "adagrad")
        else [f"optimizer={word}"]
    )
    loaded = load("digits_mlp", overrides)
    unread = [
        argument.name
        for argument in arguments(type(loaded.config.optimizer))
        if not explain(loaded, f"optimizer.{argument.name}").readers
    ]
    assert unread == []
