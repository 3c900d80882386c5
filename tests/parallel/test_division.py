"""What is divided over which axis: rules in order, the largest dimension that divides, and what is said otherwise."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from framework.core.errors import ConfigError
from framework.parallel.division import Divided, divide
from framework.parallel.rules import Rule


def leaf(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def rule(pattern: str, *spec: str | None, name: str = "mine", optional: bool = False) -> Rule:
    return Rule(name, re.compile(pattern), spec, optional)


def divided(shapes: dict[str, Any], *rules: Rule, fsdp: int = 1, tensor: int = 1, **settings: Any) -> Divided:
    leaves = {path: leaf(*shape) for path, shape in shapes.items()}
    return divide(leaves, {"data": 2, "fsdp": fsdp, "tensor": tensor}, rules=rules, **settings)


def problem(*arguments: Any, **settings: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        divided(*arguments, **settings)
    return str(caught.value)


def test_fsdp_divides_the_largest_dimension_that_divides() -> None:
    found = divided({"params.a": (6, 24, 16), "params.b": (12, 30), "params.c": (16, 16)}, fsdp=8)
    assert found.leaves["params.a"].spec == (None, "fsdp", None)
    assert found.leaves["params.b"].spec == (None, None)
    assert found.leaves["params.c"].spec == ("fsdp", None), "of equal dimensions the first"


def test_a_parameter_below_min_size_is_whole_and_one_at_it_is_not() -> None:
    found = divided({"params.a": (4, 8), "params.b": (31,)}, fsdp=4, min_size=32)
    assert found.leaves["params.a"].spec == (None, "fsdp")
    assert found.leaves["params.b"].spec == (None,)
    assert found.warnings == (), "what is too small on purpose is not complained about"


def test_copies_of_a_layer_are_not_divided_among_devices() -> None:
    found = divided({"params.stack.kernel": (64, 8, 8)}, fsdp=8, stacked={"stack.kernel": 1})
    assert found.leaves["params.stack.kernel"].spec == (None, "fsdp", None)


def test_parameters_that_do_not_divide_are_told_with_their_shapes() -> None:
    (warning,) = divided({"params.a": (8, 8), "params.b": (5, 3)}, fsdp=4).warnings
    assert warning.startswith("1 of 2 parameters are not divided over 'fsdp'")
    assert "among its 4 devices: b [5, 3]" in warning


def test_the_first_rule_that_matches_wins() -> None:
    rules = (rule("dense", "tensor", None, name="one"), rule("kernel", None, "tensor", name="two"))
    found = divided({"params.dense.kernel": (4, 6), "params.other.kernel": (4, 6)}, *rules, tensor=2)
    assert found.leaves["params.dense.kernel"].spec == ("tensor", None)
    assert found.leaves["params.other.kernel"].spec == (None, "tensor")
    assert [leaf.why for leaf in found.leaves.values()] == ["one", "two"]


def test_a_spec_names_the_last_dimensions() -> None:
    shapes = {"params.kernel": (9, 3, 4, 6), "params.bias": (6,)}
    found = divided(shapes, rule("kernel|bias", "tensor", None), tensor=2)
    assert found.leaves["params.kernel"].spec == (None, None, "tensor", None)
    assert found.leaves["params.bias"].spec == (None,), "an array of fewer dimensions is not matched"


def test_fsdp_takes_a_dimension_that_tensor_left() -> None:
    found = divided({"params.kernel": (8, 64)}, rule("kernel", None, "tensor"), fsdp=4, tensor=2)
    assert found.leaves["params.kernel"].spec == ("fsdp", "tensor")
    assert found.leaves["params.kernel"].parts(found.axes) == 8


def test_axes_of_size_one_divide_nothing() -> None:
    found = divided({"params.kernel": (7, 5)}, rule("kernel", None, "tensor"))
    assert found.leaves["params.kernel"].spec == (None, None)


def test_a_dimension_that_does_not_divide_is_an_error_with_the_numbers() -> None:
    text = problem({"params.logits.kernel": (8, 97)}, rule("logits", None, "tensor", name="out"), tensor=2)
    assert text == (
        "parallel.rules.out: logits.kernel [8, 97] has 97 in dimension 1, which the 2 devices of the axis 'tensor' do "
        "not divide\n  expected:  a multiple of 2\n  fix:       ++parallel.rules.out.optional=true keeps it whole"
    )


def test_an_optional_rule_keeps_it_whole_and_says_so() -> None:
    shapes = {"params.logits.kernel": (8, 97), "params.hidden.kernel": (8, 8)}
    found = divided(shapes, rule("kernel", None, "tensor", optional=True), tensor=2)
    assert found.leaves["params.logits.kernel"].spec == (None, None)
    assert found.leaves["params.hidden.kernel"].spec == (None, "tensor")
    (warning,) = found.warnings
    assert "97 in dimension 1" in warning and warning.endswith("it is kept whole")


def test_a_rule_that_matches_nothing_is_told_unless_it_is_optional() -> None:
    shapes = {"params.kernel": (4, 4)}
    used, unused = rule("kernel", "tensor", None, name="used"), rule("kernal", "tensor", name="unused")
    (warning,) = divided(shapes, used, unused, tensor=2).warnings
    assert warning.startswith("parallel.rules.unused: 'kernal'") and "there are kernel" in warning
    assert divided(shapes, used, rule("kernal", "tensor", optional=True), tensor=2).warnings == ()


def test_an_axis_that_divides_no_parameter_is_an_error() -> None:
    text = problem({"params.kernel": (4, 4)}, rule("other", "tensor", optional=True), tensor=2)
    assert "parallel.rules: no parameter is divided over the 2 devices of the axis 'tensor'" in text
    assert "fix:       parallel=data" in text


def test_one_axis_for_two_dimensions_is_an_error() -> None:
    text = problem({"params.kernel": (4, 4)}, rule("kernel", "tensor", "tensor"), tensor=2)
    assert "parallel.rules.mine.spec: the spec of kernel divides two dimensions over one axis" in text


def test_every_problem_is_told_at_once() -> None:
    shapes = {"params.a.kernel": (4, 5), "params.b.kernel": (4, 7)}
    text = problem(shapes, rule("kernel", None, "tensor"), tensor=2)
    assert "a.kernel [4, 5]" in text and "b.kernel [4, 7]" in text


def test_the_rest_of_the_state_follows_the_parameter_whose_path_it_ends_with() -> None:
    shapes = {
        "step": (),
        "params.kernel": (3, 8),
        "params.hidden.kernel": (8, 2),
        "opt_state.0.mu.hidden.kernel": (8, 2),
        "opt_state.0.mu.kernel": (3, 8),
        "opt_state.0.count": (),
        "ema.hidden.kernel": (8, 2),
        "rng": (2,),
    }
    found = divided(shapes, fsdp=4)
    specs = {path: division.spec for path, division in found.leaves.items()}
    assert specs["opt_state.0.mu.hidden.kernel"] == specs["ema.hidden.kernel"] == ("fsdp", None)
    assert specs["opt_state.0.mu.kernel"] == (None, "fsdp")
    assert specs["step"] == specs["opt_state.0.count"] == () and specs["rng"] == (None,)


def test_factored_moments_are_divided_by_their_own_shape() -> None:
    shapes = {"params.kernel": (8, 6), "opt_state.v_row.kernel": (8,), "opt_state.v_col.kernel": (6,)}
    found = divided(shapes, fsdp=4)
    assert found.leaves["opt_state.v_row.kernel"].spec == ("fsdp",)
    assert found.leaves["opt_state.v_col.kernel"].spec == (None,)


def test_each_device_holds_its_share_of_what_divides() -> None:
    shapes = {"params.kernel": (1024, 64), "opt_state.mu.kernel": (1024, 64), "params.bias": (3,)}
    found = divided(shapes, fsdp=8, min_size=4)
    assert found.device_bytes == 2 * 4 * 1024 * 64 // 8 + 4 * 3
