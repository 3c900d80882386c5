"""The YAML groups of losses, metrics, optimizers and schedules: complete, valid, explained, and composed by Hydra."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from pydantic import TypeAdapter

from framework.config.schema.losses import Loss
from framework.config.schema.metrics import Metric
from framework.config.schema.optimizers import Optimizer, Schedule

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted(
    path
    for group in ("losses", "metrics", "optimizer", "optimizer/schedule")
    for path in (CONFIGS / group).glob("*.yaml")
)


def named(path: Path) -> str:
    return str(path.relative_to(CONFIGS))


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text().replace("${data.classes}", "3"))


def types(union: Any) -> set[str]:
    return {spec.type_name() for spec in get_args(get_args(union)[0])}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_each_file_says_what_it_is_and_passes_the_schema(path: Path) -> None:
    assert path.read_text().startswith("# ")
    values = read(path)
    values.pop("defaults", None)
    unions: dict[str, Any] = {"losses": Loss, "metrics": Metric, "optimizer": Optimizer, "schedule": Schedule}
    adapter: TypeAdapter[Any] = TypeAdapter(unions[path.parent.name])
    for declaration in values.values() if path.parent.name in ("losses", "metrics") else [values]:
        adapter.validate_python(declaration)


def test_each_optimizer_and_each_schedule_has_a_file_of_its_name() -> None:
    for group, union in (("optimizer", Optimizer), ("optimizer/schedule", Schedule)):
        files = {path.stem: read(path)["type"] for path in (CONFIGS / group).glob("*.yaml")}
        assert set(files.values()) == types(union)
        assert {name: files.get(name) for name in types(union)} == {name: name for name in types(union)}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(
        f"""
hydra: {{searchpath: ["file://{CONFIGS}"]}}
defaults:
  - losses: classification
  - metrics: classification
  - optimizer: adamw
  - override optimizer/schedule: warmup_cosine
  - _self_
data: {{classes: 3}}
"""
    )
    return tmp_path


def composed(folder: Path, *overrides: str) -> dict[str, Any]:
    with initialize_config_dir(str(folder), version_base=None):
        tree = OmegaConf.to_container(compose("recipe", list(overrides)), resolve=True)
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


def test_swapping_the_optimizer_keeps_the_schedule(recipe: Path) -> None:
    optimizer = composed(recipe, "optimizer=lion")["optimizer"]
    assert optimizer["type"] == "lion"
    assert optimizer["schedule"] == {"type": "cosine", "warmup_fraction": 0.05, "final_fraction": 0.1}


def test_swapping_the_schedule_keeps_the_optimizer(recipe: Path) -> None:
    optimizer = composed(recipe, "optimizer/schedule=exponential", "optimizer.learning_rate=0.5")["optimizer"]
    assert (optimizer["type"], optimizer["learning_rate"]) == ("adamw", 0.5)
    assert optimizer["schedule"] == {"type": "exponential", "warmup_steps": 0, "final_fraction": 0.01}


def test_metrics_take_the_number_of_classes_from_the_data(recipe: Path) -> None:
    assert composed(recipe)["metrics"]["f1"]["classes"] == 3
