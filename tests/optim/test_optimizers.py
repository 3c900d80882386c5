"""Each optimizer, step by step, against its formula written out in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from framework.config.schema.optimizers import Optimizer
from framework.optim import make_optimizer
from framework.optim.decay import decays

RANDOM = np.random.default_rng(0)
PARAMS = {"kernel": RANDOM.normal(size=(4, 3)), "bias": RANDOM.normal(size=3)}
GRADIENTS = [jax.tree.map(lambda p: RANDOM.normal(size=p.shape), PARAMS) for _ in range(4)]
Direction = Callable[[dict[str, Any], np.ndarray, np.ndarray, int], np.ndarray]
SPECS = {spec.type_name(): spec for spec in get_args(get_args(Optimizer)[0])}

# Each gives a function of (memory, gradient, parameter, step counted from 1): what the learning rate multiplies.


def sgd(momentum: float | None, nesterov: bool, decay: float) -> Direction:
    def direction(memory: dict[str, Any], g: np.ndarray, p: np.ndarray, t: int) -> np.ndarray:
        if momentum is None:
            return g + decay * p
        memory["m"] = g + momentum * memory.get("m", 0)
        return (g + momentum * memory["m"] if nesterov else memory["m"]) + decay * p

    return direction


def adam(b1: float, b2: float, eps: float, decay: float = 0.0, *, trust: bool = False) -> Direction:
    def direction(memory: dict[str, Any], g: np.ndarray, p: np.ndarray, t: int) -> np.ndarray:
        memory["m"] = b1 * memory.get("m", 0) + (1 - b1) * g
        memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g**2
        update = memory["m"] / (1 - b1**t) / (np.sqrt(memory["v"] / (1 - b2**t)) + eps) + decay * p
        return update * np.linalg.norm(p) / np.linalg.norm(update) if trust else update

    return direction


def lion(b1: float, b2: float, decay: float) -> Direction:
    def direction(memory: dict[str, Any], g: np.ndarray, p: np.ndarray, t: int) -> np.ndarray:
        m = memory.get("m", 0)
        memory["m"] = b2 * m + (1 - b2) * g
        return np.sign(b1 * m + (1 - b1) * g) + decay * p

    return direction


def rmsprop(decay: float, eps: float, momentum: float | None) -> Direction:
    def direction(memory: dict[str, Any], g: np.ndarray, p: np.ndarray, t: int) -> np.ndarray:
        memory["v"] = decay * memory.get("v", 0) + (1 - decay) * g**2
        memory["m"] = g / (np.sqrt(memory["v"]) + eps) + (momentum or 0) * memory.get("m", 0)
        return memory["m"]

    return direction


def adagrad(initial: float, eps: float) -> Direction:
    def direction(memory: dict[str, Any], g: np.ndarray, p: np.ndarray, t: int) -> np.ndarray:
        memory["v"] = memory.get("v", initial) + g**2
        return g / np.sqrt(memory["v"] + eps)

    return direction


def adafactor(exponent: float, clip: float, factored: bool, decay: float) -> Direction:
    def direction(memory: dict[str, Any], g: np.ndarray, p: np.ndarray, t: int) -> np.ndarray:
        keep = 1 - t**-exponent
        memory["v"] = keep * memory.get("v", 0) + (1 - keep) * g**2
        v = memory["v"]
        if factored and g.ndim == 2:
            # The mean over one axis of a running mean is the running mean of that axis' means.
            v = v.mean(axis=1, keepdims=True) * v.mean(axis=0, keepdims=True) / v.mean()
        update = g / np.sqrt(v)
        return update / max(1.0, np.sqrt(np.mean(update**2)) / clip) + decay * p

    return direction


CASES: list[tuple[dict[str, Any], Callable[[float], Direction]]] = [
    ({"type": "sgd", "momentum": None}, lambda wd: sgd(None, False, wd)),
    ({"type": "sgd", "momentum": 0.8, "weight_decay": 0.1}, lambda wd: sgd(0.8, False, wd)),
    ({"type": "sgd", "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}, lambda wd: sgd(0.8, True, wd)),
    ({"type": "adam", "b1": 0.8, "b2": 0.95, "eps": 1e-3}, lambda wd: adam(0.8, 0.95, 1e-3)),
    ({"type": "adamw", "b1": 0.8, "b2": 0.95, "weight_decay": 0.1}, lambda wd: adam(0.8, 0.95, 1e-8, wd)),
    ({"type": "adamw", "decay_mask": "all", "weight_decay": 0.1}, lambda wd: adam(0.9, 0.999, 1e-8, 0.1)),
    ({"type": "lion", "b1": 0.7, "b2": 0.9, "weight_decay": 0.1}, lambda wd: lion(0.7, 0.9, wd)),
    ({"type": "rmsprop", "decay": 0.8, "eps": 1e-3}, lambda wd: rmsprop(0.8, 1e-3, None)),
    ({"type": "rmsprop", "decay": 0.8, "momentum": 0.5}, lambda wd: rmsprop(0.8, 1e-8, 0.5)),
    ({"type": "adagrad", "initial_accumulator": 0.2, "eps": 1e-3}, lambda wd: adagrad(0.2, 1e-3)),
    ({"type": "lamb", "b1": 0.8, "weight_decay": 0.1}, lambda wd: adam(0.8, 0.999, 1e-6, wd, trust=True)),
    ({"type": "adafactor", "weight_decay": 0.1}, lambda wd: adafactor(0.8, 1.0, False, wd)),
    (
        {"type": "adafactor", "factor_from": 2, "decay_exponent": 0.5, "clip_threshold": 0.4},
        lambda wd: adafactor(0.5, 0.4, True, 0.0),
    ),
]


def as_float32(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)


def walked(declaration: dict[str, Any], hyper: dict[str, Any]) -> Any:
    """The parameters after all gradients, with every traced scalar of the declaration taken from `hyper`."""
    spec = SPECS[declaration["type"]].model_validate(declaration | {"learning_rate": 0.05})

    @jax.jit
    def run(hyper: dict[str, jax.Array]) -> Any:
        optimizer = make_optimizer(spec, hyper, total_steps=10)
        params = as_float32(PARAMS)
        state = optimizer.init(params)
        for gradient in GRADIENTS:
            updates, state = optimizer.update(as_float32(gradient), state, params)
            params = optax.apply_updates(params, updates)
        return params

    return run(hyper)


def expected(declaration: dict[str, Any], direction: Callable[[float], Direction]) -> Any:
    params = {}
    for name, value in PARAMS.items():
        walk = direction(declaration.get("weight_decay", 0.0) if name == "kernel" else 0.0)
        memory: dict[str, Any] = {}
        for t, gradient in enumerate(GRADIENTS, start=1):
            value = value - 0.05 * walk(memory, gradient[name], value, t)
        params[name] = value
    return params


def test_every_optimizer_has_a_case() -> None:
    assert {declaration["type"] for declaration, _ in CASES} == SPECS.keys()


@pytest.mark.parametrize(
    ("declaration", "direction"), CASES, ids=["-".join(str(v) for v in d.values()) for d, _ in CASES]
)
@pytest.mark.parametrize("traced", [False, True], ids=["fixed", "traced"])
def test_steps_follow_the_formula(
    declaration: dict[str, Any], direction: Callable[[float], Direction], traced: bool
) -> None:
    names = {"momentum", "b1", "b2", "eps", "decay", "weight_decay", "initial_accumulator"}
    names |= {"decay_exponent", "clip_threshold"}
    hyper = {
        f"optimizer.{name}": jnp.float32(value)
        for name, value in declaration.items()
        if traced and name in names and value is not None
    }
    after, reference = walked(declaration, hyper), expected(declaration, direction)
    for name in PARAMS:
        np.testing.assert_allclose(after[name], reference[name], rtol=2e-4, atol=2e-5)


def test_kernels_decay_but_biases_and_scales_do_not_even_in_stacks() -> None:
    params = {
        "dense": {"kernel": jnp.ones((2, 3)), "bias": jnp.ones(3)},
        "stack": {"kernel": jnp.ones((5, 2, 3)), "bias": jnp.ones((5, 3)), "scale": jnp.ones((5, 3))},
        "embedding": jnp.ones((7, 2)),
        "temperature": jnp.ones(()),
    }
    assert decays(params, "kernels") == {
        "dense": {"kernel": True, "bias": False},
        "stack": {"kernel": True, "bias": False, "scale": False},
        "embedding": True,
        "temperature": False,
    }
    assert all(jax.tree.leaves(decays(params, "all")))
