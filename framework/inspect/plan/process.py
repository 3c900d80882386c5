"""A process of its own for each number of devices, because JAX learns of them as it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import framework
from framework.core.errors import ConfigError, Problem, RunError
from framework.inspect.plan.measured import Measured
from framework.inspect.plan.stand_in import LARGEST

QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""Machine code is never run here, so none of it is polished; the program that XLA divides stays the same."""


@dataclass(frozen=True)
class Request:
    """A recipe as its words say it, and for how many devices.

    Attributes:
      hbm: bytes of a device, or None.
    """

    recipe: str
    overrides: tuple[str, ...]
    devices: int
    hbm: float | None = None
    config_dirs: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()

    def having(self, overrides: tuple[str, ...], devices: int | None = None) -> Request:
        """The same with other overrides, or another number of devices."""
        return replace(self, overrides=overrides, devices=devices or self.devices)


def measured(request: Request, timeout_s: float | None = None) -> Measured | None:
    """What the recipe needs; None where compiling took longer than `timeout_s`, or there are too many devices.

    Raises:
      ConfigError: the recipe does not fit the devices.
      RunError: the process ended without a word.
    """
    if request.devices > LARGEST:
        return None
    root = str(Path(framework.__file__).parent.parent)
    flags = f"{os.environ.get('XLA_FLAGS', '')} {QUICK} --xla_force_host_platform_device_count={request.devices}"
    paths = os.pathsep.join(path for path in (root, os.environ.get("PYTHONPATH", "")) if path)
    # A program out of the compilation cache need not tell of its memory, so the cache is left out.
    environment = os.environ | {
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": flags.strip(),
        "PYTHONPATH": paths,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "framework.inspect.plan.process"],
            input=json.dumps(asdict(request)),
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        tail = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise RunError(f"compiling for {request.devices} devices ended with {done.returncode}\n{tail}")
    answer = json.loads(lines[-1])
    if "problems" in answer:
        raise ConfigError([_problem(one) for one in answer["problems"]], answer["subject"])
    return Measured.from_json(answer)


def _problem(values: dict[str, Any]) -> Problem:
    return Problem(**{**values, "suspects": tuple(values["suspects"])})


def _answer(request: Request) -> dict[str, Any]:
    from framework.config import compose
    from framework.inspect.plan.compiling import measure

    if request.trust:
        sys.path.append(str(Path.cwd()))
    try:
        loaded = compose.load(request.recipe, request.overrides, config_dirs=request.config_dirs, trust=request.trust)
        return measure(loaded, hbm=request.hbm).to_json()
    except ConfigError as error:
        return {"problems": [asdict(problem) for problem in error.problems], "subject": error.subject}


def main() -> None:
    """Answer the request on stdin with a line of JSON."""
    values = json.load(sys.stdin)
    words = {name: tuple(values[name]) for name in ("overrides", "config_dirs", "trust")}
    print(json.dumps(_answer(Request(**values | words))))


if __name__ == "__main__":
    main()
