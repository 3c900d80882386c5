"""`make test-gpu`: the tests of `tests/gpu` and the core numeric tests on the GPUs of this machine.

    python tests/gpu/run.py [--wheels FOLDER] [PYTEST ARGUMENTS]

The interpreter that runs this file may already have a jax that finds GPUs, with or without the packages that the
project needs beside. What is missing is installed into `.venv-gpu`, which sees all of that interpreter's packages and
changes none of them. Where no GPU is found, it says what was looked for and ends well.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from gpus import environment, find

ROOT = Path(__file__).parent.parent.parent
VENV = ROOT / ".venv-gpu"
NUMERIC = ("tests/objectives", "tests/optim", "tests/lowering", "tests/network/layers", "tests/build")
"""Tests of numbers in closed form or against references."""

TOOLS = ("pytest", "jaxtyping", "beartype")
"""What these tests use beside the package's own dependencies."""


def main(words: list[str]) -> int:
    """Run the tests; the exit code is pytest's, and 0 where there is no GPU."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--wheels", type=Path, help="a folder of wheels to install from, where there is no network")
    options, rest = parser.parse_known_args(words)
    candidates = [sys.executable, *filter(os.path.exists, [str(ROOT / ".venv" / "bin" / "python")])]
    told = []
    for python in dict.fromkeys(candidates):
        found = find(python)
        if found.names:
            return _test(_completed(python, options.wheels), found.names, rest)
        told.append(found.told)
    print("test-gpu: skipped. A GPU was looked for through JAX, but", *told, sep="\n  ")
    print("Install jax[cuda13] or jax[cuda12], or name an interpreter that has it: make test-gpu PYTHON=...")
    return 0


def _test(python: str, names: tuple[str, ...], words: list[str]) -> int:
    print(f"test-gpu: {len(names)} x {names[0]}")
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "tests/gpu", *NUMERIC, *words]
    return subprocess.run(command, cwd=ROOT, env=environment() | {"PYTHONPATH": str(ROOT)}, check=False).returncode


def _completed(python: str, wheels: Path | None) -> str:
    """An interpreter with all packages: the one given, or a virtual environment on top of it."""
    if subprocess.run([python, "-c", _IMPORTS], capture_output=True, check=False).returncode == 0:
        return python
    made = str(VENV / "bin" / "python")
    if not Path(made).exists():
        subprocess.run([python, "-m", "venv", str(VENV)], check=True)
        # --system-site-packages would show the packages of the interpreter below a virtual environment, not its own.
        outer = subprocess.run([python, "-c", _PATHS], capture_output=True, text=True, check=True).stdout
        inner = subprocess.run([made, "-c", _PATHS], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        (Path(inner) / "outer.pth").write_text(f"{outer}{ROOT}\n", encoding="utf-8")
    present = subprocess.run([made, "-c", _PRESENT], capture_output=True, text=True, check=True).stdout
    kept = VENV / "kept.txt"
    kept.write_text(present, encoding="utf-8")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    source = ["--no-index", "--find-links", str(wheels)] if wheels else []
    # Every package that is there is held at its version, jax above all.
    pip = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(kept)]
    subprocess.run([*pip, *source, *wanted, *TOOLS], check=True)
    return made


_IMPORTS = "import jax, flax, optax, orbax.checkpoint, hydra, omegaconf, pydantic, rich, sklearn, tensorboardX, pytest"
_PATHS = "import sysconfig; print(*{sysconfig.get_path('purelib'), sysconfig.get_path('platlib')}, sep='\\n')"
_PRESENT = """
from importlib.metadata import distributions
# Of two versions of a package the first on the path is the one that is imported.
for name, version in {one.name: one.version for one in reversed(list(distributions()))}.items():
    print(f"{name}=={version}")
"""

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
