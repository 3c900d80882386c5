"""The models by hand over the framework's lowering, in a plain `fori_loop`, with the allocator that `fw` uses.

python benchmarks/peers/side_lowered.py WORKLOAD

What separates this side from `fw` is what the framework itself costs. The rows stay on the device and are gathered
inside of the loop, many steps run in one execution of about 0.4 s, and losses are fetched one execution late.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from protocol import channel, serve
from workload import LEARNING_RATE, Workload, parser

from framework.runtime.allocator import keep_memory

CAPACITY = 256
SECONDS = 0.4


class Lowered:
    """A loop of its own over `framework.lowering`."""

    def __init__(self, work: Workload) -> None:
        import jax
        import jax.numpy as jnp
        import numpy as np
        import optax
        from lowered_models import MODELS

        self.version = f"by hand, same lowering, JAX {jax.__version__}"
        init, apply = MODELS[work.model](work)
        params, statistics = init(np.random.default_rng(0))
        optimizer = optax.adam(LEARNING_RATE)
        self.parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
        # jit copies, so that donating the state gives nothing away that NumPy still holds.
        self.state = jax.jit(lambda tree: (tree, optimizer.init(tree), statistics))(params)
        self.data = jax.device_put((work.inputs, work.labels))
        self.batches = work.batches()
        self.shape = (CAPACITY, work.batch_size)
        self.together = 1

        def objective(params: Any, statistics: Any, inputs: Any, labels: Any) -> Any:
            logits, statistics = apply(params, statistics, inputs)
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), statistics

        @partial(jax.jit, donate_argnums=0)
        def many(state: Any, data: Any, rows: Any, count: Any) -> Any:
            def body(index: Any, carry: Any) -> Any:
                (params, optimized, statistics), losses = carry
                inputs, labels = (jnp.take(array, rows[index], axis=0) for array in data)
                gradient = jax.value_and_grad(objective, has_aux=True)
                (loss, statistics), slopes = gradient(params, statistics, inputs, labels)
                updates, optimized = optimizer.update(slopes, optimized, params)
                state = optax.apply_updates(params, updates), optimized, statistics
                return state, losses.at[index].set(loss)

            return jax.lax.fori_loop(0, count, body, (state, jnp.zeros(CAPACITY)))

        self.many = many

    def run(self, steps: int) -> tuple[int, float]:
        """Take so many steps."""
        import jax
        import numpy as np

        losses, late, done, since = None, None, 0, time.perf_counter()
        while done < steps:
            count = min(self.together, steps - done)
            rows = np.zeros(self.shape, np.int32)
            for place in range(count):
                rows[place] = next(self.batches)
            self.state, losses = self.many(self.state, self.data, rows, np.int32(count))
            done += count
            if late is not None:
                np.asarray(late[0])
                now = time.perf_counter()
                wanted = int(SECONDS * late[1] / (now - since))
                self.together, since = max(1, min(CAPACITY, 4 * self.together, wanted)), now
            late = losses, count
        jax.block_until_ready(self.state)
        assert late is not None
        return steps, float(late[0][late[1] - 1])


if __name__ == "__main__":
    answers = channel()
    keep_memory()  # before JAX starts its threads
    serve(Lowered(Workload.load(parser(__doc__ or "").parse_args().workload)), answers)
