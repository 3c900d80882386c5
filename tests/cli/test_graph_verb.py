"""`fw graph`: what it writes and says, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli_command import ROOT, Command


def test_a_drawing_is_written_and_told(call: Command, tmp_path: Path) -> None:
    done = call("graph", "digits_cnn", "-o", "net.svg")
    assert (done.code, done.err) == (0, "")
    assert done.out == "drawn: net.svg\n10 nodes, 3 of them folded blocks; --depth and --full open more\n"
    ElementTree.parse(tmp_path / "net.svg")


def test_overrides_and_options_reach_the_drawing(call: Command, tmp_path: Path) -> None:
    words = ("graph", "digits_cnn", "network.layers.hidden.dense.features=77", "--full", "--batch-size", "5")
    assert call(*words, "-o", "net.mmd").out == "drawn: net.mmd\n16 nodes\n"
    text = (tmp_path / "net.mmd").read_text(encoding="utf-8")
    assert "hidden<br/>dense, 77<br/>5×77 · 19.8k" in text
    assert "for a batch of 5" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            (),
            "--output: no file is named\n  expected:  a file ending in .svg, .png or .mmd\n  fix:       -o digits_cnn",
        ),
        (("-o", "net.pdf"), "--output: 'net.pdf' ends in '.pdf'\n  expected:  a file ending in .svg, .png, .mmd\n"),
        (("-o", "net.svg", "--depth", "0"), "--depth: unknown value '0'\n  expected:  a positive integer"),
        (("-o", "net.svg", "--depth", "all"), "--depth: unknown value 'all'"),
        (("-o", "net.svg", "--depth", "2", "--full"), "--full: --depth says something else"),
        (("-o", "taken.txt/net.svg"), "--output: 'taken.txt' is a file"),
        (("-o", "net.svg", "network.layers.hidden.dense.features=0"), "network.layers.hidden.dense.features"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(
    words: tuple[str, ...], told: str, call: Command, tmp_path: Path
) -> None:
    (tmp_path / "taken.txt").write_text("kept", encoding="utf-8")
    done = call("graph", "digits_cnn", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["taken.txt"]


def test_all_mistakes_of_the_words_are_told_at_once(call: Command) -> None:
    done = call("graph", "digits_cnn", "-o", "net", "--depth", "2", "--full")
    assert "--full:" in done.err
    assert "'net' has no ending" in done.err


def test_a_network_that_does_not_fit_is_told_with_its_place(call: Command) -> None:
    done = call(
        "graph",
        "digits_cnn",
        "-o",
        "net.svg",
        "~network.layers.flat",
        "+network.layers.bad={add: {}, from: [conv1, pool2]}",
    )
    assert done.code == 2
    assert "network.layers.bad" in done.err


WITHOUT = """
import sys
sys.modules["matplotlib"] = None
from framework.cli.main import main
code = main(sys.argv[1:])
print({"jax"} & set(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def test_a_png_without_matplotlib_names_the_extra_before_anything_is_loaded(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT, "graph", "digits_cnn", "-o", "net.png"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'framework[figures]', or -o net.svg" in done.stderr
    assert done.stderr.splitlines()[-1] == "set()"
    assert list(tmp_path.iterdir()) == []
