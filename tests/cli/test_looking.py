"""The verbs that look: list, show, explain, check, summary, schema, doctor."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cli_command import ROOT, Command

from framework.inspect.listing import KINDS

WATCH = """
import sys
from framework.cli.main import main
code = main(sys.argv[1:])
print({"jax", "flax", "optax", "orbax", "sklearn", "hydra", "pydantic"} & set(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def loaded_by(*words: str, cwd: Path) -> tuple[int, set[str]]:
    """The exit code of a command, and which costly libraries it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *words],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    return done.returncode, set(re.findall(r"\w+", last)) - {"set"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--help",), 0),
        (("train", "--help"), 0),
        (("trian",), 2),
        (("completion", "bash"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_help_loads_no_library_at_all(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    assert loaded_by(*words, cwd=tmp_path) == (code, set())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list",), 0),
        (("show", "digits_cnn"), 0),
        (("explain", "digits_mlp", "optimizer.learning_rate"), 0),
        (("schema",), 0),
        (("train", "digits_mlp", "trainer.epoch=5"), 2),
        (("predict", "runs/none", "-i", "x.npz", "-o", "y.txt"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_looking_and_failing_validation_load_no_jax(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    ended, modules = loaded_by(*words, cwd=tmp_path)
    assert (ended, modules - {"hydra", "pydantic"}) == (code, set())


def test_list_alone_names_everything_by_kind(fw: Command) -> None:
    done = fw("list")
    assert (done.code, done.err) == (0, "")
    heads = [line.split()[0] for line in done.out.splitlines() if line and not line.startswith(" ")]
    assert heads == ["kind", *KINDS, "fw"]


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_a_kind_has_a_line_for_each_name(kind: str, call: Command) -> None:
    names = call("list", kind, "--names").out.split()
    done = call("list", kind)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"{kind}: {KINDS[kind]}"
    first_words = [line.split()[0] for line in done.out.splitlines()[2:] if not line.startswith(" ")]
    assert first_words == names


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_tables_keep_to_the_width(columns: int, fw: Command) -> None:
    done = fw("list", "layers", columns=columns)
    assert max(map(len, done.out.splitlines()[1:])) <= columns
    assert [line for line in done.out.splitlines() if line != line.rstrip()] == []


def test_list_of_one_tells_arguments_with_bounds_defaults_and_descriptions(call: Command) -> None:
    done = call("list", "optimizers", "adamw")
    assert "Adam with decoupled weight decay." in done.out
    assert "in YAML:  {type: adamw}" in done.out
    assert re.search(r"  b1 +float \[0, 1\), default 0\.9, traced\n +decay of the mean gradient\n", done.out)


def test_list_of_a_recipe_tells_its_header(call: Command) -> None:
    done = call("list", "recipes", "digits_mlp")
    assert re.search(r"^Command: +fw run digits_mlp$", done.out, re.MULTILINE)
    assert done.out.rstrip().endswith("recipes/vision/digits_mlp.yaml")


def test_an_unknown_kind_is_told_with_the_closest(call: Command) -> None:
    done = call("list", "layer")
    assert done.code == 2
    assert "fw list KIND: unknown value 'layer'" in done.err
    assert "fix:       layers" in done.err


def test_show_is_yaml_of_the_resolved_recipe(call: Command) -> None:
    done = call("show", "digits_mlp", "seed=3")
    assert (done.code, done.err) == (0, "")
    tree = yaml.safe_load(done.out)
    assert (tree["seed"], tree["network"]["layers"]["logits"]) == (3, {"dense": {"features": 10}})
    assert list(tree["network"]["layers"])[:2] == ["flat", "hidden1"]


def test_show_tells_beside_each_value_who_set_it(call: Command) -> None:
    done = call("show", "digits_mlp", "optimizer=lion", "optimizer.learning_rate=1e-3")
    assert re.search(r"^  learning_rate: 0\.001 +# override optimizer\.learning_rate=1e-3$", done.out, re.MULTILINE)
    assert re.search(r"^  type: lion +# configs/optimizer/lion\.yaml:\d+$", done.out, re.MULTILINE)
    assert re.search(r"^optimizer: +# override optimizer=lion$", done.out, re.MULTILINE)
    assert re.search(r"^data: +# data=digits by recipes/vision/digits_mlp\.yaml:\d+$", done.out, re.MULTILINE)
    assert re.search(r"^ +features: 10 +# recipes/vision/digits_mlp\.yaml:\d+$", done.out, re.MULTILINE)


def test_the_origins_of_show_are_aligned(call: Command) -> None:
    lines = call("show", "digits_mlp").out.splitlines()
    assert len({line.index("# ") for line in lines if "# " in line}) == 1


def test_show_plain_is_a_recipe_itself(call: Command, tmp_path: Path) -> None:
    shown = call("show", "digits_cnn", "--plain")
    assert "#" not in shown.out
    (tmp_path / "digits_cnn.yaml").write_text(shown.out)
    again = call("show", "./digits_cnn.yaml", "--plain")
    assert (again.code, yaml.safe_load(again.out)) == (0, yaml.safe_load(shown.out))


def test_show_defaults_adds_what_the_schema_fills_in(call: Command) -> None:
    assert "clip_norm" not in call("show", "digits_mlp").out
    done = call("show", "digits_mlp", "--defaults")
    assert re.search(r"^  clip_norm: null +# default$", done.out, re.MULTILINE)


def test_show_marks_overrides_where_colours_are_asked_for(fw: Command) -> None:
    done = fw("show", "digits_mlp", "seed=3", FORCE_COLOR="1")
    assert "\x1b[33m# override seed=3\x1b[0m" in done.out


@pytest.mark.parametrize(("part", "present"), [("job", "network:"), ("hydra", "hydra:"), ("all", "hydra:")])
def test_cfg_prints_the_composition(part: str, present: str, call: Command) -> None:
    done = call("train", "digits_mlp", "--cfg", part)
    assert (done.code, done.err) == (0, "")
    assert present in done.out.splitlines()


def test_cfg_keeps_interpolations_unless_they_are_to_be_resolved(call: Command) -> None:
    assert "${data.classes}" in call("show", "digits_mlp", "--cfg", "job").out
    assert "${data.classes}" not in call("show", "digits_mlp", "--cfg", "job", "--resolve").out


def test_info_prints_the_defaults_list_of_hydra(call: Command) -> None:
    done = call("show", "digits_mlp", "optimizer=lion", "--info", "defaults")
    assert done.code == 0
    assert "optimizer/lion" in done.out


def test_an_unknown_cfg_is_told_with_the_closest(call: Command) -> None:
    done = call("show", "digits_mlp", "--cfg", "jobs")
    assert done.code == 2
    assert "--cfg: unknown value 'jobs'" in done.err
    assert "fix:       job" in done.err


def told(text: str) -> dict[str, list[str]]:
    """Label -> lines of an explanation."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        label, value = line[2:15].strip(), line[15:].strip()
        if label:
            found[label] = []
            last = label
        found[last].append(value)
    return found


def test_explain_tells_value_rules_history_and_readers(call: Command) -> None:
    done = call("explain", "digits_mlp", "optimizer.learning_rate", "optimizer.learning_rate=0.5")
    assert (done.code, done.err) == (0, "")
    entries = told(done.out)
    assert entries["value"] == ["0.5"]
    assert entries["kind"] == ["float >= 0"]
    assert entries["default"] == ["0.001"]
    assert entries["means"] == ["step size at the schedule's full value"]
    assert entries["changing it"][0].startswith("traced: an input of the compiled program")
    assert entries["checked by"] == ["framework/config/schema/optimizers.py: AdamW.learning_rate"]
    assert entries["read by"] == ["framework/optim/optimizers.py: adamw"]
    first, *over = entries["set by"]
    assert first == "override optimizer.learning_rate=0.5: 0.5"
    assert re.fullmatch(r"over recipes/vision/digits_mlp\.yaml:\d+: 0\.002", over[0])
    assert re.fullmatch(r"over configs/optimizer/adamw\.yaml:\d+: 0\.001", over[1])


def test_explain_tells_the_text_of_an_interpolation(call: Command) -> None:
    entries = told(call("explain", "digits_mlp", "network.layers.logits.dense.features").out)
    assert (entries["value"], entries["written as"]) == (["10"], ["${data.classes}"])
    assert entries["read by"] == ["framework/network/layers/linear.py: Dense"]


def test_explain_tells_where_a_value_is_used(call: Command) -> None:
    entries = told(call("explain", "digits_mlp", "data.classes").out)
    assert "network.layers.logits.dense.features: ${data.classes}" in entries["used in"]


def test_explain_of_a_section_tells_its_members(call: Command) -> None:
    done = call("explain", "digits_mlp", "optimizer", "optimizer=lion")
    assert "  chosen as   override optimizer=lion" in done.out
    assert "framework/optim/optimizers.py: lion" in done.out
    assert re.search(r"  b2 +0\.99\n +float \[0, 1\), default 0\.99, traced", done.out)


def test_explain_of_a_default_says_so(call: Command) -> None:
    entries = told(call("explain", "digits_mlp", "losses.cross_entropy.weight").out)
    assert (entries["value"], entries["set by"]) == (["1.0"], ["default"])
    assert entries["read by"] == ["framework/build/experiment.py: Experiment._loss"]


def test_explain_of_an_unknown_key_tells_the_closest(call: Command) -> None:
    done = call("explain", "digits_mlp", "optimizer.learnin_rate")
    assert done.code == 2
    assert "optimizer.learnin_rate: recipe digits_mlp has no such key" in done.err
    assert "expected:  optimizer.type" in done.err or "optimizer.learning_rate" in done.err
    assert "fix:       fw explain digits_mlp optimizer.learning_rate" in done.err


def test_check_tells_every_wire_and_ok(call: Command) -> None:
    done = call("check", "digits_mlp")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "recipe digits_mlp"
    assert done.out.splitlines()[-1] == "ok"
    assert re.search(r"batch\.image +float32\[64, 8, 8, 1\]", done.out)
    assert re.search(r"outputs\.logits +float32\[64, 10\]", done.out)
    assert re.search(r"confusion of outputs\.logits, batch\.label -> int32\[10, 10\]", done.out)


def test_summary_tells_shapes_parameters_and_operations(call: Command) -> None:
    done = call("summary", "digits_mlp")
    assert (done.code, done.err) == (0, "")
    rows = {line.split()[0]: line.split() for line in done.out.splitlines()[2:]}
    assert rows["input"] == ["input", "input", "float32[1,", "8,", "8,", "1]"]
    # A dense layer of 64 inputs and 128 features: 64 x 128 + 128 parameters, 2 x 64 x 128 + 128 operations.
    assert rows["hidden1"] == ["hidden1", "dense", "float32[1,", "128]", "8,320", "16,512"]
    assert rows["total"][1] == f"{64 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10:,}"


def test_summary_opens_blocks_as_deep_as_asked(call: Command) -> None:
    assert re.search(r"^  conv +conv ", call("summary", "digits_cnn").out, re.MULTILINE)
    assert not re.search(r"^  conv +conv ", call("summary", "digits_cnn", "--depth", "1").out, re.MULTILINE)


def test_summary_is_for_the_batch_that_is_asked_for(call: Command) -> None:
    assert "float32[32, 128]" in call("summary", "digits_mlp", "--batch-size", "32").out
    done = call("summary", "digits_mlp", "--batch-size", "0")
    assert done.code == 2
    assert "--batch-size: unknown value '0'" in done.err


def test_schema_is_json_that_knows_the_sections(call: Command) -> None:
    done = call("schema")
    assert (done.code, done.err) == (0, "")
    assert {"data", "network", "losses", "optimizer", "trainer"} <= set(json.loads(done.out)["properties"])


def test_schema_goes_to_a_file(call: Command, tmp_path: Path) -> None:
    done = call("schema", "-o", "recipe.json")
    assert (done.code, done.out) == (0, "wrote recipe.json\n")
    assert "properties" in json.loads((tmp_path / "recipe.json").read_text())


def test_a_file_that_cannot_be_written_is_told(call: Command) -> None:
    done = call("schema", "-o", "none/recipe.json")
    assert done.code == 2
    assert "none/recipe.json: could not be written: No such file or directory" in done.err


def test_doctor_tells_versions_devices_folders_and_fixes(fw: Command) -> None:
    done = fw("doctor")
    assert (done.code, done.err) == (0, "")
    topics = [line for line in done.out.splitlines() if line and not line.startswith(" ")]
    assert topics[:-1] == ["python", "packages", "extras", "folders", "git", "devices"]
    assert re.search(r"^  ok +jax +\d+\.\d+", done.out, re.MULTILINE)
    assert re.search(r"^  ok +backend +cpu, \d+ device", done.out, re.MULTILINE)
    for warning in re.finditer(r"^  warn .*\n(.*)$", done.out, re.MULTILINE):
        assert re.match(r" +fix: \S", warning[1])


def test_doctor_warns_of_a_folder_that_cannot_hold_runs(fw: Command, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the place of the folder")
    done = fw("doctor")
    assert done.code == 0
    assert re.search(r"^  warn  runs .*\n +fix: run\.dir=PATH", done.out, re.MULTILINE)
