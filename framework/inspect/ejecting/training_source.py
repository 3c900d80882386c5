"""Loss, optimizer, schedule and loop of a recipe as source."""

from __future__ import annotations

from typing import Any

from framework.build.experiment import Experiment
from framework.core.words import listed
from framework.inspect.ejecting.adapting import literal
from framework.inspect.ejecting.closure import Closure
from framework.inspect.ejecting.network_source import expression
from framework.optim.building import SHARED


def loss_source(experiment: Experiment, closure: Closure) -> str:
    """The function `loss`: the total and its parts by name."""
    closure.add("framework.objectives.masks", "masked_mean")
    lines = [
        "def loss(outputs: dict[str, Any], batch: dict[str, Any], hyper: dict[str, Any]) -> tuple[Any, Any]:",
        f'    """The weighted sum of {listed(experiment.losses)} over the real rows of a batch; the parts by name."""',
        '    mask = batch.get("mask")',
        "    total, parts = jnp.zeros((), jnp.float32), {}",
    ]
    for name, bound in experiment.losses.items():
        wires = {word: _path(path) for word, path in bound.wires.items()}
        if bound.type == "expr":
            value = expression(str(bound.plain["expression"]), wires)
        else:
            words = wires | {word: literal(given) for word, given in bound.plain.items()}
            words |= {word: f'hyper["{key}"]' for word, key in bound.traced.items()}
            function = closure.add("framework.objectives.losses", bound.type)
            value = "\n".join([f"{function}(", *(f"        {word}={given}," for word, given in words.items()), "    )"])
        lines += [
            f"    values = {value}",
            f'    parts["{name}"] = values.mean() if mask is None else masked_mean(values, mask)',
            f'    total = total + hyper["losses.{name}.weight"] * parts["{name}"]',
        ]
    return "\n".join([*lines, "    return total, parts"])


def _path(path: str) -> str:
    first, *rest = path.split(".")
    return first + "".join(f'["{part}"]' for part in rest)


def optimizer_source(experiment: Experiment, closure: Closure) -> str:
    """The functions `learning_rate` and `optimizer`."""
    spec, hyper = experiment.config.optimizer, experiment.hyper
    every = spec.accumulate_steps
    schedule = dict(spec.schedule.arguments())
    fraction = schedule.pop("warmup_fraction", None)
    if fraction is not None:
        schedule["warmup_steps"] = round(fraction * experiment.total_steps)
    shape = closure.add("framework.optim.schedules", spec.schedule.type)
    words = ["total_steps=TOTAL_STEPS", *_words(schedule, "optimizer.schedule", hyper)]
    direction = {name: value for name, value in spec.arguments().items() if name not in SHARED}
    method = closure.add("framework.optim.optimizers", spec.type)
    chain = []
    for word, clip in (("clip_value", "clip"), ("clip_norm", "clip_by_global_norm")):
        value = getattr(spec, word)
        # What is switched off leaves an empty state in its place, so that a run's state fits.
        chain.append(
            "optax.identity()" if value is None else f"optax.{clip}({_value(f'optimizer.{word}', value, hyper)})"
        )
    rate = "lambda update: learning_rate(jnp.asarray(update) * ACCUMULATE_STEPS, hyper)"
    inner = "\n".join(
        [
            "    chain = optax.chain(",
            *(f"        {part}," for part in chain),
            f"        {method}(",
            f"            {rate},",
            *(f"            {word}," for word in _words(direction, "optimizer", hyper)),
            "        ),",
            "    )",
        ]
    )
    spread = "\n".join(f"        {word}," for word in words)
    wrapped = closure.add("framework.optim.precision", "in_float32")
    given = "optax.MultiSteps(chain, ACCUMULATE_STEPS).gradient_transformation()" if every > 1 else "chain"
    base = _value("optimizer.learning_rate", spec.learning_rate, hyper)
    return f'''def learning_rate(step: Any, hyper: dict[str, Any]) -> jax.Array:
    """The learning rate of a step: the base, and the schedule `{spec.schedule.type}` over the whole run."""
    schedule = {shape}(
{spread}
    )
    base = jnp.asarray({base}, jnp.float32)
    return base * schedule(jnp.asarray(step) // ACCUMULATE_STEPS * ACCUMULATE_STEPS)


def optimizer(hyper: dict[str, Any]) -> optax.GradientTransformation:
    """Clipping, the direction of `{spec.type}`, weight decay and learning rate; in float32."""
{inner}
    return {wrapped}({given})'''


def _words(arguments: dict[str, Any], key: str, hyper: dict[str, Any]) -> list[str]:
    return [f"{name}={_value(f'{key}.{name}', value, hyper)}" for name, value in arguments.items()]


def _value(key: str, value: Any, hyper: dict[str, Any]) -> str:
    return f'hyper["{key}"]' if key in hyper else literal(value)


LOOP = '''class State(NamedTuple):
    """What training changes: the steps taken, the weights, other variables of the network, the optimizer's state."""

    step: jax.Array
    params: Any
    collections: dict[str, Any]
    opt_state: Any
    rng: jax.Array


def streams(key: jax.Array) -> dict[str, jax.Array]:
    """The random streams of one call of the network."""
    return {"params": jax.random.fold_in(key, 0), "dropout": jax.random.fold_in(key, 1)}


def apply(variables: Any, batch: dict[str, Any], *, key: Any = None, hyper: Any = None) -> tuple[Any, dict[str, Any]]:
    """The outputs by name, and what changed of the variables; it trains where a key is given."""
    context = Context(train=key is not None, mask=batch.get("mask"), hyper=dict(hyper or {}))
    inputs = [batch[name] for name in INPUTS]
    changing = [name for name in variables if name != "params"] if key is not None else []
    rngs = {} if key is None else streams(key)
    outputs, updates = NETWORK.apply(variables, *inputs, context=context, rngs=rngs, mutable=changing)
    return outputs, dict(updates)


def init(seed: int = SEED) -> State:
    """The state before the first step; all of it follows from the seed."""
    rng = base_key(seed)

    @jax.jit
    def start(key: jax.Array) -> Any:
        zeros = [jnp.zeros((1, *shape), dtype) for shape, dtype in INPUTS.values()]
        return NETWORK.init(streams(key), *zeros, context=Context())

    variables = {"params": {}} | dict(start(derive(rng, "init")))
    params = variables.pop("params")
    return State(jnp.zeros((), jnp.int32), params, variables, optimizer(HYPER).init(params), rng)


def step(state: State, batch: dict[str, Any], hyper: dict[str, Any]) -> tuple[State, dict[str, jax.Array]]:
    """One step of the optimizer: the next state, and the loss with its parts."""
    key = derive(state.rng, "step", state.step)

    def objective(params: Any) -> tuple[jax.Array, Any]:
        outputs, updates = apply({"params": params, **state.collections}, batch, key=key, hyper=hyper)
        total, parts = loss(outputs, batch, hyper)
        return total, (updates, {"loss": total} | (parts if len(parts) > 1 else {}))

    (_, (updates, logs)), gradients = jax.value_and_grad(objective, has_aux=True)(state.params)
    changes, opt_state = optimizer(hyper).update(gradients, state.opt_state, state.params)
    params = optax.apply_updates(state.params, changes)
    logs["learning_rate"] = jnp.asarray(learning_rate(state.step, hyper), jnp.float32)
    return State(state.step + 1, params, state.collections | updates, opt_state, state.rng), logs


def rows(number: int, length: int) -> np.ndarray:
    """The examples of the batch that a step takes; -1 fills the last one of an epoch up."""
    epoch, place = divmod(number, STEPS_PER_EPOCH)
    order = permutation(length, SEED, epoch) if SHUFFLE else np.arange(length)
    chosen = order[place * BATCH_SIZE : (place + 1) * BATCH_SIZE]
    return np.pad(chosen, (0, BATCH_SIZE - len(chosen)), constant_values=-1).astype(np.int32)


def gather(arrays: dict[str, jax.Array], indices: jax.Array) -> dict[str, jax.Array]:
    """The rows of a batch; `mask` marks those that only fill it up with 0."""
    batch = {name: array[jnp.maximum(indices, 0) if MASKED else indices] for name, array in arrays.items()}
    return batch | ({"mask": (indices >= 0).astype(jnp.float32)} if MASKED else {})


@partial(jax.jit, donate_argnums=0)
def run_step(state: State, arrays: dict[str, jax.Array], indices: jax.Array, hyper: Any) -> tuple[State, Any]:
    """The step on some rows of arrays that lie on the device."""
    return step(state, gather(arrays, indices), hyper)


def load(file: Path = DATA) -> dict[str, jax.Array]:
    """The arrays to train on."""
    with np.load(file) as held:
        return {name: jnp.asarray(held[name]) for name in held.files}


def train(steps: int = TOTAL_STEPS, every: int = LOG_EVERY) -> State:
    """Train from the beginning and print the loss as it goes."""
    arrays, state = load(), init()
    length = len(next(iter(arrays.values())))
    for number in range(steps):
        state, logs = run_step(state, arrays, rows(number, length), HYPER)
        if (number + 1) % every == 0 or number + 1 == steps:
            print(f"step {number + 1}  " + "  ".join(f"{name} {float(value):.8g}" for name, value in logs.items()))
    return state


def main() -> None:
    """Read the words of the command line and train."""
    words = argparse.ArgumentParser(description="Train the network of this file.")
    words.add_argument("--steps", type=int, default=TOTAL_STEPS, help="steps of the optimizer")
    words.add_argument("--every", type=int, default=LOG_EVERY, help="steps between lines")
    given = words.parse_args()
    train(given.steps, given.every)


if __name__ == "__main__":
    main()'''
"""What is the same in every script."""
