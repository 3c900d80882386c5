"""The recipes of language models, really trained on token files at a hundred-thousandth of their size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import framework
from framework.core.errors import ConfigError, DataError

VOCABULARY = 11
SMALL = (
    f"data.vocabulary={VOCABULARY}",
    "data.context=8",
    "data.batch_size=8",
    "optimizer.learning_rate=1e-2",
    "optimizer.schedule.warmup_steps=0",
    "trainer.steps=40",
    "trainer.validate_every_steps=40",
    "trainer.log_every_steps=1",
    "checkpoint=none",
    "report=quiet",
)
OWN = {
    "gpt2_small": ("network.args.width=16", "network.args.depth=2", "network.args.heads=2"),
    "tinyllama": (
        "network.args.width=16",
        "network.args.depth=2",
        "network.args.heads=4",
        "network.args.kv_heads=2",
        "network.args.hidden=24",
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    """Counting to ten over and over, which can be predicted."""
    words = []
    for split, length in (("train", 900), ("valid", 200)):
        (np.arange(length) % VOCABULARY).astype("<u2").tofile(tmp_path / f"{split}.bin")
        words.append(f"data.path.{split}={tmp_path / split}.bin")
    return tuple(words)


@pytest.mark.parametrize("recipe", OWN)
def test_a_tiny_one_learns_to_count(recipe: str, files: tuple[str, ...], tmp_path: Path) -> None:
    run = framework.load(recipe, [*SMALL, *OWN[recipe], *files, f"run.dir={tmp_path / 'run'}"]).train()
    losses = [record["loss"] for record in run.history if record["split"] == "train"]
    assert losses[0] == pytest.approx(np.log(VOCABULARY), rel=0.2)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("recipe", OWN)
def test_a_missing_token_file_is_told_before_anything_is_compiled(recipe: str, tmp_path: Path) -> None:
    words = [*SMALL, *OWN[recipe], f"data.path.train={tmp_path / 'none.bin'}", f"run.dir={tmp_path / 'run'}"]
    with pytest.raises((ConfigError, DataError), match="there is no file"):
        framework.load(recipe, words).train()
    assert not (tmp_path / "run").exists()
