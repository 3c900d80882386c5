"""A network with another library's weights, and everything of it that a reference holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from formula import noise
from translation import Arrays, Rule, assert_close, nested, reference, translated

from framework.core.trees import named_leaves
from framework.network import Network


def channels_last(array: np.ndarray) -> np.ndarray:
    """[batch, channels, *space] -> [batch, *space, channels]."""
    return np.moveaxis(array, 1, -1)


def compare(
    network: Network,
    name: str,
    rules: Iterable[Rule],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    image: bool,
    others: Mapping[str, Any] | None = None,
    prepare: Callable[[Arrays, bool], Arrays] = lambda arrays, gradient: arrays,
) -> None:
    """Compare a network of one output with a reference: outputs, gradients by all weights and inputs, statistics.

    Args:
      name: the reference's file.
      shapes: of the inputs by their names in the reference, in the order of the network's inputs.
      image: channels lie first in the reference's inputs and outputs.
      others: inputs of the network by its own names that the reference does not differentiate, such as masks.
      prepare: (the reference's arrays by name, whether they are gradients) -> the arrays that the rules are for, where
        one array of one library is none, several or a sum of the other's.
    """
    listed = list(rules)
    found = reference(name, shapes)
    turn = channels_last if image else lambda array: array
    variables = nested(translated(prepare(found.weights, False), listed))
    inputs = [jnp.asarray(turn(noise(key, shape)), jnp.float32) for key, shape in shapes.items()]
    names = [item for item in network.graph.inputs if item not in (others or {})]

    def call(variables: Any, inputs: list[jax.Array], train: bool) -> tuple[jax.Array, dict[str, Any]]:
        given = dict(zip(names, inputs, strict=True)) | dict(others or {})
        outputs, updates = network.apply(variables, given, train=train)
        (output,) = outputs.values()
        return output, updates

    flat_out = lambda array: turn(array) if array.ndim > 3 else array  # noqa: E731 - scores have no space
    cotangent = jnp.asarray(flat_out(noise("cotangent", found.arrays["trained"].shape)), jnp.float32)

    @jax.jit
    def everything(variables: Any, inputs: list[jax.Array]) -> Any:
        def loss(params: Any, inputs: list[jax.Array]) -> tuple[jax.Array, Any]:
            output, updates = call(variables | {"params": params}, inputs, True)
            return jnp.sum(output * cotangent), (output, updates)

        gradients, (trained, updates) = jax.grad(loss, (0, 1), has_aux=True)(variables["params"], inputs)
        return call(variables, inputs, False)[0], trained, gradients, updates

    with jax.default_matmul_precision("highest"):
        output, trained, (by_params, by_inputs), updates = everything(variables, inputs)
    assert_close({"output": output}, {"output": flat_out(found.arrays["output"])})
    assert_close({"trained": trained}, {"trained": flat_out(found.arrays["trained"])})
    theirs = prepare({key: array for key, array in found.gradients.items() if key not in shapes}, True)
    assert_close({f"params.{key}": leaf for key, leaf in named_leaves(by_params).items()}, translated(theirs, listed))
    for array, key in zip(by_inputs, shapes, strict=True):
        assert_close({key: array}, {key: turn(found.gradients[key])})
    # PyTorch keeps the unbiased variance, ours is the biased one that the batch was normalised by.
    kept = {path: array for path, array in translated(found.kept, listed).items() if path.endswith("mean")}
    moved = {f"batch_stats.{path}": leaf for path, leaf in named_leaves(updates.get("batch_stats", {})).items()}
    assert_close({path: leaf for path, leaf in moved.items() if path.endswith("mean")}, kept)
