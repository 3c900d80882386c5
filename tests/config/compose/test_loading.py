"""What loading a recipe gives: values, names, roots, extension of recipes, and nothing that it should not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from framework.config.compose import groups, job_yaml, load, load_file, recipes, shipped
from framework.config.schema.root import Config
from framework.core.errors import ConfigError


def test_a_recipe_is_named_bare_or_with_its_folder_or_by_path(write):
    file = write()
    assert load("digits_mlp").recipe_file == shipped("recipes") / "vision/digits_mlp.yaml"
    assert load("vision/digits_mlp").subject == "recipe digits_mlp"
    assert load("./mine.yaml").recipe_file.resolve() == file
    assert load(str(file)).name == "mine"
    assert load("./mine").name == "mine"


@pytest.mark.parametrize("entry", recipes(), ids=lambda entry: entry.name)
def test_every_shipped_recipe_loads_and_says_what_to_expect(entry):
    loaded = load(entry.identity)
    assert loaded.config.name == entry.name
    assert "Command:" in loaded.header


def test_the_config_is_frozen_and_its_lists_are_tuples(write):
    write()
    config = load("./mine.yaml").config
    assert config.run.stages == ("train", "evaluate")
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 3


def test_the_tree_has_the_schemas_order_and_lists_stay_lists(write):
    write()
    tree = load("./mine.yaml").tree
    assert [name for name in Config.model_fields if name in tree] == list(tree)
    assert tree["run"]["stages"] == ["train", "evaluate"]


def test_the_name_is_the_files_unless_the_recipe_says_otherwise(write):
    write()
    loaded = load("./mine.yaml")
    assert (loaded.config.name, loaded.origins["name"]) == ("mine", "default")
    write("name: other\n")
    loaded = load("./mine.yaml")
    assert (loaded.config.name, loaded.origins["name"]) == ("other", "mine.yaml:14")
    assert loaded.name == "mine"


def test_interpolations_may_read_the_name(write):
    write("run: {dir: 'runs/${name}/here'}\n")
    assert load("./mine.yaml").config.run.dir == "runs/mine/here"


def test_the_header_is_the_leading_comment(write):
    write()
    assert load("./mine.yaml").header == "A small recipe."


def test_two_recipes_live_side_by_side(write):
    write()
    first, second = load("./mine.yaml", ["seed=1"]), load("./mine.yaml", ["seed=2"])
    assert (first.config.seed, second.config.seed) == (1, 2)


def test_a_group_is_swapped_as_a_whole(write):
    write()
    config = load("./mine.yaml", ["optimizer=sgd", "optimizer/schedule=cosine"]).config
    assert (config.optimizer.type, config.optimizer.schedule.type) == ("sgd", "cosine")
    assert config.optimizer.momentum == 0.9


def test_a_value_needs_no_plus_where_only_the_schema_knows_its_key(write):
    write()
    loaded = load("./mine.yaml", ["optimizer.clip_norm=1.5"])
    assert loaded.config.optimizer.clip_norm == 1.5
    assert loaded.origins["optimizer.clip_norm"] == "override optimizer.clip_norm=1.5"


@pytest.mark.parametrize("prefix", ["+", "++"])
def test_the_prefixes_of_hydra_work(write, prefix):
    write()
    assert load("./mine.yaml", [f"{prefix}optimizer.clip_norm=1.5"]).config.optimizer.clip_norm == 1.5


def test_a_key_is_deleted(write):
    write()
    loaded = load("./mine.yaml", ["~optimizer.weight_decay"])
    assert "weight_decay" not in loaded.tree["optimizer"]
    assert "optimizer.weight_decay" not in loaded.origins
    assert loaded.history["optimizer.weight_decay"][-1] == ("override ~optimizer.weight_decay", "(deleted)")


def test_a_node_of_the_network_is_deleted_and_another_overridden_by_path(write):
    write()
    overrides = ["~network.layers.flat", "network.layers.logits={dense: {features: 3}}", "network.layers.more=relu"]
    assert load("./mine.yaml", overrides).tree["network"]["layers"] == {
        "logits": {"dense": {"features": 3}},
        "more": "relu",
    }


def test_an_item_of_a_list_is_overridden_by_its_index(write):
    write()
    assert load("./mine.yaml", ["run.stages.1=predict"]).config.run.stages == ("train", "predict")


def test_a_recipe_extends_another_and_the_later_word_stands(write):
    write()
    text = "defaults:\n  - mine\n  - _self_\n  - override /optimizer: lion\nseed: 7\n"
    write(text, "bigger.yaml", whole=True)
    loaded = load("./bigger.yaml")
    assert (loaded.config.seed, loaded.config.trainer.epochs, loaded.config.optimizer.type) == (7, 2, "lion")
    assert loaded.origins["trainer.epochs"] == "mine.yaml:13"
    assert loaded.choices["optimizer"] == ("lion", "bigger.yaml:4")


def test_a_recipe_extends_a_shipped_one(write):
    text = "defaults:\n  - /recipe/vision/digits_mlp\n  - _self_\ntrainer: {epochs: 3}\n"
    write(text, "quick.yaml", whole=True)
    config = load("./quick.yaml").config
    assert (config.name, config.trainer.epochs, config.data.type) == ("quick", 3, "digits")


def test_recipes_of_the_working_directory_are_found_and_win(write):
    write(name="recipes/own/mine.yaml")
    write("seed: 5\n", name="recipes/vision/digits_mlp.yaml")
    assert load("mine").origins["trainer.epochs"] == "recipes/own/mine.yaml:13"
    assert load("digits_mlp").config.seed == 5
    assert {"own/mine", "vision/digits_mlp", "vision/digits_cnn"} <= {entry.identity for entry in recipes()}


def test_a_config_dir_brings_groups_and_recipes(write):
    write("type: adamw\nlearning_rate: 0.5\n", "extra/optimizer/mild.yaml", whole=True)
    write(name="extra/recipes/mine.yaml")
    loaded = load("mine", ["optimizer=mild"], config_dirs=["extra"])
    assert loaded.config.optimizer.learning_rate == 0.5
    assert loaded.origins["optimizer.learning_rate"] == "extra/optimizer/mild.yaml:2"
    assert "mild" in groups(["extra"])["optimizer"]
    assert not any(group.startswith("recipe") for group in groups(["extra"]))


def test_a_config_yaml_of_another_program_does_no_harm(write):
    write("db: {driver: mysql}\n", "configs/config.yaml", whole=True)
    write()
    assert "db" not in load("./mine.yaml").tree


def test_a_config_dir_wins_over_a_shipped_group(write):
    write("epochs: null\nsteps: null\nlog_every_steps: 7\n", "extra/trainer/default.yaml", whole=True)
    write()
    assert load("./mine.yaml", config_dirs=["extra"]).config.trainer.log_every_steps == 7


def test_the_composed_yaml_keeps_interpolations_unless_told(write):
    write()
    assert "features: ${data.classes}" in job_yaml("./mine.yaml")
    assert "features: 10" in job_yaml("./mine.yaml", resolve=True)


def test_a_run_directorys_config_is_loaded_as_it_is(write):
    write()
    write(job_yaml("./mine.yaml", ["seed=4"], resolve=True), "run/config.yaml", whole=True)
    loaded = load_file("run/config.yaml")
    assert loaded.config == load("./mine.yaml", ["seed=4"]).config
    assert (loaded.name, loaded.subject) == ("mine", "file run/config.yaml")
    assert loaded.origins["seed"] == "run/config.yaml:2"


def test_a_file_to_be_composed_is_no_resolved_one(write):
    write()
    with pytest.raises(ConfigError, match="defaults: a recipe to be composed, not a resolved one"):
        load_file("mine.yaml")


NAMES = {
    "close to a known name": ("digits_mpl", "no recipe is called 'digits_mpl'", "digits_mlp"),
    "close to a known path": ("vison/digits_cnn", "no recipe is called 'vison/digits_cnn'", "vision/digits_cnn"),
    "no such path": ("./digits_mlp.yaml", "the path ./digits_mlp.yaml does not exist", "digits_mlp"),
    "a folder": ("./", "the path ./ is a folder", "the path of a .yaml file, such as ./mine.yaml"),
    "another suffix": ("./mine.yml", "the file ./mine.yml does not end in .yaml", "mv ./mine.yml mine.yaml"),
}


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_name_is_told_with_the_closest(write, case):
    write(name="mine.yml")
    recipe, found, fix = NAMES[case]
    with pytest.raises(ConfigError) as caught:
        load(recipe)
    (problem,) = caught.value.problems
    assert (problem.key, problem.found, problem.fix) == ("recipe", found, fix)


def test_an_ambiguous_name_is_told_with_all_it_may_mean(write):
    write(name="recipes/a/mine.yaml")
    write(name="recipes/b/mine.yaml")
    with pytest.raises(ConfigError, match="the name 'mine' stands for 2 recipes in recipes") as caught:
        load("mine")
    assert caught.value.problems[0].expected == "a/mine, b/mine"
    assert load("b/mine").config.name == "mine"


def test_a_config_dir_that_is_no_folder_is_told():
    with pytest.raises(ConfigError, match="--config-dir: 'nowhere' is no folder"):
        load("digits_mlp", config_dirs=["nowhere"])


SCRIPT = """
import sys
from framework.config.compose import groups, json_schema, load, recipes
from framework.core.errors import ConfigError
recipes(), groups(), json_schema(), load("digits_mlp")
for overrides in (["optimizer=nothing"], ["trainer.epoch=5", "network.layers.logits.from=nowhere"]):
    try:
        load("digits_mlp", overrides)
    except ConfigError as error:
        print(error)
heavy = {"jax", "flax", "optax", "orbax", "sklearn", "numpy", "pandas"} & set(sys.modules)
print("heavy:", sorted(heavy))
"""


def test_neither_loading_nor_failing_imports_jax():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, env=_environment()
    )
    assert done.returncode == 0, done.stderr
    assert "unknown option 'nothing'" in done.stdout
    assert "unknown key 'epoch'" in done.stdout
    assert done.stdout.endswith("heavy: []\n")
    assert done.stderr == ""


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
