"""What other libraries call a precision is answered with the words of this one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from framework.config.schema.root import Config
from framework.config.schema.training import Trainer
from framework.config.validation.problems import Translator
from framework.core.errors import Problem

EXPECTED = "one of float32, bfloat16, or null"


def told(section: dict[str, object]) -> Problem:
    """The problem of a `trainer` section."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"trainer": {"steps": 1, **section}})
    problems = Translator(Config, {"trainer": section}, {}, {}, {}).problems(caught.value)
    (problem,) = (problem for problem in problems if problem.key.startswith("trainer"))
    return problem


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("bf16", "bfloat16"),
        ("bf16-mixed", "bfloat16"),
        ("mixed_bfloat16", "bfloat16"),
        ("BFLOAT16", "bfloat16"),
        (True, "bfloat16"),
        (False, "null"),
        (32, "float32"),
        ("32-true", "float32"),
    ],
)
def test_a_word_for_a_format_is_answered_with_ours(word: object, meant: str) -> None:
    wanted = Problem(
        "trainer.precision", f"unknown value '{str(word).lower()}'", EXPECTED, fix=f"trainer.precision={meant}"
    )
    assert told({"precision": word}) == wanted


@pytest.mark.parametrize("word", [16, "16", "fp16", "16-mixed", "float16", "mixed_float16"])
def test_float16_is_refused_for_want_of_loss_scaling(word: object) -> None:
    found = f"'{word}': small gradients vanish in float16 unless the loss is scaled, which is not done here"
    assert told({"precision": word}) == Problem("trainer.precision", found, EXPECTED, fix="trainer.precision=bfloat16")


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("mixed_precision", "bf16", "bfloat16"),
        ("amp", True, "bfloat16"),
        ("fp16", False, "null"),
        ("bf16", None, "null"),
    ],
)
def test_a_key_of_another_library_is_answered_with_key_and_value(key: str, value: object, meant: str) -> None:
    problem = told({key: value})
    assert (problem.found, problem.fix) == (f"unknown key '{key}'", f"trainer.precision={meant}")


def test_what_is_no_word_is_told_like_anything_else() -> None:
    assert told({"precision": 1.5}).found == "found 1.5, a number"
    assert [Trainer.model_validate({"steps": 1, "precision": word}).precision for word in (None, "float32", "bfloat16")]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("medium", "bfloat16"), ("high", "tensorfloat32"), ("highest", "float32"), ("TF32", "tensorfloat32")],
)
def test_a_word_for_the_precision_of_products_is_answered_with_ours(word: str, meant: str) -> None:
    expected = "one of fast, bfloat16, tensorfloat32, float32, or null"
    fix = f"trainer.matmul_precision={meant}"
    assert told({"matmul_precision": word}) == Problem(
        "trainer.matmul_precision", f"unknown value '{word}'", expected, fix=fix
    )
