"""Mistakes that people make: each is told with its key, origin, what was found, what was expected, and the fix.

Every case ends with exit code 2, without a traceback, and writes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_command import Command, Done

RECIPE = """\
defaults:
  - override /data: digits
  - override /losses: classification
  - override /metrics: classification

network:
  layers:
    flat: flatten
    hidden: {dense: {features: 16}}
    act: relu
    logits: {dense: {features: "${data.classes}"}}

trainer:
  epochs: 1
"""
LINE = {line.split(":")[0].strip(): number for number, line in enumerate(RECIPE.splitlines(), 1)}
"""Key -> line of the recipe above."""

SHIPPED = "recipes/vision/digits_mlp.yaml:*"


@dataclass(frozen=True)
class Case:
    """One mistake.

    Attributes:
      name: what it is.
      words: overrides of the recipe.
      recipe: the text of a recipe in `mine.yaml`; None: the shipped digits_mlp.
      key: exactly as told.
      origin: as told, with `*` for any line of a shipped file.
      found, expected, fix: parts of what is told; all three are told in any case.
      verb: the verb that meets it.
    """

    name: str
    key: str
    origin: str
    found: str
    expected: str
    fix: str
    words: tuple[str, ...] = ()
    recipe: str | None = None
    verb: str = "check"

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def override(
    name: str,
    words: str | tuple[str, ...],
    key: str,
    found: str,
    expected: str,
    fix: str,
    origin: str = "",
    verb: str = "check",
) -> Case:
    """A mistake in an override of digits_mlp; by default the last word is to blame."""
    words = (words,) if isinstance(words, str) else words
    return Case(name, key, origin or f"override {words[-1]}", found, expected, fix, words, None, verb)


def edited(
    name: str,
    old: str,
    new: str,
    key: str,
    line: int | str,
    found: str,
    expected: str,
    fix: str,
    verb: str = "check",
) -> Case:
    """A mistake in a recipe's text: the recipe above, with `old` replaced; `line` may be a key in it."""
    assert old in RECIPE
    origin = line if str(line).startswith("configs/") else f"mine.yaml:{LINE.get(str(line), line)}"
    return Case(name, key, str(origin), found, expected, fix, (), RECIPE.replace(old, new, 1), verb)


def written(name: str, recipe: str, key: str, origin: str, found: str, expected: str, fix: str) -> Case:
    """A mistake that takes a recipe of its own."""
    return Case(name, key, origin, found, expected, fix, (), recipe)


BLOCK = """\
  blocks:
    pair:
      args: {features: ???}
      layers: {one: {dense: {features: '=features'}}}
  layers:"""
ARGS = "  args: {width: 8}\n  layers:\n    wide: {dense: {features: '=width'}}"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcde", "bcdef", strict=True)
)

OVERRIDES = (
    override(
        "unknown key", "trainer.epoch=5", "trainer.epoch", "unknown key 'epoch'", "epochs, steps", "trainer.epochs=5"
    ),
    override(
        "unknown section", "optimiser.type=adam", "optimiser", "unknown key 'optimiser'", "optimizer", "optimizer"
    ),
    override(
        "a setting of another optimizer",
        ("optimizer=adam", "~optimizer.weight_decay", "optimizer.momentum=0.9"),
        "optimizer.momentum",
        "adam has no setting 'momentum'",
        "momentum is a setting of sgd",
        "leave out optimizer.momentum=0.9",
    ),
    override(
        "text for a number", "trainer.epochs=many", "trainer.epochs", "'many'", "a whole number > 0", "trainer.epochs="
    ),
    override(
        "boolean for a number",
        "optimizer.learning_rate=true",
        "optimizer.learning_rate",
        "a boolean",
        "a number >= 0",
        "optimizer.learning_rate=",
    ),
    override(
        "fraction for an integer",
        "data.batch_size=12.5",
        "data.batch_size",
        "12.5",
        "a whole number > 0",
        "data.batch_size=",
    ),
    override(
        "negative batch size", "data.batch_size=-4", "data.batch_size", "-4", "a whole number > 0", "data.batch_size="
    ),
    override(
        "no epochs", "trainer.epochs=0", "trainer.epochs", "0 is out of range", "a whole number > 0", "trainer.epochs=1"
    ),
    override(
        "seed too large", "seed=4294967296", "seed", "4294967296 is out of range", "< 4294967296", "seed=4294967295"
    ),
    override(
        "rate above one", "network.layers.drop1.dropout.rate=1.5", "network.layers.drop1.dropout.rate", "1.5", "1", ""
    ),
    override(
        "two lengths",
        "trainer.steps=5",
        "trainer.epochs",
        "both lengths are set",
        "exactly one of",
        "trainer.epochs=null",
        origin=SHIPPED,
    ),
    override(
        "no length", "trainer.epochs=null", "trainer.epochs", "no length is set", "exactly one of", "trainer.epochs=10"
    ),
    override(
        "unknown option of a group",
        "optimizer=adamm",
        "optimizer",
        "unknown option 'adamm'",
        "adam, adamw",
        "optimizer=adam",
    ),
    override(
        "unknown loss",
        "losses.cross_entropy.type=cross_entrpy",
        "losses.cross_entropy.type",
        "unknown value 'cross_entrpy'",
        "cross_entropy, bce",
        "losses.cross_entropy.type=cross_entropy",
    ),
    override(
        "unknown metric",
        "+metrics.best.type=acuracy",
        "metrics.best.type",
        "unknown value 'acuracy'",
        "accuracy, top_k",
        "metrics.best.type=accuracy",
    ),
    override(
        "unknown schedule",
        "optimizer.schedule.type=cosin",
        "optimizer.schedule.type",
        "unknown value 'cosin'",
        "constant, linear",
        "optimizer.schedule.type=cosine",
    ),
    override(
        "unknown split",
        "data.split.type=stratifyed",
        "data.split.type",
        "unknown value 'stratifyed'",
        "stratified",
        "data.split.type=stratified",
    ),
    override(
        "unknown stage",
        "run.stages=[train,evalaute]",
        "run.stages.1",
        "unknown value 'evalaute'",
        "train, evaluate, predict",
        "evaluate",
    ),
    override(
        "unknown choice",
        "checkpoint.mode=maximum",
        "checkpoint.mode",
        "unknown value 'maximum'",
        "min, max",
        "checkpoint.mode=max",
    ),
    override(
        "unknown monitor",
        "checkpoint.monitor=valid.acc",
        "checkpoint.monitor",
        "unknown value 'valid.acc'",
        "valid.loss",
        "checkpoint.monitor=",
    ),
    override(
        "key path to nothing",
        "losses.cross_entropy.labels=batch.lable",
        "losses.cross_entropy.labels",
        "nothing is called 'batch.lable'",
        "batch.label",
        "losses.cross_entropy.labels=batch.label",
    ),
    override(
        "key path with a blank",
        "losses.cross_entropy.labels='batch label'",
        "losses.cross_entropy.labels",
        "is no key path",
        "a key path",
        "batch.label",
    ),
    override(
        "missing required value",
        "data=csv",
        "data.path",
        "must be given",
        "text",
        "data.path=",
        origin="configs/data/csv.yaml:*",
    ),
    override(
        "missing required argument",
        "~metrics.f1.classes",
        "metrics.f1.classes",
        "'classes' is missing",
        "a whole number >= 2",
        "metrics.f1.classes=",
        origin="configs/metrics/classification.yaml:*",
    ),
    override("deleted section", "~losses", "losses", "nothing is chosen", "a config group's option", "losses="),
    override(
        "deleting what is not set",
        "~optimizer.momentum",
        "optimizer.momentum",
        "no such key is set",
        "a key that is set",
        "~optimizer.",
    ),
    override(
        "adding what is set", "+trainer.epochs=3", "trainer.epochs", "is set already", "not set", "trainer.epochs=3"
    ),
    override("unclosed bracket", "trainer.epochs=[1,2", "override", "cannot be read", "KEY=VALUE", "close the bracket"),
    override("no value", "optimizer", "override", "cannot be read", "KEY=VALUE", "optimizer=VALUE"),
    override("a sweep without -m", "seed=1,2", "seed", "several values", "with -m", "add -m"),
    override(
        "interpolation of nothing",
        "trainer.epochs=${trainer.epoch}",
        "trainer.epochs",
        "names a key that is not set",
        "a key that is set",
        "trainer.epoch",
    ),
    override(
        "unknown resolver",
        "trainer.epochs=${oc.envv:X}",
        "trainer.epochs",
        "'oc.envv' is not available",
        "oc.env",
        "trainer.epochs=",
    ),
    override(
        "interpolation cycle",
        ("trainer.log_every_steps=${trainer.epochs}", "trainer.epochs=${trainer.log_every_steps}"),
        "trainer.epochs",
        "in a circle",
        "a value",
        "trainer.epochs=",
    ),
    override(
        "shares above one",
        ("data.split.test=0.5", "data.split.valid=0.8"),
        "data.split",
        "add up to 1.3",
        "agree",
        "data.split.valid",
        origin="configs/data/digits.yaml:*",
    ),
    override(
        "nesterov without momentum",
        ("optimizer=sgd", "optimizer.nesterov=true", "optimizer.momentum=null"),
        "optimizer",
        "nesterov needs a momentum",
        "agree",
        "optimizer.momentum",
        origin="override optimizer.momentum=null",
    ),
    override(
        "unknown layer",
        "network.layers.act1=rellu",
        "network.layers.act1",
        "unknown operation 'rellu'",
        "fw list layers",
        "network.layers.act1=relu",
    ),
    override(
        "unknown argument of a layer",
        "network.layers.hidden1.dense.featuers=3",
        "network.layers.hidden1.dense.featuers",
        "no argument 'featuers'",
        "features",
        "network.layers.hidden1.dense.features=3",
    ),
    override(
        "missing argument of a layer",
        "~network.layers.hidden1.dense.features",
        "network.layers.hidden1.dense.features",
        "needs the argument 'features'",
        "size of the last axis",
        "network.layers.hidden1.dense.features=",
        origin=SHIPPED,
    ),
    override(
        "undefined node",
        "network.layers.hidden2.from=hiden1",
        "network.layers.hidden2.from",
        "nothing is called 'hiden1'",
        "hidden1",
        "network.layers.hidden2.from=hidden1",
    ),
    override(
        "split that the data lacks",
        "run.evaluate_splits=[tests]",
        "run.evaluate_splits",
        "no split 'tests'",
        "train, valid, test",
        "run.evaluate_splits=",
        verb="run",
    ),
    override(
        "target without trust",
        "network.layers.act1={module: {_target_: os.system}}",
        "network.layers.act1.module._target_",
        "'os.system' is not trusted",
        "_target_",
        "--trust os",
    ),
)

FILES = (
    edited(
        "duplicate key",
        "  epochs: 1",
        "  epochs: 1\n  epochs: 2",
        "trainer.epochs",
        15,
        "set twice",
        "each key once",
        "one of the two",
    ),
    edited("tab", "  epochs: 1", "\tepochs: 1", "mine.yaml", 14, "is not YAML", "one YAML mapping", "not with tabs"),
    edited(
        "unclosed brace",
        "    act: relu",
        "    act: {relu: {}",
        "mine.yaml",
        11,
        "is not YAML",
        "one YAML mapping",
        "close the bracket",
    ),
    edited(
        "python tag",
        "  epochs: 1",
        "  epochs: !!python/object/apply:os.system ['true']",
        "trainer.epochs",
        14,
        "is not plain YAML",
        "numbers",
        "remove the tag",
    ),
    edited(
        "hydra node",
        "trainer:",
        "hydra: {run: {dir: elsewhere}}\ntrainer:",
        "hydra",
        13,
        "can run code",
        "no `hydra:` node",
        "--trust hydra",
    ),
    edited(
        "target without trust in a file",
        "    act: relu",
        "    act: {module: {_target_: os.system}}",
        "network.layers.act.module._target_",
        "act",
        "'os.system' is not trusted",
        "_target_",
        "--trust os",
    ),
    edited(
        "unknown option in the defaults list",
        "/data: digits",
        "/data: digitz",
        "data",
        2,
        "unknown option 'digitz'",
        "digits",
        "data=digits",
    ),
    edited(
        "unknown group in the defaults list",
        "/data: digits",
        "/dta: digits",
        "dta",
        2,
        "no config group is called 'dta'",
        "data",
        "- override /data: digits",
    ),
    edited(
        "cycle in from",
        "    act: relu",
        "    act: {relu: {}, from: logits}",
        "network.layers.act.from",
        "act",
        "a circle",
        "earlier nodes",
        "",
    ),
    edited(
        "undefined node in from",
        "    act: relu",
        "    act: {relu: {}, from: hiddn}",
        "network.layers.act.from",
        "act",
        "nothing is called 'hiddn'",
        "hidden",
        "network.layers.act.from=hidden",
    ),
    edited(
        "undefined output",
        "trainer:",
        "  outputs: {logits: logit}\ntrainer:",
        "network.outputs.logits",
        13,
        "nothing is called 'logit'",
        "logits",
        "network.outputs.logits=logits",
    ),
    edited(
        "two operations in one node",
        "    act: relu",
        "    act: {relu: {}, gelu: {}}",
        "network.layers.act",
        "act",
        "2 operations in one node",
        "one operation",
        "~network.layers.act.gelu",
    ),
    edited(
        "sharing with nothing",
        "    act: relu",
        "    act: {dense: {features: 16}, share: hiden}",
        "network.layers.act.share",
        "act",
        "nothing is called 'hiden'",
        "hidden",
        "network.layers.act.share=hidden",
    ),
    edited(
        "no copies",
        "{features: 16}}",
        "{features: 16}, repeat: 0}",
        "network.layers.hidden.repeat",
        "hidden",
        "found 0",
        "at least 1",
        "network.layers.hidden.repeat=1",
    ),
    edited(
        "formula that cannot be read",
        "  layers:",
        ARGS.replace("'=width'", "'=width + ('"),
        "network.layers.wide.dense.features",
        9,
        "cannot be read",
        "numbers",
        "",
    ),
    edited(
        "formula over an unknown name",
        "  layers:",
        ARGS.replace("'=width'", "'=width * depht'"),
        "network.layers.wide.dense.features",
        9,
        "'depht'",
        "width",
        "",
    ),
    edited(
        "formula that calls",
        "  layers:",
        ARGS.replace("'=width'", "'=width + open(1)'"),
        "network.layers.wide.dense.features",
        9,
        "no function 'open'",
        "functions",
        "",
    ),
    edited(
        "expression with a dunder",
        "    act: relu",
        "    act: {expr: 'x.__class__'}",
        "network.layers.act.expr",
        "act",
        "'.__class__'",
        "attributes",
        "",
    ),
    edited(
        "argument that no formula reads",
        "  layers:",
        "  args: {width: 8}\n  layers:",
        "network.args.width",
        7,
        "nothing in the network reads",
        "a formula",
        "~network.args.width",
    ),
    edited(
        "block without its argument",
        "  layers:\n    flat: flatten",
        f"{BLOCK}\n    flat: flatten\n    two: pair",
        "network.layers.two.features",
        13,
        "needs the argument 'features'",
        "a value",
        "network.layers.two.features=",
    ),
    edited(
        "block that uses itself",
        "  layers:\n",
        "  blocks:\n    loop: {layers: {again: loop}}\n  layers:\n    first: loop\n",
        "network.blocks.loop.layers",
        8,
        "uses itself",
        "blocks that end",
        "",
    ),
    edited(
        "shape mismatch",
        "    act: relu",
        "    act: {add: {}, from: [flat, hidden]}",
        "network.layers.act",
        "act",
        "float32[1, 64] from network.layers.flat (flatten) and float32[1, 16]",
        "equal or 1",
        "dense",
    ),
    edited(
        "rank mismatch",
        "    flat: flatten",
        "    flat: {lstm: {features: 4}}",
        "network.layers.flat",
        "flat",
        "'lstm' cannot take float32[1, 8, 8, 1]",
        "[batch, time, features]",
        "reshape",
    ),
    edited(
        "kernel of another rank",
        "    flat: flatten",
        "    flat: {conv: {features: 4, kernel: [3, 3, 3]}}",
        "network.layers.flat",
        "flat",
        "'conv' cannot take float32[1, 8, 8, 1]",
        "2 space dimensions",
        "kernel",
    ),
    edited(
        "wrong label dtype",
        "trainer:",
        "losses:\n  cross_entropy: {labels: batch.image}\ntrainer:",
        "losses.cross_entropy.logits",
        14,
        "labels = batch.image float32[128, 8, 8, 1]",
        "labels",
        "losses.cross_entropy",
    ),
    edited(
        "logits without the classes",
        '"${data.classes}"',
        "3",
        "network.layers.logits.dense.features",
        LINE["logits"],
        "outputs.logits has 3 logits, but the data has 10 classes",
        "10 logits: losses.cross_entropy reads batch.label",
        "network.layers.logits.dense.features=10",
    ),
    edited(
        "missing data file",
        "trainer:",
        "data: {type: csv, path: nope.csv, target: y, classes: 2}\ntrainer:",
        "data.path",
        13,
        "there is no file 'nope.csv'",
        "one of",
        "",
        verb="run",
    ),
    edited(
        "empty split",
        "trainer:",
        "data: {split: {type: fraction, valid: 0.0001}}\ntrainer:",
        "data.split.valid",
        13,
        "the split valid is empty",
        "at least one example",
        "data.split.valid=0",
        verb="run",
    ),
    written(
        "a list",
        "- data\n- network\n",
        "mine.yaml",
        "mine.yaml:1",
        "the file holds a list",
        "a mapping of sections",
        "section: ",
    ),
    written(
        "one word", "digits\n", "mine.yaml", "mine.yaml:1", "one value, 'digits'", "a mapping of sections", "section: "
    ),
    written("nothing", "", "data", "mine.yaml", "nothing is chosen", "a config group's option", "data="),
    written(
        "too deep",
        f"network: {'{a: ' * 80}1{'}' * 80}\n",
        "mine.yaml",
        "mine.yaml:1",
        "nested more than",
        "at most",
        "blocks",
    ),
    written("alias bomb", BOMB, "mine.yaml", "mine.yaml:5", "its aliases expand to more than", "at most", "repeat"),
    written("alias of itself", "a: &a [*a]\n", "mine.yaml", "mine.yaml:1", "inside its own anchor", "aliases", "*a"),
)

FROM_ELSEWHERE = (
    override(
        "a misspelt section with its key", "optimizr.b1=0.8", "optimizr", "unknown key", "optimizer", "optimizer.b1=0.8"
    ),
    override("a setting by PyTorch's name", "lr=3e-4", "lr", "unknown key 'lr'", "trainer", "optimizer.learning_rate="),
    override(
        "a setting by Lightning's name",
        "trainer.gradient_clip_val=1",
        "trainer.gradient_clip_val",
        "unknown key",
        "epochs",
        "optimizer.clip_norm=1",
    ),
    override(
        "a misspelt node",
        "network.layers.hiden1.dense.features=8",
        "network.layers.hiden1.dense.features",
        "the network has no node 'hiden1'",
        "flat, hidden1, act1",
        "network.layers.hidden1.dense.features=8, or +network.layers.hiden1.dense.features=8 to add one",
    ),
    override(
        "a network under a recipe's own layers",
        "network=mlp",
        "network.args.outputs",
        "reads the argument 'outputs'",
        "writes layers of its own, which are merged over those of network=mlp",
        "~network.args.outputs",
        origin="configs/network/mlp.yaml:*",
    ),
    override(
        "a loss of another task",
        "losses=regression",
        "losses.mse.predictions",
        "nothing is called 'outputs.prediction'",
        "outputs.logits",
        "losses.mse.predictions=outputs.logits",
        origin="configs/losses/regression.yaml:*",
    ),
    override("a section by another name", "model=mlp", "model", "unknown key 'model'", "network", "network=mlp"),
    edited(
        "an argument by Keras's name",
        "{dense: {features: 16}}",
        "{dense: {units: 16}}",
        "network.layers.hidden.dense.units",
        "hidden",
        "(did you mean 'features'?)",
        "features",
        "+network.layers.hidden.dense.features=16",
    ),
    edited(
        "a layer by PyTorch's name",
        "{dense: {features: 16}}",
        "{nn.Linear: {features: 16}}",
        "network.layers.hidden.nn.Linear",
        "hidden",
        "(did you mean 'dense'?)",
        "fw list layers",
        "+network.layers.hidden.dense={features:16}",
    ),
    edited(
        "a bare layer that needs an argument",
        "{dense: {features: 16}}",
        "dense",
        "network.layers.hidden.features",
        "hidden",
        "'dense' needs the argument 'features'",
        "size",
        "network.layers.hidden={dense:{features:64}}",
    ),
    written(
        "layers as a list",
        "network:\n  layers:\n    - relu: {}\n",
        "network.layers",
        "mine.yaml:2",
        "found the list",
        "a mapping from names to values",
        "a name instead of each dash: `relu1: {relu: {}}`",
    ),
    edited(
        "no blank after a colon",
        "trainer:\n  epochs: 1",
        "trainer:\n  epochs:1",
        "trainer",
        "trainer",
        "found 'epochs:1', text",
        "a mapping of epochs",
        "`epochs: 1` with a blank after the colon",
    ),
    edited(
        "lines that are not indented",
        "trainer:\n  epochs: 1",
        "trainer:\nseed: 1",
        "trainer",
        "trainer",
        "found null",
        "a mapping of epochs",
        "indent the lines below `trainer:`",
    ),
    edited(
        "a group without override",
        "- override /data: digits",
        "- data: digits",
        "defaults",
        2,
        "'data' has a choice already",
        "- override /data: OPTION",
        "- override /data: digits",
    ),
)

CASES = OVERRIDES + FILES + FROM_ELSEWHERE


def run(command: Command, case: Case, folder: Path) -> Done:
    """The command of a case in a folder that holds its recipe and nothing else."""
    recipe = "digits_mlp"
    if case.recipe is not None:
        (folder / "mine.yaml").write_text(case.recipe, encoding="utf-8")
        recipe = "mine.yaml"
    return command(case.verb, recipe, *case.words)


def told(error: str, key: str) -> dict[str, str]:
    """What is told of a key: `found`, `expected`, `came from` and `fix`, each with its further lines."""
    parts: dict[str, str] = {}
    label = ""
    for line in error.splitlines():
        if not line.startswith(" "):
            if parts:
                break
            head, _, found = line.partition(": ")
            if head == key:
                parts["found"] = found
        elif parts:
            label = line[:13].strip().removesuffix(":") or label
            parts[label] = f"{parts[label]}\n{line[13:]}" if label in parts else line[13:]
    return parts


def check(case: Case, done: Done, folder: Path) -> None:
    """The claims of every case."""
    assert (done.code, done.out) == (2, ""), done.err
    assert "Traceback" not in done.err
    parts = told(done.err, case.key)
    assert set(parts) == {"found", "expected", "came from", "fix"}, done.err
    origin = re.escape(case.origin).replace(r"\*", r"\d+")
    assert re.match(rf"{origin}$", parts["came from"], re.MULTILINE), done.err
    assert case.found in parts["found"], done.err
    assert case.expected in parts["expected"], done.err
    assert case.fix in parts["fix"], done.err
    assert {path.name for path in folder.iterdir()} <= {"mine.yaml"}


def test_the_table_is_long_enough_and_names_no_case_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_told_with_key_origin_found_expected_and_fix(case: Case, call: Command, tmp_path: Path) -> None:
    check(case, run(call, case, tmp_path), tmp_path)


IN_A_PROCESS = (
    "unknown key",
    "a setting of another optimizer",
    "unknown option of a group",
    "interpolation cycle",
    "missing required value",
    "duplicate key",
    "python tag",
    "hydra node",
    "target without trust in a file",
    "alias bomb",
    "too deep",
    "shape mismatch",
)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in IN_A_PROCESS], ids=str)
def test_the_command_itself_tells_it_too(case: Case, fw: Command, tmp_path: Path) -> None:
    check(case, run(fw, case, tmp_path), tmp_path)


def test_the_processes_are_of_cases_in_the_table() -> None:
    assert set(IN_A_PROCESS) <= {case.name for case in CASES}


def test_problems_of_one_stage_are_told_at_once(call: Command) -> None:
    done = call("check", "digits_mlp", "trainer.epoch=5", "data.batch_size=-4", "optimizer.schedule.type=cosin")
    assert done.err.startswith("recipe digits_mlp has 3 problems\n")
    assert [
        key for key in ("trainer.epoch", "data.batch_size", "optimizer.schedule.type") if not told(done.err, key)
    ] == []


def test_nothing_named_by_a_recipe_is_imported(call: Command, tmp_path: Path) -> None:
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')\n")
    recipe = RECIPE.replace("    act: relu", "    act: {module: {_target_: trap.Layer}}")
    (tmp_path / "mine.yaml").write_text(recipe)
    done = call("check", "mine.yaml")
    assert done.code == 2
    assert "'trap.Layer' is not trusted, so it was not imported" in done.err


def test_an_unknown_recipe_is_told_with_the_closest(call: Command) -> None:
    done = call("train", "digit_mlp")
    assert done.code == 2
    assert told(done.err, "recipe")["found"] == "no recipe is called 'digit_mlp'"
    assert told(done.err, "recipe")["fix"] == "digits_mlp"


def test_a_missing_file_is_told_by_its_path(call: Command) -> None:
    done = call("show", "recipes/none.yaml")
    assert done.code == 2
    assert "recipe: the path recipes/none.yaml does not exist" in done.err
