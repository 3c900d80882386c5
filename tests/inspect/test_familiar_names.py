"""`fw list KIND NAME` by the names of other libraries, and through a slip of the keyboard."""

from __future__ import annotations

import pytest

from framework.cli.main import main
from framework.core.errors import ConfigError
from framework.core.familiar_components import _WORDS
from framework.inspect.listing import find, items


@pytest.mark.parametrize(
    ("kind", "word", "name"),
    [
        ("losses", "nll", "cross_entropy"),
        ("losses", "nn.CrossEntropyLoss", "cross_entropy"),
        ("losses", "smooth_l1", "huber"),
        ("metrics", "acc", "accuracy"),
        ("metrics", "keras.metrics.AUC", "auroc"),
        ("metrics", "mae", "mae"),
        ("optimizers", "torch.optim.AdamW", "adamw"),
        ("schedules", "CosineAnnealingLR", "cosine"),
        ("data", "ImageFolder", "images"),
        ("layers", "conv2d", "conv"),
        ("layers", "nn.Linear", "dense"),
        ("layers", "atention", "attention"),
        ("recipes", "digits_mpl", "digits_mlp"),
        ("networks", "ResNet18", "resnet18"),
    ],
)
def test_a_word_of_another_library_or_with_a_slip_finds_the_entry(kind: str, word: str, name: str) -> None:
    assert find(kind, word).name == name


@pytest.mark.parametrize("kind", list(_WORDS))
def test_every_familiar_word_leads_to_an_entry_and_is_none_itself(kind: str) -> None:
    names = {item.name for item in items(kind)}
    assert set(_WORDS[kind].values()) <= names
    assert not names & set(_WORDS[kind])


@pytest.mark.parametrize("word", ["foo", "losses", "cross", "m"])
def test_a_word_that_is_like_nothing_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=f"nothing is called '{word}'\n  expected:  cross_entropy, bce, mse"):
        find("losses", word)


def test_the_command_says_what_the_word_is_called_here_and_tells_the_fields(capsys: pytest.CaptureFixture) -> None:
    assert main(["list", "losses", "nll"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("nll is called cross_entropy here\ncross_entropy\n")
    assert "in YAML:  {type: cross_entropy}\n" in out
    assert "default outputs.logits\n" in out
