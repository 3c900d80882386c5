"""Full-size language models: their sizes, and what a transformer must compute and send, against closed forms."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jax
import pytest

from framework.config import compose
from framework.core.trees import size
from framework.inspect.plan.compiling import prepare
from framework.inspect.plan.measured import Measured
from framework.inspect.plan.process import Request, measured
from framework.inspect.plan.program import Program
from framework.inspect.plan.work import product_flops
from framework.train.setup import Setup

RECIPE = str(Path(__file__).parent / "tiny_transformer.yaml")
ROWS, TIME, WIDTH, BLOCKS, VOCABULARY = 16, 64, 16, 9, 16
FLOAT = 4

BLOCK = (
    "network.layers.stack.transformer_block.heads=8",
    "network.layers.stack.transformer_block.mlp_ratio=4",
)


@cache
def on(devices: int, *words: str) -> Measured:
    found = measured(Request(RECIPE, (*BLOCK, *words, f"parallel.devices={devices}"), devices))
    assert found is not None
    return found


def sent(found: Measured) -> dict[str, tuple[int, int]]:
    """Kind of collective -> how many, and bytes of the whole arrays."""
    return {one.kind: (one.count, one.payload) for one in found.collectives}


@pytest.mark.parametrize(("recipe", "parameters"), [("gpt2_small", 124_439_808), ("tinyllama", 1_100_048_384)])
def test_a_full_size_model_has_as_many_parameters_as_the_published_one(recipe: str, parameters: int) -> None:
    state = jax.eval_shape(Setup(compose.load(recipe)).abstract.init)
    assert size(state.params) == parameters


def test_tensor_parallel_blocks_sum_activations_twice_forward_and_twice_backward() -> None:
    found = sent(on(8, "parallel=tensor"))
    assert set(found) == {"all-reduce"}
    activations = ROWS * TIME * WIDTH * FLOAT
    embedded = 1  # rows of the vocabulary that other devices hold
    assert found["all-reduce"] == (4 * BLOCKS + embedded, (4 * BLOCKS + embedded) * activations)


def test_recomputing_blocks_sums_the_output_of_attention_once_more() -> None:
    found = sent(on(8, "parallel=tensor", "network.layers.stack.remat=true"))
    activations = ROWS * TIME * WIDTH * FLOAT
    # Nothing in the backward pass reads what the perceptron gave, so its output is not made again.
    assert found["all-reduce"] == (5 * BLOCKS + 1, (5 * BLOCKS + 1) * activations)


@pytest.mark.parametrize("remat", [False, True])
def test_fsdp_gathers_blocks_forward_and_backward_and_sums_each_gradient_once(remat: bool) -> None:
    found = on(8, "parallel=fsdp", "parallel.min_size=1", f"network.layers.stack.remat={str(remat).lower()}")
    assert found.state == pytest.approx(found.whole_state / 8, rel=0.05)
    embedding = VOCABULARY * WIDTH * FLOAT  # a lookup needs no weights backward
    logits = (WIDTH * VOCABULARY + VOCABULARY) * FLOAT  # kept from forward to backward, which follow each other
    whole = found.parameters * 8
    gathered = 2 * whole - embedding - (logits if remat else 0)  # biases, too, are read forward alone: 2 %
    by_kind = sent(found)
    assert by_kind["all-gather"][1] == pytest.approx(gathered, rel=0.04)
    assert by_kind["all-reduce"][1] == pytest.approx(whole, rel=0.03)


def test_a_mesh_sums_gradients_over_rows_and_activations_over_heads() -> None:
    found = on(8, "parallel=mesh", "parallel.axes={data: 2, fsdp: 1, tensor: 4}")
    groups = {(one.kind, one.group): one.payload for one in found.collectives}
    activations = ROWS // 2 * TIME * WIDTH * FLOAT
    assert groups["all-reduce", 4] == pytest.approx((4 * BLOCKS + 1) * activations, rel=0.01)
    assert groups["all-reduce", 2] == pytest.approx(found.parameters, rel=0.01)


def test_products_are_those_of_the_layers_three_times_and_once_more_where_recomputed() -> None:
    words = (*BLOCK, "parallel=single", "network.layers.stack.remat=true")
    program = Program.parse(prepare(compose.load(RECIPE, words), hbm=None).compile().as_text())
    tokens = ROWS * TIME
    perceptron = 2 * 4 * WIDTH * WIDTH
    block = 2 * (4 * WIDTH * WIDTH + perceptron) + 4 * TIME * WIDTH
    again = block - perceptron  # the second product of the perceptron is read by nothing in the backward pass
    logits = 2 * WIDTH * VOCABULARY
    products = tokens * (BLOCKS * (3 * block + again) + 3 * logits)
    assert product_flops(program) == products


def test_recomputing_keeps_little_of_each_block_where_weights_are_gathered_too() -> None:
    fsdp = ("parallel=fsdp", "parallel.min_size=1")
    kept, again = (on(8, *fsdp, f"network.layers.stack.remat={word}") for word in ("false", "true"))
    assert again.temporary < 0.5 * kept.temporary
