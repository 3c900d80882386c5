"""Runs scripts that `fw eject` wrote, without this package, and keeps what each computes.

python run_script.py first.py first_result.npz second.py second_result.npz ...
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import jax
import numpy as np

STEPS = 3


def main(script: str, result: str) -> None:
    spec = importlib.util.spec_from_file_location("train", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["train"] = module
    spec.loader.exec_module(module)
    arrays, state = module.load(), module.init()
    length = len(next(iter(arrays.values())))
    variables = {"params": state.params, **state.collections}
    paths, _ = jax.tree_util.tree_flatten_with_path(variables)
    kept: dict[str, Any] = {f"variables{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in paths}
    batch = module.gather(arrays, module.rows(0, length))
    outputs, _ = jax.jit(module.apply)(variables, batch)
    kept |= {f"outputs.{name}": np.asarray(value) for name, value in outputs.items()}
    for number in range(STEPS):
        state, logs = module.run_step(state, arrays, module.rows(number, length), module.HYPER)
        kept |= {f"{name}.{number}": np.asarray(value) for name, value in logs.items()}
    after = {"params": state.params, **state.collections, "ema": getattr(state, "ema", {})}
    paths, _ = jax.tree_util.tree_flatten_with_path(after)
    kept |= {f"after{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in paths}
    assert not any(name.partition(".")[0] == "framework" for name in sys.modules), "the package was imported"
    np.savez(result, **kept)


if __name__ == "__main__":
    for place in range(1, len(sys.argv), 2):
        main(sys.argv[place], sys.argv[place + 1])
