"""The section `data`: what it refuses, and the files of configs/data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from data_cases import ADAPTER, section
from pydantic import ValidationError

from framework.config.schema.data import DataSection
from framework.data import describe
from framework.data.registry import SOURCES

CONFIGS = Path(__file__).parents[2] / "configs" / "data"
REQUIRED = {"path": "a", "arrays": {"label": "int32"}, "target": "y", "classes": 2, "vocabulary": 40}


def written(path: Path) -> dict[str, Any]:
    tree = yaml.safe_load(path.read_text())
    return {name: REQUIRED[name] if value == "???" else value for name, value in tree.items()}


def test_schema_registry_and_configs_name_the_same_sources() -> None:
    schemas = {cls.type_name() for cls in get_args(get_args(DataSection)[0])}
    assert schemas == set(SOURCES)
    assert schemas <= {path.stem for path in CONFIGS.glob("*.yaml")}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_config_is_valid_has_a_comment_and_names_every_field_but_those_of_another_kind(path: Path) -> None:
    assert path.read_text().startswith("# ")
    tree = written(path)
    made = ADAPTER.validate_python(tree)
    unnamed = set(type(made).model_fields) - set(tree)
    assert all(getattr(made, name) is None for name in unnamed)
    assert made.type == "synthetic" or not unnamed


def test_every_bundled_config_can_be_described() -> None:
    for name in ("digits", "iris", "wine", "breast_cancer", "diabetes", "stdlib", "synthetic", "synthetic_copy"):
        described = describe(ADAPTER.validate_python(written(CONFIGS / f"{name}.yaml")))
        assert described.splits == ("train", "valid", "test")


def test_every_field_of_every_source_survives_a_round_trip() -> None:
    for path in CONFIGS.glob("*.yaml"):
        made = ADAPTER.validate_python(written(path))
        assert ADAPTER.validate_python(made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("digits", {"batch_size": 0}, "greater than 0"),
        ("digits", {"clases": 10}, "Extra inputs are not permitted"),
        ("digits", {"split": {"type": "stratified", "valid": 0.6, "test": 0.5}}, "add up to 1.1; at most 1"),
        ("digits", {"split": {"type": "fraction", "valid": 0.5, "test": 0.5}}, "add up to 1; at most 1"),
        ("digits", {"split": {"type": "fraction", "train": 0.9, "valid": 0.1, "test": 0.1}}, "add up to 1.1"),
        ("digits", {"split": {"type": "random"}}, "does not match any of the expected tags"),
        ("digits", {"split": {"type": "fraction", "valid": True}}, "a number is expected, not a boolean"),
        ("text", {"path": "a", "split": {"type": "stratified"}}, "does not match any of the expected tags"),
        ("text", {"path": "a", "normalize": "standard"}, "Extra inputs are not permitted"),
        ("npz", {"path": "a", "classes": 3, "class_names": ["a", "b"]}, "class_names has 2 names, but classes is 3"),
        ("npz", {"path": {"train": "a", "tset": "b"}}, "Extra inputs are not permitted"),
        ("npz", {"path": {"test": "b"}}, "Field required"),
        ("npz", {"path": "a", "arrays": {"test": {"image": "x"}}}, "Field required"),
        ("images", {"path": "a", "classes": 3, "class_names": ["a", "b"]}, "class_names has 2 names, but classes is 3"),
        ("images", {"path": "a"}, "Field required"),
        ("csv", {"path": "a", "target": "y", "delimiter": ", "}, "should have at most 1 "),
        ("synthetic", {"features": 3, "noise": 0.1}, "for kind=blobs, classes must be set"),
        (
            "synthetic",
            {"kind": "regression", "features": 3, "noise": 0.1, "classes": 4},
            "for kind=regression, classes must be null",
        ),
        ("synthetic", {"kind": "copy", "context": 5, "vocabulary": 4}, "multiple of 2"),
    ],
)
def test_a_mistake_is_refused(kind: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        section(kind, **fields)


@pytest.mark.parametrize("rule", ["auto", "fraction", "stratified", "hash", "contiguous", "named"])
def test_the_rule_can_be_overridden_alone(rule: str) -> None:
    tree = written(CONFIGS / "digits.yaml")
    tree["split"]["type"] = rule
    assert ADAPTER.validate_python(tree).split.type == rule
