"""What the command says of itself, and of words it does not know."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import ROOT, Command

from framework.cli.verbs import GROUPS, VERBS


def test_help_names_every_verb_with_its_summary(fw: Command) -> None:
    done = fw("--help")
    assert (done.code, done.err) == (0, "")
    for verb, summary in VERBS.items():
        assert f"  {verb:<11} {summary}" in done.out.splitlines()


def test_no_words_print_the_same_as_help(call: Command) -> None:
    assert call() == call("--help")


def test_every_verb_has_a_file_and_every_file_of_a_verb_is_in_the_table() -> None:
    folder = ROOT / "framework" / "cli"
    files = [file for file in folder.glob("*.py") if "\ndef parser() ->" in file.read_text(encoding="utf-8")]
    with_parser = {file.stem.removesuffix("_") for file in files}  # `import` is a word of Python
    assert with_parser == set(VERBS)
    assert sum(len(verbs) for verbs in GROUPS.values()) == len(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_has_usage_a_paragraph_options_and_two_examples(verb: str, call: Command) -> None:
    done = call(verb, "--help")
    assert (done.code, done.err) == (0, "")
    usage, about, *_ = done.out.split("\n\n")
    assert usage.startswith(f"usage: fw {verb} ")
    assert len(about) > 80
    assert "  -h, --help" in done.out
    examples = done.out.partition("examples:\n")[2].splitlines()
    assert len(examples) == 2
    assert any(f"fw {verb}" in example for example in examples)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_fits_eighty_columns(verb: str, fw: Command) -> None:
    done = fw(verb, "--help", columns=80)
    assert (done.code, done.err) == (0, "")
    about = done.out.partition("\n\n")[2].partition("\n\n")[0]
    assert max(map(len, about.splitlines())) <= 80


def test_help_verb_is_the_help_of_that_verb(call: Command) -> None:
    assert call("help", "show") == call("show", "--help")


def test_help_wins_over_missing_words(call: Command) -> None:
    assert call("predict", "-h").code == 0


def test_an_unknown_verb_is_told_with_the_closest_and_its_words(fw: Command) -> None:
    done = fw("trian", "digits_mlp", "seed=1")
    assert (done.code, done.out) == (2, "")
    assert "fw: unknown verb 'trian'" in done.err
    assert "fix:       fw train digits_mlp seed=1" in done.err


def test_an_option_before_the_verb_is_refused(call: Command) -> None:
    done = call("--config-dir", "x", "show", "digits_mlp")
    assert done.code == 2
    assert "fw: unknown option '--config-dir'" in done.err
    assert "expected:  a verb first, then its options" in done.err


def test_an_unknown_option_is_told_with_the_closest(fw: Command) -> None:
    done = fw("show", "digits_mlp", "--config-dr", "x")
    assert (done.code, done.out) == (2, "")
    assert "fw show: unknown option '--config-dr'" in done.err
    assert "fix:       --config-dir" in done.err


def test_a_missing_word_is_told_with_the_usage(call: Command) -> None:
    done = call("explain", "digits_mlp")
    assert done.code == 2
    assert "fw explain: missing: KEY" in done.err
    assert "expected:  fw explain RECIPE KEY [OVERRIDE ...] [options]" in done.err


def test_an_option_without_its_value_is_told(call: Command) -> None:
    done = call("schema", "-o")
    assert done.code == 2
    assert "fw schema: argument -o/--output: expected one argument" in done.err


def test_a_word_too_many_is_refused(call: Command) -> None:
    done = call("doctor", "now")
    assert done.code == 2
    assert "fw doctor: one word too many: 'now'" in done.err


def test_an_override_in_the_place_of_the_recipe_is_told(call: Command) -> None:
    done = call("train", "optimizer=lion", "digits_mlp")
    assert done.code == 2
    assert "RECIPE: 'optimizer=lion' is an override" in done.err
    assert "fix:       put 'digits_mlp' before the overrides" in done.err


def test_an_override_in_the_place_of_the_key_is_told(call: Command) -> None:
    done = call("explain", "digits_mlp", "optimizer=lion")
    assert done.code == 2
    assert "KEY: 'optimizer=lion' is an override" in done.err
    assert "fix:       fw explain digits_mlp optimizer optimizer=lion" in done.err


def test_a_config_dir_that_is_not_there_is_told(call: Command) -> None:
    done = call("show", "digits_mlp", "--config-dir", "mine")
    assert done.code == 2
    assert "--config-dir: mine does not exist" in done.err


def test_version_is_that_of_the_package(fw: Command) -> None:
    import framework

    done = fw("--version")
    assert (done.code, done.out) == (0, f"framework {framework.__version__}\n")


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "framework", "list", "layers"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (141, "")


def test_a_defect_keeps_its_traceback_and_says_how_to_report(call: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import framework.cli.completion as completion

    def broken(options: object) -> int:
        raise ZeroDivisionError("made up")

    monkeypatch.setattr(completion, "execute", broken)
    done = call("completion", "bash")
    assert done.code == 1
    assert "Traceback (most recent call last)" in done.err
    assert "ZeroDivisionError: made up" in done.err
    assert "report it with the lines above and the output of `fw doctor`" in done.err


def test_an_interrupt_ends_with_130(call: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import framework.cli.completion as completion

    def interrupted(options: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(completion, "execute", interrupted)
    done = call("completion", "bash")
    assert (done.code, done.err) == (130, "interrupted\n")


@pytest.mark.parametrize("words", [("--traceback",), ()])
def test_a_traceback_of_a_mistake_is_shown_when_asked_for(
    words: tuple[str, ...], call: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not words:
        monkeypatch.setenv("FW_TRACEBACK", "1")
    done = call("list", "lyers", *words)
    assert done.code == 2
    assert re.search(r"Traceback.*fix:       layers", done.err, re.DOTALL)


def test_without_asking_no_traceback_is_shown(call: Command) -> None:
    assert "Traceback" not in call("list", "lyers").err


def test_errors_are_coloured_only_where_asked(fw: Command) -> None:
    assert "\x1b[" not in fw("list", "lyers").err
    assert "\x1b[1;31mfw list KIND" in fw("list", "lyers", FORCE_COLOR="1").err
    assert "\x1b[" not in fw("list", "lyers", FORCE_COLOR="1", NO_COLOR="1").err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_completion_script_is_shell_that_parses(shell: str, call: Command, tmp_path: Path) -> None:
    done = call("completion", shell)
    assert done.code == 0
    script = tmp_path / "script"
    script.write_text(done.out)
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True).returncode == 0


def test_bash_completes_verbs(call: Command, tmp_path: Path) -> None:
    script = call("completion", "bash").out
    question = script + "\nCOMP_WORDS=(fw e); COMP_CWORD=1; _fw; echo ${COMPREPLY[@]}"
    answer = subprocess.run(["bash", "-c", question], capture_output=True, text=True).stdout.split()
    assert answer == ["evaluate", "explain", "eject"]
