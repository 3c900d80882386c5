"""Interpolations: what they resolve to, what ends a cycle or an explosion, and which resolvers there are."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from framework.config.compose import load
from framework.config.compose.bounds import (
    MAX_INTERPOLATION_CHAIN,
    MAX_INTERPOLATION_CHARACTERS,
    MAX_NODES,
    MAX_RESOLVED_CHARACTERS,
)
from framework.config.compose.resolve import Resolved

SAME = {
    "a value": {"a": 1, "b": "${a}"},
    "text around": {"a": 1, "b": "<${a}>"},
    "a float in text": {"a": 1e-5, "b": "rate ${a}"},
    "two": {"a": "x", "b": "y", "c": "${a}-${b}"},
    "a section": {"a": {"x": 1, "y": [1, 2]}, "b": "${a}"},
    "a section that reads another": {"a": {"x": "${c}"}, "b": "${a}", "c": 3},
    "inside a section": {"a": {"x": 1}, "b": "${a.x}"},
    "an item": {"a": [5, 6], "b": "${a.1}", "c": "${a[0]}"},
    "a sibling": {"s": {"x": 1, "y": "${.x}"}},
    "a sibling of the section": {"x": 2, "s": {"y": "${..x}"}},
    "beside in a list": {"x": 2, "s": ["${..x}", "${x}"]},
    "a key that is read": {"which": "x", "s": {"x": 1}, "b": "${s.${which}}"},
    "a chain": {"a": "${b}", "b": "${c}", "c": 4},
    "through a section that is read": {"a": {"x": {"y": 7}}, "b": "${a}", "c": "${b.x.y}"},
    "null": {"a": None, "b": "${a}"},
    "null in text": {"a": None, "b": "<${a}>"},
    "escaped": {"a": 1, "b": "\\${a}", "c": "\\\\${a}"},
    "quotes": {"a": "it's", "b": "'${a}'"},
    "env with a default": {"b": "${oc.env:FRAMEWORK_TEST_NOTHING,5}", "c": "${oc.env:FRAMEWORK_TEST_NOTHING,null}"},
    "decoded env": {"b": "${oc.decode:${oc.env:FRAMEWORK_TEST_NOTHING,5}}"},
    "decoded list": {"a": 1, "b": "${oc.decode:'[1, ${a}]'}"},
    "select with a default": {"b": "${oc.select:nothing.here,8}", "a": 1, "c": "${oc.select:a,8}"},
    "keys": {"s": {"x": 1, "y": 2}, "b": "${oc.dict.keys:s}", "c": "${oc.dict.values:s}"},
}


@pytest.mark.parametrize("case", SAME, ids=lambda case: case.replace(" ", "-"))
def test_resolves_as_omegaconf_does(case):
    result = Resolved(SAME[case])
    assert result.problems == []
    assert result.tree == OmegaConf.to_container(OmegaConf.create(SAME[case]), resolve=True)


def test_what_is_copied_is_a_copy():
    tree = Resolved({"a": {"x": [1]}, "b": "${a}"}).tree
    tree["b"]["x"].append(2)
    assert tree["a"] == {"x": [1]}


def test_the_texts_as_written_are_kept():
    assert Resolved({"a": 1, "s": {"b": "${a}", "c": ["x", "${a}"]}}).texts == {"s.b": "${a}", "s.c.1": "${a}"}


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("FRAMEWORK_TEST_SEED", "12")
    assert Resolved({"a": "${oc.env:FRAMEWORK_TEST_SEED}"}).tree == {"a": "12"}
    assert Resolved({"a": "${oc.decode:${oc.env:FRAMEWORK_TEST_SEED}}"}).tree == {"a": 12}


def test_the_time_is_one_instant_for_the_whole_tree():
    tree = Resolved({"a": "${now:%Y %f}", "b": "${now:%Y %f}"}).tree
    assert tree["a"] == tree["b"]
    assert tree["a"].split()[0].isdigit()


def test_what_reads_a_missing_value_is_missing_and_no_problem_of_its_own():
    result = Resolved({"a": "???", "b": "${a}", "c": "x${a}"})
    assert (result.tree, result.problems) == ({"a": "???", "b": "???", "c": "???"}, [])


def test_a_missing_value_is_told_once_and_not_for_its_readers(write, problems):
    write("optimizer: {clip_norm: ???}\nrun: {dir: 'runs/${optimizer.clip_norm}'}\n")
    assert [problem.key for problem in problems()] == ["optimizer.clip_norm"]


CYCLES = {
    "itself": ({"a": "${a}"}, "a -> a"),
    "two": ({"a": "${b}", "b": "x${a}"}, "a -> b -> a"),
    "three": ({"a": "${b}", "b": "${c}", "c": "${a}"}, "a -> b -> c -> a"),
    "a section that holds it": ({"s": {"x": "${s}"}}, "s.x -> s.x"),
    "sections that hold each other": ({"s": {"x": "${t}"}, "t": {"y": "${s}"}}, "s.x -> t.y -> s.x"),
}


@pytest.mark.parametrize("case", CYCLES, ids=lambda case: case.replace(" ", "-"))
def test_a_cycle_is_told_once_with_its_chain(case):
    tree, chain = CYCLES[case]
    (problem,) = Resolved(tree).problems
    assert problem.found == f"interpolations go round in a circle: {chain}"
    assert problem.key == chain.partition(" ")[0]


def test_one_cause_is_told_once_at_its_place_whatever_reads_it():
    result = Resolved({"c": "${a}", "a": "${b}", "b": "${a}", "d": "${e}", "e": "${nothing}"})
    assert [problem.key for problem in result.problems] == ["a", "e"]
    assert set(result.tree.values()) == {"???"}


REFUSED = {
    "nothing of that name": (
        {"data": {"classes": 10}, "a": "${data.clases}"},
        "the interpolation ${data.clases} names a key that is not set",
        "a='${data.classes}'",
    ),
    "elsewhere": (
        {"data": {"classes": 10}, "a": "${classes}"},
        "the interpolation ${classes} names a key that is not set",
        "a='${data.classes}'",
    ),
    "no item": ({"x": [1], "a": "${x.3}"}, "the interpolation ${x.3} names a key that is not set", "x.3=<a value>"),
    "inside a scalar": (
        {"x": 1, "a": "${x.y}"},
        "the interpolation ${x.y} names a key that is not set",
        "x.y=<a value>",
    ),
    "above the root": ({"a": "${...x}"}, "the interpolation ${x} names a key that is not set", "x=<a value>"),
    "not closed": ({"a": "${x"}, "the interpolation '${x' is not closed", None),
    "empty": ({"a": "${}"}, "the interpolation '${}' cannot be read", None),
    "an unset variable": (
        {"a": "${oc.env:FRAMEWORK_TEST_NOTHING}"},
        "the environment variable FRAMEWORK_TEST_NOTHING is not set",
        "FRAMEWORK_TEST_NOTHING=VALUE fw ..., or ${oc.env:FRAMEWORK_TEST_NOTHING,DEFAULT} in the recipe",
    ),
    "an unknown resolver": ({"a": "${eval:1+1}"}, "the resolver 'eval' is not available", "a=<the value itself>"),
    "a resolver by a name that is read": (
        {"n": "eval", "a": "${${n}:1}"},
        "the resolver 'eval' is not available",
        "a=<the value itself>",
    ),
    "hydra outside a sweep": (
        {"a": "${hydra:job.num}"},
        "${hydra:...} has a value only in a job of a sweep",
        "run the sweep with -m, or leave it out",
    ),
    "a key that is no text": ({"n": 3, "a": "${s.${n}}"}, None, "a=<a value>"),
    "too many arguments": ({"a": "${oc.env:A,b,c}"}, None, None),
    "keys of no mapping": (
        {"x": 1, "a": "${oc.dict.keys:x}"},
        "${oc.dict.keys:x} cannot be evaluated: x is no mapping",
        None,
    ),
    "too deep": ({"a": "${" * 40 + "x" + "}" * 40}, "an interpolation is nested more than 32 deep", None),
    "too long": (
        {"b": 1, "a": "x" * MAX_INTERPOLATION_CHARACTERS + "${b}"},
        f"a text with an interpolation has {MAX_INTERPOLATION_CHARACTERS + 4} characters",
        None,
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_cannot_be_resolved_is_told(case):
    tree, found, fix = REFUSED[case]
    result = Resolved(tree)
    (problem,) = result.problems
    assert problem.key == "a"
    assert result.tree["a"] == "???"
    assert found is None or problem.found == found
    assert problem.fix == fix if fix else problem.fix


def test_a_resolver_that_somebody_registered_is_not_reachable(write, problems):
    calls = []
    OmegaConf.register_new_resolver("framework_test_evil", lambda *_: calls.append(1))
    try:
        write("name: '${framework_test_evil:x}'\nseed: ${oc.decode:'${framework_test_evil:x}'}\n")
        assert [problem.found for problem in problems()] == ["the resolver 'framework_test_evil' is not available"] * 2
    finally:
        OmegaConf.clear_resolver("framework_test_evil")
    assert calls == []


def test_no_resolver_is_called_while_files_are_merged(write, problems):
    """OmegaConf resolves an interpolation when another file is merged onto it; nothing of that may happen here."""
    calls = []
    OmegaConf.register_new_resolver("framework_test_evil", lambda *_: calls.append(1))
    try:
        write("report: ${framework_test_evil:x}\n", "base.yaml", whole=True)
        write("defaults: [base, _self_]\nreport: {figures: false}\n", whole=True)
        problems()
    finally:
        OmegaConf.clear_resolver("framework_test_evil")
    assert calls == []


def test_a_section_written_over_an_interpolation_takes_its_place(write):
    write("checkpoint: ${report}\n", "base.yaml")
    write("defaults: [base, _self_]\ncheckpoint: {keep: 7}\n", whole=True)
    assert load("./mine.yaml").tree["checkpoint"] == {"keep": 7}


def test_nested_chains_that_outgrow_the_stack_are_told():
    tree = {f"a{n}": "${" * 30 + f"a{n + 1}" + "}" * 30 for n in range(40)} | {"a40": "a40"}
    assert {problem.found for problem in Resolved(tree).problems} <= {
        "interpolations are nested too deep in one another",
        f"more than {MAX_INTERPOLATION_CHAIN} interpolations read one another",
    }


def test_a_long_chain_is_bounded():
    tree = {f"a{n}": f"${{a{n + 1}}}" for n in range(100)} | {"a100": 1}
    result = Resolved(tree)
    assert result.problems[0].found == f"more than {MAX_INTERPOLATION_CHAIN} interpolations read one another"
    assert result.problems[0].key == "a0"
    assert result.tree["a100"] == 1


def test_text_that_grows_exponentially_is_bounded():
    tree = {"a0": "ha" * 10} | {f"a{n}": f"${{a{n - 1}}}" * 10 for n in range(1, 40)}
    found = {problem.found for problem in Resolved(tree).problems}
    assert f"interpolations make a text of more than {MAX_RESOLVED_CHARACTERS} characters" in found


def test_sections_that_grow_exponentially_are_bounded():
    tree = {"a0": {"x": 1, "y": 2}} | {f"a{n}": dict.fromkeys("abcdefghij", f"${{a{n - 1}}}") for n in range(1, 40)}
    (problem,) = Resolved(tree).problems
    assert problem.found == f"interpolations copy more than {MAX_NODES} values"


def test_many_long_texts_are_bounded_together():
    tree = {"a": "x" * 60_000} | {f"b{n}": "${a}!" for n in range(1000)}
    assert any("characters of text" in problem.found for problem in Resolved(tree).problems)


def test_a_cycle_through_recipe_and_override_is_told_with_both(write, problems):
    write("run: {dir: '${name}'}\n")
    (problem,) = problems(["name=${run.dir}"])
    assert problem.found == "interpolations go round in a circle: name -> run.dir -> name"
    assert problem.origin == "override name=${run.dir}"


def test_an_override_may_hold_an_interpolation(write):
    write()
    assert load("./mine.yaml", ["seed=${data.batch_size}"]).config.seed == 128
