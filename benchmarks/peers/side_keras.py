"""Keras' `fit` on its JAX or TensorFlow backend, without callbacks, metrics and validation.

KERAS_BACKEND=jax python benchmarks/peers/side_keras.py WORKLOAD [--steps-per-execution 20] [--mixed]
"""

from __future__ import annotations

import math

import keras  # pyright: ignore[reportMissingImports] - peers have an environment of their own
from keras_models import make
from protocol import channel, serve
from workload import Workload, parser


class Keras:
    """One `fit` for each turn, over whole epochs, or over the first rows where less than one is asked for."""

    def __init__(self, work: Workload, steps_per_execution: int) -> None:
        backend = __import__(keras.backend.backend())
        self.version = f"Keras {keras.__version__}, {backend.__name__} {backend.__version__}"
        self.work, self.together = work, steps_per_execution
        self.model = make(work, steps_per_execution)

    @property
    def parameters(self) -> int:
        """How many trained numbers the model has."""
        return sum(math.prod(variable.shape) for variable in self.model.trainable_variables)

    def run(self, steps: int) -> tuple[int, float]:
        """Take about so many steps: whole executions."""
        whole = self.work.steps_per_epoch
        steps = -(-steps // self.together) * self.together
        epochs, each = (1, steps) if steps < whole else (round(steps / whole), whole)
        rows = each * self.work.batch_size
        told = self.model.fit(
            self.work.inputs[:rows],
            self.work.labels[:rows],
            batch_size=self.work.batch_size,
            epochs=epochs,
            verbose=0,
        )
        return epochs * each, float(told.history["loss"][-1])


if __name__ == "__main__":
    answers = channel()
    words = parser(__doc__ or "")
    words.add_argument("--steps-per-execution", type=int, default=1)
    words.add_argument("--mixed", action="store_true", help="mixed_bfloat16")
    options = words.parse_args()
    if options.mixed:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    serve(Keras(Workload.load(options.workload), options.steps_per_execution), answers)
