"""A script computes bit for bit what its recipe does, reads well, and needs nothing of the package."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from framework.build.state import State
from framework.config import compose
from framework.core.errors import ConfigError
from framework.data.schedule import schedule_of
from framework.inspect.ejecting.ejected import ejected
from framework.train.feed import gather
from framework.train.setup import Setup

HERE = Path(__file__).parent
STEPS = 3
SMALL_GPT = ["network.args.width=8", "network.args.depth=2", "network.args.heads=2", "network.args.dropout=0.1"]
SMALL_EXPERTS = ["network.args.width=8", "network.args.depth=2", "network.args.heads=2", "network.args.hidden=4"]
SMALL_TEXT = ["data.context=8", "data.batch_size=2", "data.max_characters=3000"]
COMPUTED = {
    "perceptron": ("digits_mlp", ["data.batch_size=8"]),
    "gpt": ("stdlib_gpt", [*SMALL_GPT, *SMALL_TEXT]),
    "experts": ("stdlib_moe", [*SMALL_EXPERTS, *SMALL_TEXT]),
    "average, frozen, penalties": (str(HERE / "marked_perceptron.yaml"), []),
    "costs of an autoencoder": (str(HERE / "digits_vae.yaml"), []),
    "combinators": (str(HERE / "combined_sequences.yaml"), []),
}
LOWERED = {
    "convolutions": ("digits_cnn", ["data.batch_size=4", "network.blocks.conv_norm_relu.layers.act=gelu"]),
    "resnet": (str(HERE / "digits_resnet.yaml"), []),
    "regression": ("diabetes_regression", ["optimizer=lion", "optimizer/schedule=piecewise", "data.shuffle=false"]),
}


class Results(NamedTuple):
    """A script, what its recipe computes and what it does."""

    script: Path
    expected: dict[str, np.ndarray]
    found: dict[str, np.ndarray]


def program(setup: Setup) -> Any:
    """The step of a recipe as its script has it: compiled with the rows that it takes, without what probes log."""
    experiment, data, train = setup.experiment, setup.config.data, setup.dataset.splits["train"]
    masked = data.last_batch == "mask" and len(train) % data.batch_size != 0

    # The state is given up, as in a run: where its memory is used again decides the last bit of a sum here and there.
    @partial(jax.jit, donate_argnums=0)
    def run_step(state: State, arrays: Any, rows: jax.Array, hyper: Any) -> Any:
        state, logs = experiment.step(state, gather(arrays, rows, masked=masked), hyper)
        return state, {name: value for name, value in logs.items() if not name.startswith("probe.")}

    return run_step


def computed(loaded: compose.Loaded) -> dict[str, np.ndarray]:
    """What `run_script.py` keeps, out of the recipe."""
    setup = Setup(loaded)
    experiment, data, train = setup.experiment, setup.config.data, setup.dataset.splits["train"]
    arrays = {name: jnp.asarray(array) for name, array in setup.dataset.arrays("train").items()}
    schedule = schedule_of(data, train, setup.config.seed)
    state = experiment.init()
    kept = leaves("variables", state.variables)
    batch = {name: array[schedule.indices(0)] for name, array in arrays.items()}
    outputs = jax.jit(experiment.predict)(state, batch, experiment.hyper)
    kept |= {f"outputs.{name}": np.asarray(value) for name, value in outputs.items()}
    step = program(setup)
    for number in range(STEPS):
        state, logs = step(state, arrays, schedule.indices(number), experiment.hyper)
        kept |= {f"{name}.{number}": np.asarray(value) for name, value in logs.items()}
    return kept | leaves("after", {**state.variables, "ema": state.ema})


def leaves(start: str, tree: Any) -> dict[str, np.ndarray]:
    """The arrays of a tree by path."""
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {f"{start}{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in paths}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """What each recipe computes and what its script does, all scripts in one process without this package."""
    folder = tmp_path_factory.mktemp("ejected")
    loaded = {name: compose.load(*COMPUTED[name]) for name in COMPUTED}
    places = {name: folder / f"train{number}.py" for number, name in enumerate(COMPUTED)}
    words = []
    for name, script in places.items():
        made = ejected(loaded[name], script)
        script.write_text(made.script)
        script.with_suffix(".npz").write_bytes(made.arrays)
        words += [str(script), str(folder / f"{script.stem}_result.npz")]
    command = [sys.executable, "-P", str(HERE / "run_script.py"), *words]
    environment = {word: value for word, value in os.environ.items() if word != "PYTHONPATH"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        expected = {name: computed(one) for name, one in loaded.items()}
        printed = running.communicate()[0].decode()
    assert running.returncode == 0, printed
    held = {}
    for name, script in places.items():
        with np.load(folder / f"{script.stem}_result.npz") as found:
            held[name] = Results(script, expected[name], {key: found[key] for key in found.files})
    return held


@pytest.mark.parametrize("name", COMPUTED)
def test_a_script_computes_the_recipes_numbers_bit_for_bit(name: str, results: dict[str, Results]) -> None:
    expected, found = results[name].expected, results[name].found
    assert sorted(found) == sorted(expected)
    assert [key for key in expected if expected[key].tobytes() != found[key].tobytes()] == []


@pytest.mark.parametrize("name", LOWERED)
def test_a_script_lowers_to_the_recipes_program(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = compose.load(*LOWERED[name])
    made = ejected(loaded, tmp_path / "train.py")
    (tmp_path / "train.py").write_text(made.script)
    (tmp_path / "train.npz").write_bytes(made.arrays)
    spec = importlib.util.spec_from_file_location("train", tmp_path / "train.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "train", script)
    spec.loader.exec_module(script)
    setup = Setup(loaded)
    train, arrays = setup.dataset.splits["train"], script.load()
    rows = schedule_of(setup.config.data, train, setup.config.seed).indices(3)
    np.testing.assert_array_equal(script.rows(3, len(train)), rows)
    hyper = {key: value for key, value in setup.experiment.hyper.items() if key != "seed"}
    expected = program(setup).lower(jax.eval_shape(setup.experiment.init), arrays, rows, hyper)
    found = script.run_step.lower(jax.eval_shape(script.init), arrays, rows, script.HYPER)
    assert without_names(found.as_text()) == without_names(expected.as_text())


def without_names(text: str) -> str:
    """A lowered program without what its results are called, which a script says in other words."""
    return re.sub(r'jax.result_info = "[^"]*"', "", text)


@pytest.mark.parametrize("words", [("check", "--select", "E,F,I"), ("format", "--check")])
def test_scripts_are_formatted_and_clean(words: tuple[str, ...], results: dict[str, Results]) -> None:
    scripts = [str(result.script) for result in results.values()]
    command = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "120", *scripts]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_no_script_imports_the_package(results: dict[str, Results]) -> None:
    texts = [result.script.read_text() for result in results.values()]
    assert [text for text in texts if "import framework" in text or "from framework" in text] == []


def test_blocks_and_layers_have_the_names_of_the_recipe(tmp_path: Path) -> None:
    script = ejected(compose.load("digits_cnn", []), tmp_path / "train.py").script
    block = 'class ConvNormRelu(nn.Module):\n    """The block `conv_norm_relu`."""\n\n    features: int\n'
    assert block in script and script.count("class ConvNormRelu") == 1
    assert 'conv2 = ConvNormRelu(features=32, name="conv2")(conv1, context=context)' in script
    assert 'Dropout(rate=TracedValue("network.layers.drop.dropout.rate", 0.4), name="drop")' in script


def test_what_no_layer_of_the_recipe_is_asked_for_is_left_out(tmp_path: Path) -> None:
    words = ["+network.layers.hidden1.dense.kernel_norm=weight", "+network.layers.logits.dense.kernel_init=orthogonal"]
    plain, asked = (ejected(compose.load("digits_mlp", one), tmp_path / "train.py").script for one in ([], words))
    for definition in ("def normed_kernel(", "def _orthogonal(", "    kernel_norm: str | None = None"):
        assert definition not in plain
        assert definition in asked


def test_the_same_recipe_gives_the_same_files(tmp_path: Path) -> None:
    first, second = (ejected(compose.load("digits_mlp", []), tmp_path / "train.py") for _ in range(2))
    assert first == second


def test_all_that_a_script_cannot_have_is_told_at_once(tmp_path: Path) -> None:
    words = ["parallel=data", "data.resident=false"]
    words.append("+network.layers.mine={module: {_target_: flax.linen.Dense, features: 3}, after: act1}")
    with pytest.raises(ConfigError) as caught:
        ejected(compose.load("digits_mlp", words, trust=("flax",)), tmp_path / "train.py")
    assert {problem.key for problem in caught.value.problems} == {
        "parallel.type",
        "data.resident",
        "network.layers.mine",
    }


def test_a_streamed_table_is_refused_for_its_order(tmp_path: Path) -> None:
    rows = {"x": np.arange(40.0), "y": np.arange(40.0) % 7, "kind": np.arange(40) % 2}
    parquet.write_table(pyarrow.table(rows), tmp_path / "rows.parquet", row_group_size=8)
    words = ["data=parquet", f"data.path={tmp_path / 'rows.parquet'}", "data.target=kind", "data.classes=2"]
    with pytest.raises(ConfigError, match=r"data\.stream=false") as caught:
        ejected(compose.load("wine_mlp", [*words, "data.stream=true", "data.batch_size=4"]), tmp_path / "train.py")
    assert [problem.key for problem in caught.value.problems] == ["data.stream"]


def test_a_loss_on_the_inside_of_a_node_that_shares_is_refused(tmp_path: Path) -> None:
    words = ["+network.layers.one={sequential: {layers: {map: {dense: {features: 10}}}}, from: hidden2}"]
    words += ["+network.layers.two={share: one, from: hidden2}", "+network.outputs={logits: two}"]
    quiet = "+losses.quiet={type: expr, expression: 'square(h)', inputs: {h: intermediates.two.map}}"
    with pytest.raises(ConfigError) as caught:
        ejected(compose.load("digits_mlp", [*words, quiet]), tmp_path / "train.py")
    assert [problem.key for problem in caught.value.problems] == ["losses.quiet.h"]
