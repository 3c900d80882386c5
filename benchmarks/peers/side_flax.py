"""The models as people write them by hand in Flax Linen and Optax, with the loop of benchmarks/handwritten.py.

PYTHONPATH=benchmarks python benchmarks/peers/side_flax.py WORKLOAD
"""

from __future__ import annotations

import flax
import flax.linen as nn
import jax
import optax
from handwritten import (  # pyright: ignore[reportMissingImports] - one folder above
    FETCH_EVERY_STEPS,
    HandWritten,
    Mlp,
    Transformer,
    train_step,
)
from protocol import channel, serve
from workload import CHANNELS, LEARNING_RATE, Workload, parser


class Cnn(nn.Module):
    """3x3 convolutions, each with batch norm, ReLU and max-pooling."""

    classes: int

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool) -> jax.Array:
        """Logits [batch, classes] of images [batch, 32, 32, 3]."""
        x = image
        for features in CHANNELS:
            x = nn.Conv(features, (3, 3), use_bias=False)(x)
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=1e-5)(x)
            x = nn.max_pool(nn.relu(x), (2, 2), (2, 2))
        return nn.Dense(self.classes)(x.reshape(x.shape[0], -1))


class Flax:
    """A jitted step per batch; every fiftieth loss is fetched, and the last of a turn."""

    version = f"Flax {flax.__version__}, JAX {jax.__version__}"

    def __init__(self, work: Workload) -> None:
        module = {"mlp": Mlp, "cnn": Cnn, "gpt": Transformer}[work.model](work.classes)
        arrays = {"inputs": work.inputs, "labels": work.labels}
        made = HandWritten(
            module, optax.adam(LEARNING_RATE), arrays, inputs="inputs", labels="labels", batch_size=work.batch_size
        )
        self.parameters, self.state, self.stream = made.parameters, made.state, made.stream

    def run(self, steps: int) -> tuple[int, float]:
        """Take so many steps."""
        losses: list[float] = []
        for index, (inputs, labels) in zip(range(1, steps + 1), self.stream, strict=False):
            self.state, loss = train_step(self.state, inputs, labels)
            if index % FETCH_EVERY_STEPS == 0 or index == steps:
                losses.append(float(loss))
        jax.block_until_ready(self.state)
        return steps, losses[-1]


if __name__ == "__main__":
    answers = channel()
    serve(Flax(Workload.load(parser(__doc__ or "").parse_args().workload)), answers)
