"""One YAML file: how its scalars read, which of YAML's surprises are refused, and the bounds that hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from framework.config.compose.bounds import MAX_DEPTH, MAX_FILE_BYTES, MAX_NODES
from framework.config.compose.document import read, read_shared
from framework.config.compose.paths import leaves
from framework.core.errors import ConfigError, Problem


@pytest.fixture
def problem(folder):
    """What is wrong with a file of this text."""

    def read_problem(text: str | bytes) -> Problem:
        Path("x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError) as caught:
            read(Path("x.yaml"), "x.yaml")
        return caught.value.problems[0]

    return read_problem


def value(text: str):
    Path("x.yaml").write_text(text, encoding="utf-8")
    return read(Path("x.yaml"), "x.yaml").value


# What YAML 1.1, as OmegaConf bends it, makes of plain text. Each is a surprise to somebody.
READINGS = {
    "1e-3": 0.001,
    "1e3": 1000.0,
    "1_000": 1000,
    "010": 8,
    "0x1F": 31,
    "0b11": 3,
    "12:30:45": 45045,
    "12:30": 750,
    ".5": 0.5,
    "5.": 5.0,
    ".inf": float("inf"),
    "no": False,
    "off": False,
    "yes": True,
    "On": True,
    "y": "y",
    "N": "N",
    "~": None,
    "null": None,
    "None": "None",
    "2024-01-31": "2024-01-31",
    "1.2.3": "1.2.3",
    "0o17": "0o17",
    "=features": "=features",
    "???": "???",
    "": None,
}


@pytest.mark.parametrize("text", READINGS, ids=lambda text: text or "empty")
def test_plain_text_reads_as(folder, text):
    read_as = value(f"a: {text}\n")["a"]
    assert (type(read_as), read_as) == (type(READINGS[text]), READINGS[text])
    assert value(f"a: '{text}'\n") == {"a": text}


@pytest.mark.parametrize("text", [text for text in READINGS if text not in ("???",)], ids=lambda text: text or "empty")
def test_plain_text_reads_as_omegaconf_reads_it(folder, text):
    assert value(f"a: {text}\n") == OmegaConf.to_container(OmegaConf.create(f"a: {text}\n"))


def test_three_question_marks_need_no_quotes_inside_braces(folder):
    assert value("a: {b: ???, c: [???, 1]}\n") == {"a": {"b": "???", "c": ["???", 1]}}


def test_lines_of_keys_and_items_are_kept(folder):
    Path("x.yaml").write_text("# head\n\na:\n  b: 1\n  c: [1,\n      2]\nd: &x {e: 1}\nf: *x\n", encoding="utf-8")
    document = read(Path("x.yaml"), "x.yaml")
    assert document.lines == {
        ("a",): 3,
        ("a", "b"): 4,
        ("a", "c"): 5,
        ("a", "c", 0): 5,
        ("a", "c", 1): 6,
        ("d",): 7,
        ("d", "e"): 7,
        ("f",): 8,
        ("f", "e"): 7,
    }
    assert document.origin(("a", "c", 1, "deeper")) == "x.yaml:6"


def test_merged_keys_lose_to_own_keys_and_keep_their_lines(folder):
    Path("x.yaml").write_text("base: &b {p: 1, q: 2}\nmore: &m {q: 3, r: 4}\nuse:\n  <<: [*b, *m]\n  p: 9\n")
    document = read(Path("x.yaml"), "x.yaml")
    assert document.value["use"] == {"p": 9, "q": 2, "r": 4}
    assert document.lines["use", "p"] == 5
    assert document.lines["use", "q"] == 1


def test_the_header_leaves_out_what_is_meant_for_programs(folder):
    for_programs = "# yaml-language-server: $schema=recipe.schema.json\n# @package _global_\n"
    Path("x.yaml").write_text(for_programs + "# A recipe.\n#\n#   fw train x\na: 1\n# no\n", encoding="utf-8")
    assert read(Path("x.yaml"), "x.yaml").header == "A recipe.\n\n  fw train x"


SYNTAX = {
    "open bracket": ("a: [1, 2\nb: 3\n", 2, "line 2, column 2", "close the bracket or the brace"),
    "open quote": ("a: 'x\n", 2, "line 2, column 1", "close the quote"),
    "a tab": ("a:\n\tb: 1\n", 2, "line 2, column 1", "indent with spaces, not with tabs"),
    "a colon in text": ("a: b: c\n", 1, "line 1, column 5", "quote a value that holds `: `"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "line 2, column 1", "one document a file: remove the line `---`"),
    "an unknown alias": ("a: *b\n", 1, "line 1, column 4", "define the anchor (&name) above its alias (*name)"),
    "a reserved sign": ("a: @b\n", 1, "line 1, column 4", "indent with spaces, one `key: value` a line"),
}


@pytest.mark.parametrize("case", SYNTAX, ids=lambda case: case.replace(" ", "-"))
def test_broken_syntax_names_file_line_and_column(problem, case):
    text, line, place, fix = SYNTAX[case]
    told = problem(text)
    assert told.key == "x.yaml"
    assert told.found.startswith(f"is not YAML at {place}: ")
    assert told.origin == f"x.yaml:{line}"
    assert told.fix.startswith(fix)


REFUSED = {
    "duplicate": ("a:\n  b: 1\n  c: 2\n  b: 3\n", "a.b", "set twice, on line 2 and on line 4", "x.yaml:4"),
    "boolean key": ("on: 1\n", "on", "the key on is read as a boolean", "x.yaml:1"),
    "number as key": ("a:\n  1: x\n", "a.1", "the key 1 is read as a whole number", "x.yaml:2"),
    "mapping as key": ("{a: 1}: 2\n", "x.yaml", "a key is itself a mapping or a list", "x.yaml:1"),
    "python object": (
        "a: !!python/object/apply:os.system [ls]\n",
        "a",
        "the tag !!python/object/apply:os.system is not plain YAML",
        "x.yaml:1",
    ),
    "own tag": ("a: !secret b\n", "a", "the tag !secret is not plain YAML", "x.yaml:1"),
    "binary": ("a: !!binary aGk=\n", "a", "the tag !!binary is not plain YAML", "x.yaml:1"),
    "set": ("a: !!set {b, c}\n", "a", "the tag !!set is not plain YAML", "x.yaml:1"),
    "false number": ("a: !!int five\n", "a", "'five' looks like a whole number but is none", "x.yaml:1"),
    "odd number": ("a: 0b_\n", "a", "'0b_' looks like a whole number but is none", "x.yaml:1"),
    "merge of no mapping": ("a: &x 1\nb: {<<: *x}\n", "b", "`<<` merges something that is no mapping", "x.yaml:1"),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_yaml_would_silently_take_is_refused(problem, case):
    text, key, found, origin = REFUSED[case]
    told = problem(text)
    assert (told.key, told.found, told.origin) == (key, found, origin)
    assert told.expected
    assert told.fix


def test_every_mistake_of_a_file_is_told(folder):
    Path("x.yaml").write_text("a: 1\na: 2\non: 3\nb: !x 4\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read(Path("x.yaml"), "x.yaml")
    assert [problem.key for problem in caught.value.problems] == ["a", "on", "b"]


def test_a_file_too_large_is_refused_before_it_is_read(problem):
    told = problem(b"a: " + b"x" * MAX_FILE_BYTES)
    assert told.found == f"the file has {MAX_FILE_BYTES + 3} bytes"
    assert told.expected == f"at most {MAX_FILE_BYTES} bytes of YAML"


def test_depth_is_bounded(problem):
    assert value("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for text in ("[" * 100_000, "[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH, "{a: " * 70 + "1" + "}" * 70):
        assert problem(text).found == f"mappings and lists are nested more than {MAX_DEPTH} deep"


def test_depth_through_aliases_is_bounded(problem):
    half = "[" * 40 + "1" + "]" * 40
    told = problem(f"a: &a {half}\nb: {'[' * 40}*a{']' * 40}\n")
    assert told.found == f"mappings and lists are nested more than {MAX_DEPTH} deep"
    assert told.origin == "x.yaml:2"


def test_the_number_of_values_is_bounded(problem, monkeypatch):
    monkeypatch.setattr("framework.config.compose.bounded_loader.MAX_NODES", 100)
    assert len(value("[" + "1," * 99 + "]")) == 99
    assert problem("[" + "1," * 100 + "]").found == "it holds more than 100 values"


def test_a_billion_laughs_are_refused_unexpanded(problem):
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    told = problem("\n".join(lines))
    assert told.found == f"its aliases expand to more than {MAX_NODES} values"
    assert told.origin == "x.yaml:5"


def test_merged_aliases_count_too(problem):
    lines = ["a0: &a0 {k0: 1, k1: 1}"]
    lines += [f"a{n}: &a{n} {{x: {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}}}" for n in range(1, 40)]
    assert "aliases expand to more than" in problem("\n".join(lines)).found


def test_an_alias_inside_its_own_anchor_is_refused(problem):
    told = problem("a: &a\n  b: *a\n")
    assert (told.found, told.origin) == ("the alias *a stands inside its own anchor", "x.yaml:2")


def test_what_is_no_text_is_refused_with_its_line(problem):
    told = problem(b"a: 1\nb: \xff\n")
    assert (told.found, told.origin) == ("byte 8 is not UTF-8", "x.yaml:2")
    assert problem("a: \x07\n").found.startswith("is not YAML: special characters are not allowed")


def test_a_folder_or_nothing_is_no_file(folder):
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        read(folder, "x.yaml")
    with pytest.raises(ConfigError, match="cannot be read: no such file or directory"):
        read(folder / "none.yaml", "x.yaml")


def test_leaves_are_scalars_and_empty_containers():
    tree = {"a": {"b": 1, "c": {}}, "d": [1, {"e": []}]}
    assert list(leaves(tree)) == [(("a", "b"), 1), (("a", "c"), {}), (("d", 0), 1), (("d", 1, "e"), [])]


def test_text_that_yaml_made_a_boolean_is_told_how_to_be_quoted(write, problems):
    write("name: no\n")
    (told,) = problems()
    assert told.found == "found false, a boolean, written no"
    assert told.expected == "text not empty; YAML reads no as false unless it is quoted"
    assert told.fix == "name=\"'no'\""
    assert told.origin == "mine.yaml:14"


def test_on_the_command_line_no_is_text(write):
    from framework.config.compose import load

    write()
    assert load("./mine.yaml", ["name=no"]).config.name == "no"


def test_a_number_that_yaml_made_of_text_is_shown_as_written(write, problems):
    write("run: {dir: 12:30:45}\n")
    (told,) = problems()
    assert told.found == "found 45045, a whole number, written 12:30:45"
    assert told.fix == "run.dir='12:30:45'"


def test_a_text_is_parsed_once_and_another_one_anew(folder):
    def of(text: str, shown: str = "x.yaml"):
        Path("x.yaml").write_text(text, encoding="utf-8")
        return read_shared(Path("x.yaml"), shown)

    first = of("a: 1\n")
    assert of("a: 1\n") is first
    assert of("a: 2\n").value == {"a": 2}
    assert of("a: 1\n", "y.yaml").origin() == "y.yaml:1"
