"""What is said of the GPUs that an interpreter finds, or of why it finds none."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpus import environment, find


def interpreter(path: Path, *lines: str) -> str:
    """A program that stands where Python would, and answers with these lines of shell."""
    path.write_text("\n".join(("#!/bin/sh", *lines)), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_gpus_are_counted_and_named(tmp_path: Path) -> None:
    found = find(
        interpreter(tmp_path / "python", """echo '["0.11.2", [["gpu", "NVIDIA H200"], ["gpu", "NVIDIA H200"]]]'""")
    )
    assert found.names == ("NVIDIA H200", "NVIDIA H200")
    assert found.told == f"JAX 0.11.2 of {tmp_path / 'python'} finds NVIDIA H200 (gpu)"


def test_a_cpu_is_no_gpu(tmp_path: Path) -> None:
    found = find(
        interpreter(tmp_path / "python", """echo 'a word of a plugin' '' && echo '["0.10.2", [["cpu", "cpu"]]]'""")
    )
    assert found.names == () and found.told.endswith("finds cpu (cpu)")


def test_an_interpreter_without_jax_is_told_by_its_last_line(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "python", "echo Traceback >&2", "echo 'No module named jax' >&2", "exit 1")
    assert find(python).told == f"{python}: No module named jax"


def test_gpus_are_sought_and_multiply_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert environment()["JAX_PLATFORMS"] == "" and environment()["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
