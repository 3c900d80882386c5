"""State, step and loop of a recipe as source: what the recipe asks for, and nothing besides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Features:
    """What a script's loop deals with.

    Attributes:
      collections: names of the variables besides parameters.
      told: of `costs` and `intermediates`, what losses read.
      reads: what the loss takes besides outputs, batch and hyper.
      by_step: some layers see each step of an example as a row, and tell costs of it.
      ema: a moving average of the parameters is kept.
      freezes: some parameters stay as they are.
      masked: batches may have rows that only fill them up.
      shuffle: each epoch has an order of its own.
    """

    collections: tuple[str, ...]
    told: tuple[str, ...]
    reads: tuple[str, ...]
    by_step: bool
    ema: bool
    freezes: bool
    masked: bool
    shuffle: bool


def loop_source(features: Features) -> list[str]:
    """The definitions, in the order in which they stand."""
    return [
        _state(features),
        *([_DIVIDED] if features.freezes else []),
        *([_total_costs(features.by_step)] if "costs" in features.told else []),
        _STREAMS,
        _apply(features),
        _init(features),
        _step(features),
        _rows(features),
        _gather(features),
        _REST,
    ]


def _state(features: Features) -> str:
    ema = "\n    ema: Any" if features.ema else ""
    about = "What training changes: the steps taken, the weights, other variables of the network, the optimizer's state"
    if features.ema:
        about = "What training changes; `collections` are the network's other variables, `ema` is the weights' average"
    return f'''class State(NamedTuple):
    """{about}."""

    step: jax.Array
    params: Any
    collections: dict[str, Any]
    opt_state: Any
    rng: jax.Array{ema}'''


_DIVIDED = '''def divided(params: Any) -> tuple[Any, Any]:
    """The parameters that are trained, and those that stay as they are."""
    flat = traverse_util.flatten_dict(params)
    frozen = {path for path in flat if any(path[: len(start)] == start for start in FROZEN)}
    parts = ({path: flat[path] for path in flat if (path in frozen) == kept} for kept in (False, True))
    trained, kept = map(traverse_util.unflatten_dict, parts)
    return trained, kept


def joined(trained: Any, frozen: Any) -> Any:
    """The inverse of `divided`."""
    return traverse_util.unflatten_dict(traverse_util.flatten_dict(trained) | traverse_util.flatten_dict(frozen))'''

_STREAMS = '''def streams(key: jax.Array) -> dict[str, jax.Array]:
    """The random streams of one call of the network."""
    return {"params": jax.random.fold_in(key, 0), "dropout": jax.random.fold_in(key, 1)}'''


def _total_costs(by_step: bool) -> str:
    folded = (
        "        # A layer that is called at each step of a sequence told one number for each step.\n"
        "        if leaf.shape[-1] % rows == 0:\n"
        "            leaf = leaf.reshape(*leaf.shape[:-1], rows, -1).sum(-1)\n"
    )
    arguments = "tree: Any, rows: int" if by_step else "tree: Any"
    return f'''def total_costs({arguments}) -> dict[str, jax.Array]:
    """What layers tell besides their outputs, [batch] by name: the sum over layers and copies of repeated ones."""
    totals: dict[str, jax.Array] = {{}}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        name = path[-1].key
{folded if by_step else ""}        total = leaf.sum(tuple(range(leaf.ndim - 1)))
        totals[name] = totals[name] + total if name in totals else total
    return totals'''


def _apply(features: Features) -> str:
    mask = ', mask=batch.get("mask")' if features.masked else ""
    changing = ", ".join(f'"{name}"' for name in (*features.collections, *features.told))
    call = "NETWORK.apply(variables, *inputs, context=context, rngs=rngs"
    given = f"    return {call}), {{}}"
    if changing:
        given = f"""    changing = [{changing}] if key is not None else []
    outputs, updates = {call}, mutable=changing)
    return outputs, dict(updates)"""
    told = " or told besides" if features.told else ""
    return f'''\
def apply(variables: Any, batch: dict[str, Any], *, key: Any = None, hyper: Any = None) -> tuple[Any, dict[str, Any]]:
    """The outputs by name, and what the network changed{told}; it trains where a key is given."""
    context = Context(train=key is not None{mask}, hyper=dict(hyper or {{}}))
    inputs = [batch[name] for name, _, _ in INPUTS]
    rngs = {{}} if key is None else streams(key)
{given}'''


def _init(features: Features) -> str:
    trained = "divided(params)[0]" if features.freezes else "params"
    average = ", ema" if features.ema else ""
    ema = "\n    ema = jax.tree.map(jnp.copy, params)" if features.ema else ""
    return f'''def init(seed: int = SEED) -> State:
    """The state before the first step; all of it follows from the seed."""
    rng = base_key(seed)

    @jax.jit
    def start(key: jax.Array) -> Any:
        zeros = [jnp.zeros((1, *shape), dtype) for _, shape, dtype in INPUTS]
        return NETWORK.init(streams(key), *zeros, context=Context())

    variables = dict(start(derive(rng, "init")))
    params = variables.pop("params")
    opt_state = optimizer(HYPER).init({trained}){ema}
    return State(jnp.zeros((), jnp.int32), params, variables, opt_state, rng{average})'''


def _step(features: Features) -> str:
    name = "trained" if features.freezes else "params"
    start = "    trained, frozen = divided(state.params)\n" if features.freezes else ""
    whole = "        params = joined(trained, frozen)\n" if features.freezes else ""
    changes = bool(features.collections or features.told)
    outputs = "outputs, updates" if changes else "outputs, _"
    variables = '{"params": params, **state.collections}' if features.collections else '{"params": params}'
    told = ""
    if "costs" in features.told:
        rows = ", len(batch[INPUTS[0][0]])" if features.by_step else ""
        told += f'        costs = total_costs(updates.pop("costs"){rows})\n'
    if "intermediates" in features.told:
        told += '        intermediates = updates.pop("intermediates")\n'
    reads = "".join(f", {one}" for one in features.reads)
    if features.collections:
        back, held, after = "total, (updates, logs)", "(updates, logs)", "state.collections | updates"
        result = f"""        total, logs = loss(outputs, batch, hyper{reads})
        return {back}"""
    else:
        held, after = "logs", "state.collections"
        result = f"        return loss(outputs, batch, hyper{reads})"
    trained = "trained" if features.freezes else "state.params"
    applied = f"optax.apply_updates({trained}, changes)"
    applied = f"joined({applied}, frozen)" if features.freezes else applied
    ema, average = "", ""
    if features.ema:
        ema = """    decay = hyper["trainer.ema_decay"]
    ema = jax.tree.map(lambda average, value: decay * average + (1 - decay) * value, state.ema, params)
"""
        average = ", ema"
    return f'''\
def step(state: State, batch: dict[str, Any], hyper: dict[str, Any]) -> tuple[State, dict[str, jax.Array]]:
    """One step of the optimizer: the next state, and what is logged."""
    key = derive(state.rng, "step", state.step)
{start}
    def objective({name}: Any) -> tuple[jax.Array, Any]:
{whole}        {outputs} = apply({variables}, batch, key=key, hyper=hyper)
{told}{result}

    (_, {held}), gradients = jax.value_and_grad(objective, has_aux=True)({trained})
    changes, opt_state = optimizer(hyper).update(gradients, state.opt_state, {trained})
    params = {applied}
{ema}    logs["learning_rate"] = learning_rate(state.step, hyper)
    return State(state.step + 1, params, {after}, opt_state, state.rng{average}), logs'''


def _rows(features: Features) -> str:
    order = "permutation(length, SEED, epoch)" if features.shuffle else "np.arange(length)"
    epoch = "epoch, place" if features.shuffle else "_, place"
    result = "    return chosen.astype(np.int32)"
    about = "The examples of the batch that a step takes."
    if features.masked:
        about = "The examples of the batch that a step takes; -1 fills the last one of an epoch up."
        result = "    return np.pad(chosen, (0, BATCH_SIZE - len(chosen)), constant_values=-1).astype(np.int32)"
    return f'''def rows(number: int, length: int) -> np.ndarray:
    """{about}"""
    {epoch} = divmod(number, STEPS_PER_EPOCH)
    order = {order}
    chosen = order[place * BATCH_SIZE : (place + 1) * BATCH_SIZE]
{result}'''


def _gather(features: Features) -> str:
    if not features.masked:
        return '''def gather(arrays: dict[str, jax.Array], indices: jax.Array) -> dict[str, jax.Array]:
    """The rows of a batch."""
    return {name: array[indices] for name, array in arrays.items()}'''
    return '''def gather(arrays: dict[str, jax.Array], indices: jax.Array) -> dict[str, jax.Array]:
    """The rows of a batch; `mask` marks those that only fill it up with 0."""
    batch = {name: array[jnp.maximum(indices, 0)] for name, array in arrays.items()}
    return batch | {"mask": (indices >= 0).astype(jnp.float32)}'''


_REST = '''@partial(jax.jit, donate_argnums=0)
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
