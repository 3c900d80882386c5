"""Schedules: exact ends, the written-out formulas, and what every schedule promises."""

from __future__ import annotations

import inspect
import math
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from framework.config.schema.base import TracedMark, has_mark
from framework.config.schema.optimizers import Schedule, ScheduleSpec
from framework.optim import make_schedule, schedules

TYPES: list[type[ScheduleSpec]] = list(get_args(get_args(Schedule)[0]))
TOTAL, WARMUP, FINAL = 100, 10, 0.25
CHOSEN: dict[str, dict[str, Any]] = {
    "step": {"every_steps": 30, "factor": 0.5},
    "piecewise": {"boundaries": [20, 60], "fractions": [0.5, 0.1]},
    "inverse_sqrt": {"timescale": 20},
}
STEPS = np.arange(TOTAL + 1)

family = pytest.mark.parametrize("spec", TYPES, ids=lambda spec: spec.type_name())


def declared(spec: type[ScheduleSpec], **arguments: Any) -> ScheduleSpec:
    return spec.model_validate({"type": spec.type_name()} | CHOSEN.get(spec.type_name(), {}) | arguments)


def shares(schedule: schedules.Schedule) -> np.ndarray:
    return np.asarray(jax.vmap(schedule)(STEPS))


def test_the_schema_and_the_room_know_the_same_schedules() -> None:
    functions = {name for name, item in vars(schedules).items() if inspect.isfunction(item) and name[0] != "_"}
    assert {spec.type_name() for spec in TYPES} == functions


@family
def test_schema_and_function_have_the_same_arguments_and_defaults(spec: type[ScheduleSpec]) -> None:
    parameters = inspect.signature(getattr(schedules, spec.type_name())).parameters
    assert {p.kind for p in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}
    fields = {name: field for name, field in spec.model_fields.items() if name not in ("type", "warmup_fraction")}
    assert parameters.keys() == {"total_steps", *fields}
    for name, field in fields.items():
        expected = inspect.Parameter.empty if field.is_required() else field.default
        assert parameters[name].default == expected


@family
def test_warmup_rises_in_equal_steps_to_exactly_one(spec: type[ScheduleSpec]) -> None:
    share = shares(make_schedule(declared(spec, warmup_steps=WARMUP), {}, total_steps=TOTAL))
    np.testing.assert_allclose(share[:WARMUP], np.arange(1, WARMUP + 1) / (WARMUP + 1), rtol=1e-6)
    assert share[WARMUP] == 1.0


@family
def test_without_warmup_the_first_step_takes_the_full_learning_rate(spec: type[ScheduleSpec]) -> None:
    assert shares(make_schedule(declared(spec), {}, total_steps=TOTAL))[0] == 1.0


@family
def test_shares_never_rise_after_the_warmup_and_stay_between_zero_and_one(spec: type[ScheduleSpec]) -> None:
    share = shares(make_schedule(declared(spec, warmup_steps=WARMUP), {}, total_steps=TOTAL))
    assert (np.diff(share[WARMUP:]) <= 1e-7).all()
    assert (share >= 0).all()
    assert (share <= 1).all()


@family
def test_a_warmup_fraction_is_a_share_of_all_steps(spec: type[ScheduleSpec]) -> None:
    by_fraction = make_schedule(declared(spec, warmup_fraction=WARMUP / TOTAL), {}, total_steps=TOTAL)
    by_steps = make_schedule(declared(spec, warmup_steps=WARMUP), {}, total_steps=TOTAL)
    np.testing.assert_array_equal(shares(by_fraction), shares(by_steps))


@family
def test_a_warmup_longer_than_the_run_stays_finite_and_below_one(spec: type[ScheduleSpec]) -> None:
    share = shares(make_schedule(declared(spec, warmup_steps=3 * TOTAL), {}, total_steps=TOTAL))
    assert np.isfinite(share).all()
    assert share.max() < 0.5


@family
def test_traced_arguments_come_from_hyper_and_can_be_mapped_over(spec: type[ScheduleSpec]) -> None:
    names = [name for name, field in spec.model_fields.items() if has_mark(field, TracedMark)]
    values = jnp.asarray([0.125, 0.5])

    def at_many(value: jax.Array) -> jax.Array:
        hyper = {f"optimizer.schedule.{name}": value for name in names}
        return jax.vmap(make_schedule(declared(spec), hyper, total_steps=TOTAL))(STEPS)

    together = jax.jit(lambda values: jax.vmap(lambda _, value: at_many(value))(jnp.arange(2), values))(values)
    for index, value in enumerate((0.125, 0.5)):
        alone = make_schedule(declared(spec, **dict.fromkeys(names, value)), {}, total_steps=TOTAL)
        np.testing.assert_allclose(together[index], shares(alone), rtol=1e-6)


@pytest.mark.parametrize("name", ["linear", "cosine", "exponential"])
@pytest.mark.parametrize("final", [0.1, 0.3, 0.7, 1.0])
def test_the_final_fraction_is_met_exactly_at_total_steps_and_kept(name: str, final: float) -> None:
    schedule = getattr(schedules, name)(total_steps=TOTAL, warmup_steps=7, final_fraction=final)
    assert schedule(TOTAL) == schedule(10 * TOTAL) == np.float32(final)
    assert schedule(7) == 1.0


def test_linear_and_cosine_fall_to_exactly_zero() -> None:
    assert schedules.linear(total_steps=TOTAL)(TOTAL) == 0.0
    assert schedules.cosine(total_steps=TOTAL)(TOTAL) == 0.0


def progress(step: int) -> float:
    return (step - WARMUP) / (TOTAL - WARMUP)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("constant", lambda step: 1.0),
        ("linear", lambda step: 1 + (FINAL - 1) * progress(step)),
        ("cosine", lambda step: FINAL + (1 - FINAL) * (1 + math.cos(math.pi * progress(step))) / 2),
        ("exponential", lambda step: FINAL ** progress(step)),
        ("inverse_sqrt", lambda step: math.sqrt(20 / max(20, step - WARMUP))),
        ("step", lambda step: 0.5 ** ((step - WARMUP) // 30)),
        ("piecewise", lambda step: 1.0 if step < 20 else 0.5 if step < 60 else 0.1),
    ],
)
def test_each_shape_is_its_formula(name: str, formula: Any) -> None:
    spec = next(spec for spec in TYPES if spec.type_name() == name)
    final = {"final_fraction": FINAL} if "final_fraction" in spec.model_fields else {}
    share = shares(make_schedule(declared(spec, warmup_steps=WARMUP, **final), {}, total_steps=TOTAL))
    np.testing.assert_allclose(share[WARMUP:], [formula(step) for step in STEPS[WARMUP:]], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("declaration", "where", "sentence"),
    [
        ({"type": "cosin"}, (), "does not match any of the expected tags"),
        (
            {"type": "cosine", "warmup_steps": 3, "warmup_fraction": 0.1},
            ("cosine",),
            "at most one of warmup_steps and warmup_fraction",
        ),
        ({"type": "cosine", "warmup_steps": -1}, ("cosine", "warmup_steps"), "greater than or equal to 0"),
        ({"type": "cosine", "warmup_fraction": 1.5}, ("cosine", "warmup_fraction"), "less than or equal to 1"),
        ({"type": "constant", "final_fraction": 0.1}, ("constant", "final_fraction"), "Extra inputs are not permitted"),
        ({"type": "exponential", "final_fraction": 0.0}, ("exponential", "final_fraction"), "greater than 0"),
        ({"type": "step"}, ("step", "every_steps"), "Field required"),
        (
            {"type": "piecewise", "boundaries": [1, 2], "fractions": [0.5]},
            ("piecewise",),
            "one entry each: found 2 and 1",
        ),
        (
            {"type": "piecewise", "boundaries": [2, 2], "fractions": [0.5, 0.1]},
            ("piecewise",),
            "boundaries must increase",
        ),
    ],
)
def test_the_schema_refuses_what_no_schedule_takes(
    declaration: dict[str, Any], where: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        TypeAdapter(Schedule).validate_python(declaration)
    assert [error["loc"] for error in caught.value.errors()] == [where]
