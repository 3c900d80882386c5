"""What every layer promises, checked on every operation that the schema knows."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import serialization
from layer_cases import CASES, call, example, init, inputs_of, layer, made_up, quick_key
from pydantic import ValidationError

from framework.config.schema.layers import LAYERS
from framework.core.errors import ConfigError
from framework.network.context import Context
from framework.network.layers import module_for

PARAMETRISED = [op for op, spec in LAYERS.items() if "param_dtype" in spec.model_fields]

family = pytest.mark.parametrize("op", LAYERS)


def close(left: Any, right: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(left, np.float64), np.asarray(right, np.float64), tolerance, tolerance)


def shapes(op: str, **overrides: Any) -> tuple[jax.ShapeDtypeStruct, Any]:
    """The output and the variables of a case, without computing anything."""
    case = CASES[op]
    module = layer(op, **case.arguments | overrides)

    def run(key: jax.Array, inputs: Any) -> Any:
        return module.init_with_output({"params": key, "dropout": key}, *inputs, context=Context(train=True))

    return jax.eval_shape(run, jax.random.key(0), inputs_of(case))


def test_every_layer_has_an_example() -> None:
    assert sorted(CASES) == sorted(LAYERS)


@family
def test_arguments_of_schema_and_module_are_the_same(op: str) -> None:
    module = {item.name: item for item in dataclasses.fields(module_for(op)) if item.name not in ("parent", "name")}
    schema = LAYERS[op].model_fields
    assert set(module) == set(schema)
    for name, item in schema.items():
        default = dataclasses.MISSING if item.is_required() else item.default
        assert module[name].default == default, name


@family
def test_the_output_has_the_expected_shape_dtype_and_parameters(op: str) -> None:
    case = CASES[op]
    output, variables = shapes(op)
    assert [(x.shape, x.dtype) for x in jax.tree.leaves(output)] == [(shape, case.dtype) for shape in case.outputs]
    parameters = jax.tree.leaves(variables.get("params", {}))
    assert sum(leaf.size for leaf in parameters) == case.parameters
    assert {str(leaf.dtype) for leaf in parameters} <= {"float32"}
    assert ("batch_stats" in variables) == LAYERS[op].stateful


@family
def test_evaluation_takes_one_row_without_a_key_and_changes_no_state(op: str) -> None:
    module, variables, inputs = example(op)
    own = len(inputs) - len(LAYERS[op].borrows)
    row = (*(x[:1] for x in inputs[:own]), *inputs[own:])
    one = jax.eval_shape(lambda: module.apply(variables, *row, context=Context()))
    assert [x.shape for x in jax.tree.leaves(one)] == [(1, *shape[1:]) for shape in CASES[op].outputs]


@family
def test_the_gradient_agrees_with_finite_differences(op: str) -> None:
    arguments = {"dtype": "float64"} if op == "cast" else {}
    with jax.enable_x64(True):
        module = layer(op, **CASES[op].arguments | arguments)
        inputs = jax.tree.map(wide, inputs_of(CASES[op]))
        variables = made_up(jax.eval_shape(lambda: init(module, *inputs)))
        statistics = {name: value for name, value in variables.items() if name != "params"}
        floats, whole = split((jax.tree.map(wide, variables.get("params", {})), inputs))
        random = np.random.default_rng(0)
        weights = [jnp.asarray(random.normal(size=shape)) for shape in CASES[op].outputs]

        @jax.jit
        @jax.value_and_grad
        def cost(point: Any) -> jax.Array:
            params, inputs = merge(point, whole)
            outputs = jax.tree.leaves(call(module, {"params": params, **statistics}, *inputs, train=True))
            return jnp.stack([jnp.sum(x * weight) for x, weight in zip(outputs, weights, strict=True)]).sum()

        point = [np.asarray(x) for x in floats]
        way = [random.normal(size=x.shape) for x in point]
        step = 1e-6
        ahead, behind = (cost([x + sign * step * v for x, v in zip(point, way, strict=True)])[0] for sign in (1, -1))
        slope = sum(np.vdot(g, v) for g, v in zip(cost(point)[1], way, strict=True))
    expected = 0.0 if op == "stop_gradient" else float(ahead - behind) / (2 * step)
    np.testing.assert_allclose(float(slope), expected, 1e-6, 1e-7)


def wide(x: jax.Array) -> jax.Array:
    return x.astype(jnp.float64) if jnp.issubdtype(x.dtype, jnp.inexact) else x


def split(tree: Any) -> tuple[list[jax.Array], tuple[Any, Any]]:
    """The real arrays of a tree, and what is needed to put them back."""
    leaves, form = jax.tree.flatten(tree)
    real = [jnp.issubdtype(x.dtype, jnp.inexact) for x in leaves]
    rest = [None if is_real else x for x, is_real in zip(leaves, real, strict=True)]
    return [x for x, is_real in zip(leaves, real, strict=True) if is_real], (rest, form)


def merge(real: list[jax.Array], whole: tuple[Any, Any]) -> Any:
    rest, form = whole
    found = iter(real)
    return jax.tree.unflatten(form, [next(found) if x is None else x for x in rest])


@family
def test_compiled_and_mapped_over_variables_and_inputs_it_equals_eager_calls(op: str) -> None:
    module, variables, inputs = example(op)
    calls = [(variables, inputs), (jax.tree.map(lambda x: 2 * x, variables), inputs_of(CASES[op], seed=5))]

    def one(variables: Any, inputs: Any) -> jax.Array:
        return call(module, variables, *inputs)

    together = jax.jit(jax.vmap(one))(*jax.tree.map(lambda *x: jnp.stack(x), *calls))
    for index, (own_variables, own_inputs) in enumerate(calls):
        alone = one(own_variables, own_inputs)
        jax.tree.map(lambda whole, part, index=index: close(whole[index], part), together, alone)


@family
def test_bfloat16_stays_near_float32(op: str) -> None:
    module, variables, inputs = example(op)
    half = {"dtype": "bfloat16"} if "dtype" in LAYERS[op].model_fields else {}
    lowered = layer(op, **CASES[op].arguments | half)
    few = jax.tree.map(lambda x: x.astype(jnp.bfloat16) if x.dtype == jnp.float32 else x, inputs)
    output = jax.jit(lambda variables, inputs: call(lowered, variables, *inputs))(variables, few)
    assert {x.dtype for x in jax.tree.leaves(output)} == {jnp.dtype(jnp.bfloat16)}
    jax.tree.map(lambda few, many: close(few, many, 0.06), output, call(module, variables, *inputs))


@pytest.mark.parametrize("op", PARAMETRISED)
def test_number_formats_are_those_asked_for(op: str) -> None:
    output, variables = shapes(op, dtype="bfloat16", param_dtype="float16")
    assert output.dtype == jnp.bfloat16
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(variables["params"])} == {"float16"}
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables.get("batch_stats", {})))


@pytest.mark.parametrize("op", [op for op, spec in LAYERS.items() if spec.stochastic])
def test_one_key_gives_one_result_and_another_key_another(op: str) -> None:
    _, variables, inputs = example(op)
    rates = {name: 0.5 for name in ("rate", "dropout") if name in LAYERS[op].model_fields}
    module = layer(op, **CASES[op].arguments | rates)
    run = jax.jit(lambda key: module.apply(variables, *inputs, context=Context(train=True), rngs={"dropout": key}))
    first, second, other = (run(quick_key(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.any(first != other)


def test_one_key_gives_one_initialisation_and_another_key_another() -> None:
    module, _, inputs = example("dense")
    first, second, other = (init(module, *inputs, seed=seed)["params"]["kernel"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.all(first != other)


@pytest.mark.parametrize("op", [op for op, spec in LAYERS.items() if not spec.stochastic])
def test_what_is_not_stochastic_needs_no_key(op: str) -> None:
    module, variables, inputs = example(op)
    context = Context(train=True)
    jax.eval_shape(lambda: module.apply(variables, *inputs, context=context, mutable=["batch_stats"]))


@family
def test_what_holds_parameters_has_number_formats_for_them(op: str) -> None:
    formats = {"dtype", "param_dtype"} & set(LAYERS[op].model_fields)
    assert (formats == {"dtype", "param_dtype"}) == (CASES[op].parameters > 0)


@family
def test_a_layer_and_its_variables_survive_being_written_and_read(op: str) -> None:
    spec = LAYERS[op](**CASES[op].arguments)
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec
    assert hash(again) == hash(spec)
    module, variables, _ = example(op)
    assert pickle.loads(pickle.dumps(module)) == module
    assert hash(module) == hash(layer(op, **CASES[op].arguments))
    blank = jax.tree.map(np.zeros_like, variables)
    back = serialization.from_bytes(blank, serialization.to_bytes(variables))
    jax.tree.map(np.testing.assert_array_equal, back, variables)


@family
def test_an_unknown_argument_is_refused(op: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        LAYERS[op](**CASES[op].arguments | {"wrong": 1})


@family
def test_a_value_of_the_wrong_kind_is_refused(op: str) -> None:
    for name in LAYERS[op].model_fields:
        with pytest.raises(ValidationError) as caught:
            LAYERS[op](**CASES[op].arguments | {name: {"not": "this"}})
        assert {error["loc"][0] for error in caught.value.errors()} == {name}


@family
def test_the_documentation_is_complete(op: str) -> None:
    spec = LAYERS[op]
    assert spec.summary().endswith((".", ")."))
    assert len(spec.summary()) <= 100
    assert "->" in spec.shape
    assert [name for name, item in spec.model_fields.items() if not item.description] == []


def test_an_unknown_layer_is_told_with_the_closest_one() -> None:
    with pytest.raises(ConfigError, match="unknown layer 'denze'") as caught:
        module_for("denze")
    assert caught.value.problems[0].fix == "dense"
