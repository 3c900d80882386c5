"""Mistakes in overrides and recipes: each is told with its key, what was found, where it came from and what to type."""

from __future__ import annotations

import pytest

from framework.config.compose import load
from framework.core.errors import ConfigError

# name -> (override, key, found, fix). All stand in one table, as `fw` would tell them one at a time.
VALUES = {
    "a misspelt key": ("trainer.epoch=5", "trainer.epoch", "unknown key 'epoch'", "trainer.epochs=5"),
    "a misspelt section": ("optimzer=lion", "optimzer", "unknown key 'optimzer'", "optimizer=lion"),
    "a key of another section": ("epochs=5", "epochs", "unknown key 'epochs'", "trainer.epochs=5"),
    "a key of an inner section": (
        "optimizer.warmup_steps=5",
        "optimizer.warmup_steps",
        "type adamw has no setting 'warmup_steps'",
        "optimizer.schedule.warmup_steps=5",
    ),
    "a key of a named loss": (
        "smoothing=0.1",
        "smoothing",
        "unknown key 'smoothing'",
        "losses.cross_entropy.smoothing=0.1",
    ),
    "a setting of another type": (
        "optimizer.momentum=0.9",
        "optimizer.momentum",
        "type adamw has no setting 'momentum'",
        "leave out optimizer.momentum=0.9",
    ),
    "a misspelt word": ("run.stages=[trian]", "run.stages.0", "unknown value 'trian'", "run.stages.0=train"),
    "a misspelt type": (
        "optimizer.schedule.type=cosin",
        "optimizer.schedule.type",
        "unknown value 'cosin'",
        "optimizer.schedule.type=cosine",
    ),
    "a type of no kind": (
        "optimizer.schedule.type=5",
        "optimizer.schedule.type",
        "5, a whole number is no type",
        "optimizer.schedule.type=constant",
    ),
    "a type that is missing": (
        "losses.main={smoothing: 0.1, class_weights: null}",
        "losses.main.type",
        "the required setting 'type' is missing",
        "losses.main.type=cross_entropy",
    ),
    "a name where a component stands": (
        "optimizer.schedule=cosine",
        "optimizer.schedule",
        "found 'cosine', text",
        "optimizer/schedule=cosine",
    ),
    "text for a number": (
        "trainer.epochs=five",
        "trainer.epochs",
        "found 'five', text",
        "trainer.epochs=<a whole number > 0>",
    ),
    "a number in quotes": ("trainer.epochs='5'", "trainer.epochs", "found '5', text", "trainer.epochs=5"),
    "a fraction for a whole number": ("trainer.epochs=5.0", "trainer.epochs", "found 5, a number", "trainer.epochs=5"),
    "nothing for a number": (
        "trainer.epochs=",
        "trainer.epochs",
        "found '', text",
        "trainer.epochs=<a whole number > 0>",
    ),
    "a boolean for a whole number": ("seed=true", "seed", "found true, a boolean", "seed=0 (the default)"),
    "a boolean for a number": (
        "optimizer.learning_rate=true",
        "optimizer.learning_rate",
        "found true, a boolean",
        "optimizer.learning_rate=0.001 (the default)",
    ),
    "text for a boolean": ("data.shuffle=yes", "data.shuffle", "found 'yes', text", "data.shuffle=true"),
    "a number for text": ("run.dir=5", "run.dir", "found 5, a whole number", "run.dir='5'"),
    "a word for a list": ("run.stages=train", "run.stages", "found 'train', text", "run.stages=[train]"),
    "a mapping for a number": (
        "trainer.epochs.x=4",
        "trainer.epochs",
        "found a mapping of x",
        "trainer.epochs=<a whole number > 0>",
    ),
    "below the bound": ("seed=-1", "seed", "-1 is out of range", "seed=0"),
    "on an open bound": (
        "trainer.early_stop.patience=0",
        "trainer.early_stop.patience",
        "0 is out of range",
        "trainer.early_stop.patience=1",
    ),
    "above the bound": (
        "data.split.valid=2",
        "data.split.valid",
        "2 is out of range",
        "data.split.valid=0.1 (the default)",
    ),
    "out of range or a word": (
        "trainer.steps_per_dispatch=0",
        "trainer.steps_per_dispatch",
        "0 is out of range",
        "trainer.steps_per_dispatch=1",
    ),
    "no key path": (
        "losses.cross_entropy.logits='a b'",
        "losses.cross_entropy.logits",
        "'a b', text, is no key path",
        "losses.cross_entropy.logits=outputs.logits (the default)",
    ),
    "too few": (
        "losses.cross_entropy.class_weights=[1]",
        "losses.cross_entropy.class_weights",
        "found the list [1]",
        None,
    ),
    "a value that must be given": (
        "trainer.epochs=???",
        "trainer.epochs",
        "must be given (???)",
        "trainer.epochs=<a whole number > 0>",
    ),
    "no length": ("trainer.epochs=null", "trainer.epochs", "no length is set", "trainer.epochs=10"),
    "two lengths": (
        "trainer.steps=100",
        "trainer.epochs",
        "both lengths are set: 2 epochs and 100 steps",
        "trainer.epochs=null",
    ),
    "settings at odds": (
        "data.split.valid=0.9",
        "data.split",
        "the shares of train, valid and test add up to 1.05; at most 1 can be given out",
        "change data.split.train, data.split.valid, data.split.test",
    ),
    "a network's argument": (
        "network.layers.logits.dense.features=wide",
        "network.layers.logits.dense.features",
        "found 'wide'",
        None,
    ),
    "a network's wire": (
        "network.layers.logits={dense: {features: 3}, from: nowhere}",
        "network.layers.logits.from",
        "nothing is called 'nowhere'",
        None,
    ),
}


@pytest.mark.parametrize("case", VALUES, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_value_is_told(problems, case):
    override, key, found, fix = VALUES[case]
    (problem,) = problems([override])
    assert (problem.key, problem.found) == (key, found)
    assert fix is None or problem.fix == fix
    assert problem.expected
    assert override in problem.origin or problem.origin.startswith(("mine.yaml:", "configs/"))


# name -> (override, key, found, fix)
WORDS = {
    "an unknown option": ("optimizer=adamx", "optimizer", "unknown option 'adamx'", "optimizer=adam"),
    "an option far from all": ("optimizer=zzz", "optimizer", "unknown option 'zzz'", "optimizer=adafactor"),
    "an option of an inner group": (
        "optimizer/schedule=cosin",
        "optimizer/schedule",
        "unknown option 'cosin'",
        "optimizer/schedule=cosine",
    ),
    "an unknown group": (
        "optimizer/schedul=cosine",
        "optimizer/schedul",
        "no config group is called 'optimizer/schedul'",
        "optimizer/schedule=cosine",
    ),
    "null for an option": (
        "optimizer=null",
        "optimizer",
        "null is no option of the config group optimizer",
        "~optimizer",
    ),
    "a number for an option": (
        "optimizer=5",
        "optimizer",
        "5 is no option of the config group optimizer",
        "optimizer=adafactor",
    ),
    "a group chosen twice": ("+optimizer=lion", "optimizer", "is chosen already, so + cannot add it", "optimizer=lion"),
    "a group by force": ("++optimizer=lion", "optimizer", "a config group cannot be forced with ++", "optimizer=lion"),
    "a group under another name": (
        "optimizer@second=lion",
        "optimizer@second",
        "cannot be swapped, since nothing chose it before",
        "+optimizer@second=lion",
    ),
    "the wrong option deleted": (
        "~optimizer=lion",
        "optimizer",
        "cannot be deleted: nothing chose it, or chose another option",
        "leave out ~optimizer=lion",
    ),
    "a key that is set already": (
        "+trainer.epochs=4",
        "trainer.epochs",
        "is set already, so + cannot add it",
        "trainer.epochs=4",
    ),
    "a deleted key that is not there": (
        "~trainer.epoch",
        "trainer.epoch",
        "cannot be deleted: no such key is set",
        "~trainer.epochs",
    ),
    "a deleted key of another value": ("~trainer.epochs=9", "trainer.epochs", "its value is not 9", "~trainer.epochs"),
    "a second recipe": (
        "recipe=wine_mlp",
        "recipe",
        "a second recipe is named by an override",
        "leave out recipe=wine_mlp",
    ),
    "several values": (
        "seed=1,2",
        "seed",
        "1,2 is several values",
        'add -m to run each; "seed=[1,2]" for a list; "seed=\'1,2\'" for text',
    ),
    "a range": ("seed=range(1,3)", "seed", "range(1,3) is several values", "add -m to run each"),
    "no equals sign": (
        "trainer.epochs",
        "override",
        "'trainer.epochs' cannot be read at its end",
        "trainer.epochs=VALUE",
    ),
    "no key": ("=3", "override", "'=3' has no key", "KEY=3"),
    "spaces": (
        "seed = 3",
        "override",
        "'seed = 3' cannot be read at character 5",
        "no spaces around the equals sign: seed=3",
    ),
    "a space in the key": (
        "the seed=3",
        "override",
        "'the seed=3' cannot be read at character 4",
        "a key holds no spaces: the_seed=3",
    ),
    "an open bracket": (
        "run.stages=[train",
        "override",
        "'run.stages=[train' cannot be read at its end",
        "close the bracket: [...]",
    ),
    "a bracket too many": (
        "run.stages=train]",
        "override",
        "'run.stages=train]' cannot be read at character 17",
        "remove the last ]",
    ),
    "an open quote": ("name='me", "override", "'name='me' cannot be read at character 6", "close the quote"),
    "an index in brackets": (
        "run.stages[0]=train",
        "override",
        "'run.stages[0]=train' cannot be read at character 11",
        "indices stand behind dots: run.stages.0=train",
    ),
    "a setting of Hydra's": (
        "hydra.verbos=true",
        "hydra.verbos",
        "no such setting of Hydra's",
        "leave out hydra.verbos=true",
    ),
    "a launcher that is not installed": (
        "hydra/launcher=joblib",
        "hydra/launcher",
        "unknown option 'joblib'",
        "hydra/launcher=basic",
    ),
    "too many brackets": (
        "name=" + "[" * 33 + "]" * 33,
        "override",
        "an override is nested more than 32 deep",
        "write it into a recipe file",
    ),
    "too long": ("name=" + "x" * 65_536, "override", "an override has 65541 characters", "write it into a recipe file"),
}


@pytest.mark.parametrize("case", WORDS, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_override_is_told(problems, case):
    override, key, found, fix = WORDS[case]
    (problem,) = problems([override])
    assert (problem.key, problem.found, problem.fix) == (key, found, fix)
    assert problem.expected or key == "trainer.epochs"
    assert problem.origin.startswith(f"override {override[:90]}")


# name -> (text of the whole recipe, key, found, line, fix)
FILES = {
    "a defaults list that is a mapping": (
        "defaults: {data: digits}\n",
        "defaults",
        "the defaults list is a mapping",
        1,
        "begin each line with a dash: `- override /GROUP: OPTION`, `- /GROUP: OPTION`, `- FILE` or `- _self_`",
    ),
    "a misspelt defaults list": (
        "default:\n  - override /data: digits\n",
        "default",
        "unknown key 'default'",
        1,
        "defaults:",
    ),
    "two groups in a line": (
        "defaults:\n  - {override /data: digits, override /optimizer: lion}\n",
        "defaults.0",
        "an entry holds 2 groups: override /data, override /optimizer",
        2,
        "one group and one option a line",
    ),
    "a line without a colon": (
        "defaults:\n  - override /data digits\n",
        "defaults.0",
        "'override /data digits' is no entry: a colon is missing",
        2,
        "one group and one option a line",
    ),
    "an unknown word": (
        "defaults:\n  - replace /data: digits\n",
        "defaults.0",
        "'replace /data' begins with an unknown word",
        2,
        "one group and one option a line",
    ),
    "an option that is a number": (
        "defaults:\n  - override /data: 5\n",
        "defaults.0",
        "the option of '/data' is 5, no name",
        2,
        "one group and one option a line",
    ),
    "an override that is not last": (
        "defaults:\n  - override /data: digits\n  - _self_\n",
        "defaults.1",
        "'_self_' stands below an `override`",
        3,
        "move the line above the first `override`",
    ),
    "an unknown option": (
        "defaults:\n  - override /optimizer: adamw\n  - override /data: digit\n",
        "data",
        "unknown option 'digit'",
        3,
        "data=digits",
    ),
    "an unknown group": (
        "defaults:\n  - override /optimiser: adam\n",
        "optimiser",
        "no config group is called 'optimiser'",
        2,
        "- override /optimizer: adam",
    ),
    "a group without the word override": (
        "defaults:\n  - /optimizer: lion\n",
        "optimizer",
        "is chosen twice",
        2,
        "- override /optimizer: lion",
    ),
    "a group that does not exist": (
        "defaults:\n  - /optimiser: lion\n",
        "defaults",
        "nothing is called 'optimiser/lion'",
        2,
        "- override /optimizer: lion",
    ),
    "a recipe that extends an unknown one": (
        "defaults:\n  - vision/digits_mpl\n",
        "defaults",
        "unknown option 'vision/digits_mpl'",
        2,
        "- vision/digits_mlp",
    ),
    "a recipe that extends itself": (
        "defaults:\n  - mine\n",
        "defaults",
        "defaults lists go round in a circle: mine -> mine",
        2,
        "remove the line",
    ),
    "a list": ("- 1\n- 2\n", "mine.yaml", "the file holds a list", 1, "write `section: {key: value}`"),
    "a word": ("digits\n", "mine.yaml", "the file holds one value, 'digits'", 1, "write `section: {key: value}`"),
    "a hydra node": (
        "seed: 1\nhydra: {callbacks: {x: {_target_: os.system}}}\n",
        "hydra",
        "a `hydra:` node can run code",
        2,
        "remove it, or pass --trust hydra if you wrote the file",
    ),
    "a launcher": (
        "defaults:\n  - override /hydra/launcher: basic\n",
        "defaults.0",
        "'/hydra/launcher' configures Hydra itself",
        2,
        "remove it, or pass --trust hydra if you wrote the file",
    ),
    "an interpolation that is left open": (
        "name: a\nrun:\n  dir: '${name'\n",
        "run.dir",
        "the interpolation '${name' is not closed",
        3,
        "close the brace; for a literal dollar and brace write \\${",
    ),
}


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_file_is_told(write, problems, case):
    text, key, found, line, fix = FILES[case]
    write(text, whole=True)
    (problem,) = problems()
    assert (problem.key, problem.found, problem.fix) == (key, found, fix)
    assert problem.origin == f"mine.yaml:{line}"
    assert problem.expected


def test_an_empty_recipe_is_told_what_it_lacks(write, problems):
    write("", whole=True)
    lacks = problems()
    assert {problem.origin for problem in lacks} == {"mine.yaml"}
    told = {problem.key: (problem.found, problem.fix) for problem in lacks}
    assert set(told) == {"data", "losses", "network"}
    assert told["losses"] == ("nothing is chosen", "losses=<one of binary, classification, regression, tokens>")
    assert told["data"][1].startswith("data=<one of array_record, arrays, breast_cancer,")


def test_all_problems_are_told_at_once_sorted_by_key_in_full(write):
    write("run: {stages: [test]}\n")
    overrides = ["checkpoint.keeep=5", "optimizer.learning_rate=fast", "seed=${nothing}"]
    with pytest.raises(ConfigError) as caught:
        load("./mine.yaml", overrides)
    assert (
        str(caught.value)
        == """\
recipe mine has 4 problems
checkpoint.keeep: unknown key 'keeep'
  expected:  enabled, every_steps, keep, monitor, mode
  came from: override checkpoint.keeep=5
  fix:       checkpoint.keep=5
optimizer.learning_rate: found 'fast', text
  expected:  a number >= 0
  came from: override optimizer.learning_rate=fast
  fix:       optimizer.learning_rate=0.001 (the default)
run.stages.0: unknown value 'test'
  expected:  one of train, evaluate, predict
  came from: mine.yaml:14
  fix:       run.stages.0=<one of train, evaluate, predict>
seed: the interpolation ${nothing} names a key that is not set
  expected:  a key that is set
  came from: override seed=${nothing}
  fix:       nothing=<a value>"""
    )


def test_all_unreadable_overrides_are_told_at_once(problems):
    assert [problem.key for problem in problems(["a=[", "optimizer=adamx", "seed=1,2", "b"])] == [
        "override",
        "optimizer",
        "seed",
        "override",
    ]


def test_an_unreadable_override_is_shown_with_its_place(problems):
    (problem,) = problems(["run.stages=[train"])
    assert (
        problem.expected
        == """\
KEY=VALUE, GROUP=OPTION, +KEY=VALUE or ~KEY
run.stages=[train
                 ^"""
    )


def test_a_group_whose_type_the_recipe_sets_again_would_be_lost(write, problems):
    write("optimizer: {type: adamw}\n")
    (problem,) = problems(["optimizer=lion"])
    assert problem.found == "optimizer=lion has no effect: a later file sets optimizer.type"
    assert (problem.origin, problem.fix) == ("mine.yaml:14", "optimizer.type=lion")


def test_an_inner_group_would_be_lost_too(write, problems):
    write("optimizer: {schedule: {type: cosine}}\n")
    (problem,) = problems(["optimizer/schedule=linear"])
    assert problem.found == "optimizer/schedule=linear has no effect: a later file sets optimizer.schedule.type"
    assert problem.fix == "optimizer.schedule.type=linear"


def test_a_group_that_the_recipe_sets_to_the_same_type_is_fine(write):
    write("optimizer: {type: adamw}\n")
    assert load("./mine.yaml", ["optimizer=adamw"]).config.optimizer.type == "adamw"


def test_a_deleted_group_whose_inner_group_is_still_chosen_is_told(write, problems):
    write("defaults:\n  - override /optimizer/schedule: cosine\n", whole=True)
    (problem,) = problems(["~optimizer"])
    assert problem.found == "cannot be deleted: optimizer/schedule is still chosen (mine.yaml:2)"


def test_a_setting_of_another_type_in_a_file_is_to_be_deleted(write, problems):
    write("optimizer:\n  momentum: 0.9\n")
    (problem,) = problems()
    assert problem.fix == "~optimizer.momentum"
    assert problem.origin == "mine.yaml:15"
    assert problem.expected.endswith("\nmomentum is a setting of sgd, rmsprop")


def test_a_dotted_key_in_a_file_is_no_path(write, problems):
    write("trainer.steps: 5\n")
    (problem,) = problems()
    assert problem.found == "unknown key 'trainer.steps'"
    assert problem.fix == "trainer.steps=5, or in a file `trainer: {steps: 5}`"
    assert problem.origin == "mine.yaml:14"


def test_a_value_of_three_question_marks_in_a_block_is_the_languages(write):
    write(
        "defaults: [{override /data: digits}, {override /losses: classification}]\ntrainer: {epochs: 1}\n"
        "network:\n  blocks:\n    wide: {args: {features: ???}, layers: {one: {dense: {features: '=features'}}}}\n"
        "  layers: {flat: flatten, logits: {wide: {features: 10}}}\n",
        whole=True,
    )
    assert load("./mine.yaml").tree["network"]["blocks"]["wide"]["args"] == {"features": "???"}
