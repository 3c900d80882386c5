"""Text spoiled at random, from fixed seeds: it loads or is told as a mistake, and nothing else ever happens."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from framework.config.compose import load
from framework.config.compose.document import read
from framework.config.compose.rules import check_document
from framework.core.errors import ConfigError

PIECES = [
    "{", "}", "[", "]", ":", " ", "\n", "- ", '"', "'", "${", "???", "null", "&a", "*a", "<<", "!!", "!x", "=", "\t",
    "#", "%", "@", "`", "0x", "1e", "no", "...", "---", "\\", "_target_", "hydra", "defaults", "override ", "/data",
    "é", "\0", "\x85", "trainer", ".", "${data.classes}", "${name}", "-1", "1e400", ".nan", "0b_", "|", ">",
]  # fmt: skip
OVERRIDES = [
    "trainer.epochs=3",
    "optimizer=lion",
    "~metrics",
    "+trainer.early_stop={patience: 3}",
    "network.layers.logits={dense: {features: 3}}",
    "run.stages.0=train",
    "~run.stages.0",
    "++a.b.c=[1,{x: 2}]",
    "name='${seed}'",
]


def spoiled(text: str, generator: random.Random) -> str:
    """The text with up to four insertions, deletions or copies."""
    characters = list(text)
    for _ in range(generator.randint(1, 4)):
        place, kind = generator.randrange(len(characters) + 1), generator.random()
        if kind < 0.4:
            characters[place:place] = generator.choice(PIECES)
        elif kind < 0.7:
            del characters[place : place + generator.randint(1, 6)]
        elif characters:
            start = generator.randrange(len(characters))
            characters[place:place] = characters[start : start + generator.randint(1, 30)]
    return "".join(characters)


def survives(action) -> bool:
    """Whether an action succeeds; a mistake must be told in full."""
    try:
        action()
    except ConfigError as error:
        assert all(problem.key and problem.found for problem in error.problems)
        assert str(error)
        return False
    return True


def test_spoiled_files_are_read_or_told(write):
    generator = random.Random(0)
    original = write().read_text(encoding="utf-8")

    def attempt() -> None:
        check_document(read(Path("x.yaml"), "x.yaml"), hydra_allowed=False)

    outcomes = set()
    for _ in range(300):
        Path("x.yaml").write_text(spoiled(original, generator), encoding="utf-8")
        outcomes.add(survives(attempt))
    assert outcomes == {True, False}


@pytest.mark.parametrize("seed", range(3))
def test_spoiled_recipes_load_or_are_told(write, seed):
    generator = random.Random(seed)
    original = write().read_text(encoding="utf-8")
    for _ in range(12):
        Path("mine.yaml").write_text(spoiled(original, generator), encoding="utf-8")
        survives(lambda: load("./mine.yaml"))


@pytest.mark.parametrize("seed", range(3))
def test_spoiled_overrides_load_or_are_told(write, seed):
    generator = random.Random(100 + seed)
    write()
    for _ in range(12):
        words = [spoiled(generator.choice(OVERRIDES), generator) for _ in range(2)]
        survives(lambda words=words: load("./mine.yaml", words))
