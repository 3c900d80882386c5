"""What every metric promises, checked on every type that the schema knows."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import cache
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from framework.config.schema.base import WireMark, has_mark
from framework.config.schema.metrics import Metric as MetricField
from framework.config.schema.metrics import MetricSpec
from framework.objectives import metrics
from framework.objectives.metrics import Metric

EVERY: list[type[MetricSpec]] = list(get_args(get_args(MetricField)[0]))
# A formula has whatever inputs it names; `test_expressions.py` has its claims.
TYPES = [spec for spec in EVERY if spec.type_name() != "expr"]
CLASSES = 3
ROWS = 24
KEY = jax.random.key(0)
CHOSEN = {"classes": CLASSES, "k": 2, "bins": 256}

family = pytest.mark.parametrize("spec", TYPES, ids=lambda spec: spec.type_name())


def declared(spec: type[MetricSpec]) -> MetricSpec:
    chosen = {name: value for name, value in CHOSEN.items() if name in spec.model_fields}
    return spec.model_validate({"type": spec.type_name()} | chosen)


def wires(spec: type[MetricSpec]) -> list[str]:
    return [name for name, field in spec.model_fields.items() if has_mark(field, WireMark)]


def arguments(spec: type[MetricSpec]) -> dict[str, Any]:
    return {name: value for name, value in declared(spec).arguments().items() if name not in wires(spec)}


@cache
def made(spec: type[MetricSpec]) -> Metric:
    """The metric with its parts compiled, each once for all tests."""
    metric = getattr(metrics, spec.type_name())(**arguments(spec))
    parts = {name: jax.jit(getattr(metric, name)) for name in ("measure", "merge", "compute")}
    return replace(metric, **parts)


def arrays(spec: type[MetricSpec], key: jax.Array = KEY) -> dict[str, jax.Array]:
    first, second = jax.random.split(key)
    if wires(spec) == ["logits", "labels"]:
        labels = jax.random.permutation(second, jnp.arange(ROWS) % CLASSES)
        return {"logits": jax.random.normal(first, (ROWS, CLASSES)), "labels": labels}
    targets = jax.random.normal(second, (ROWS,))
    return {"predictions": targets + jax.random.normal(first, (ROWS,)), "targets": targets}


def whole(metric: Metric, wired: dict[str, jax.Array], mask: Any = None) -> Any:
    return metric.update(metric.init(), mask, **wired)


def rows(wired: dict[str, jax.Array], start: int, stop: int) -> dict[str, jax.Array]:
    return {name: array[start:stop] for name, array in wired.items()}


def same(one: Any, other: Any) -> None:
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-6), one, other)


def test_the_schema_and_the_room_know_the_same_metrics() -> None:
    assert sorted(spec.type_name() for spec in EVERY) == sorted(set(metrics.__all__) - {"Metric"})


@family
def test_schema_and_function_have_the_same_arguments_and_defaults(spec: type[MetricSpec]) -> None:
    parameters = inspect.signature(getattr(metrics, spec.type_name())).parameters
    assert {p.kind for p in parameters.values()} <= {inspect.Parameter.KEYWORD_ONLY}
    defaults = {name: field.default for name, field in spec.model_fields.items() if name not in ("type", *wires(spec))}
    required = {name for name, field in spec.model_fields.items() if field.is_required()} - {"type"}
    assert parameters.keys() == defaults.keys()
    for name, parameter in parameters.items():
        assert parameter.default == (inspect.Parameter.empty if name in required else defaults[name])


@family
def test_the_wires_are_those_of_the_schema(spec: type[MetricSpec]) -> None:
    assert list(made(spec).wires) == wires(spec)
    for name in wires(spec):
        assert getattr(declared(spec), name).split(".")[0] in ("batch", "outputs")


@family
def test_a_state_keeps_its_structure_shapes_and_types(spec: type[MetricSpec]) -> None:
    metric = made(spec)
    described = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), metric.init())
    state = whole(metric, arrays(spec))
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state) == described
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), metric.merge(state, state)) == described


@family
def test_parts_merge_to_the_state_of_the_whole_in_any_order(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    parts = [whole(metric, rows(wired, *ends)) for ends in ((0, 5), (5, 6), (6, ROWS))]
    expected = whole(metric, wired)
    one = metric.merge(metric.merge(parts[0], parts[1]), parts[2])
    other = metric.merge(parts[2], metric.merge(parts[1], parts[0]))
    same(metric.compute(one), metric.compute(expected))
    same(metric.compute(other), metric.compute(expected))
    if all(jnp.issubdtype(leaf.dtype, jnp.integer) for leaf in jax.tree.leaves(expected)):
        jax.tree.map(np.testing.assert_array_equal, one, expected)


@family
def test_updates_one_after_another_are_merges(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    state = metric.init()
    for start in range(0, ROWS, 8):
        state = metric.update(state, None, **rows(wired, start, start + 8))
    same(metric.compute(state), metric.compute(whole(metric, wired)))


@family
def test_the_empty_state_changes_nothing(spec: type[MetricSpec]) -> None:
    metric = made(spec)
    state = whole(metric, arrays(spec))
    jax.tree.map(np.testing.assert_array_equal, metric.merge(metric.init(), state), state)
    jax.tree.map(np.testing.assert_array_equal, metric.merge(state, metric.init()), state)


@family
def test_masked_rows_do_not_count_whatever_they_hold(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    first, second = wired
    junk = {first: wired[first].at[20:].set(jnp.nan), second: wired[second].at[20:].set(-1)}
    for mask in (jnp.arange(ROWS) < 20, (jnp.arange(ROWS) < 20).astype(jnp.float32)):
        same(metric.compute(whole(metric, junk, mask)), metric.compute(whole(metric, rows(wired, 0, 20))))


@family
def test_no_rows_give_no_number_rather_than_a_wrong_one(spec: type[MetricSpec]) -> None:
    metric = made(spec)
    for state in (metric.init(), whole(metric, arrays(spec), jnp.zeros(ROWS))):
        result = metric.compute(state)
        if spec.type_name() in ("f1", "precision", "recall", "confusion"):
            np.testing.assert_array_equal(result, jnp.zeros_like(result))
        else:
            assert np.isnan(result)


@family
def test_jit_and_scan_over_batches_give_the_same(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    batches = {name: array.reshape(3, ROWS // 3) for name, array in wired.items() if array.ndim == 1}
    batches |= {name: array.reshape(3, ROWS // 3, -1) for name, array in wired.items() if array.ndim > 1}

    @jax.jit
    def evaluate(batches: dict[str, jax.Array]) -> Any:
        def step(state: Any, batch: dict[str, jax.Array]) -> tuple[Any, None]:
            return metric.update(state, jnp.ones(ROWS // 3), **batch), None

        return metric.compute(jax.lax.scan(step, metric.init(), batches)[0])

    same(evaluate(batches), metric.compute(whole(metric, wired)))


@family
def test_vmap_measures_several_models_at_once(spec: type[MetricSpec]) -> None:
    metric = made(spec)
    both = [arrays(spec, jax.random.key(seed)) for seed in (1, 2)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *both)
    together = jax.vmap(lambda wired: metric.compute(whole(metric, wired)))(stacked)
    for index, wired in enumerate(both):
        same(together[index], metric.compute(whole(metric, wired)))


@family
def test_half_precision_outputs_are_measured_in_float32(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    first = next(iter(wired))
    half = wired | {first: wired[first].astype(jnp.bfloat16)}
    rounded = wired | {first: half[first].astype(jnp.float32)}
    same(metric.compute(whole(metric, half)), metric.compute(whole(metric, rounded)))


@family
def test_a_better_model_has_the_better_value(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    first, second = wired
    right = 5 * jnp.eye(CLASSES)[wired[second]] if first == "logits" else wired[second]
    if metric.kind == "matrix":
        assert np.trace(metric.compute(whole(metric, {first: right, second: wired[second]}))) == ROWS
        return
    better = metric.compute(whole(metric, {first: right, second: wired[second]}))
    worse = metric.compute(whole(metric, wired))
    assert (better > worse) == metric.higher_is_better


@family
def test_arrays_of_other_lengths_are_refused(spec: type[MetricSpec]) -> None:
    metric, wired = made(spec), arrays(spec)
    first, second = wired
    with pytest.raises(ValueError, match=r"must (have one|be the labels') shape"):
        whole(metric, {first: wired[first], second: wired[second][:7]})


@pytest.mark.parametrize(
    ("declaration", "where", "sentence"),
    [
        ({"type": "acuracy"}, (), "does not match any of the expected tags"),
        ({"type": "f1"}, ("f1", "classes"), "Field required"),
        ({"type": "f1", "classes": 1}, ("f1", "classes"), "greater than or equal to 2"),
        ({"type": "f1", "classes": 3, "average": "samples"}, ("f1", "average"), "'macro', 'micro', 'weighted'"),
        ({"type": "f1", "classes": 3, "average": "binary"}, ("f1",), "average=binary needs 2 classes"),
        ({"type": "top_k", "k": 0}, ("top_k", "k"), "greater than or equal to 1"),
        ({"type": "accuracy", "threshold": 1.0}, ("accuracy", "threshold"), "less than 1"),
        ({"type": "mse", "outputs": 2}, ("mse", "outputs"), "Extra inputs are not permitted"),
        ({"type": "auroc", "classes": 2, "bins": 1}, ("auroc", "bins"), "greater than or equal to 2"),
    ],
)
def test_the_schema_refuses_what_no_metric_takes(
    declaration: dict[str, Any], where: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        TypeAdapter(MetricField).validate_python(declaration)
    assert [error["loc"] for error in caught.value.errors()] == [where]
