"""Compiled programs are kept whole, found again, and never taken where they may be wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from framework.runtime.folder import cache_folder
from framework.runtime.identity import identity
from framework.runtime.store import Store, forget_oldest

SCRIPT = """
import jax, sys
from framework.runtime import prepare, programs
prepare("a/recipe")
found = []
jax.monitoring.register_event_listener(lambda event, **_: found.append(event.rpartition("/")[2]))
print(jax.jit(lambda x: jax.numpy.sort(jax.numpy.sin(x) @ x.T, axis=0))(jax.numpy.ones((8, 8)))[0, 0])
print("hit" if "cache_hits" in found else "miss")
"""


def compiled(root: Path, **variables: str) -> list[str]:
    """What a process that compiles prints: a value, and whether it was compiled before."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JAX_COMPILATION")}
    env = kept | {"FW_CACHE": str(root), "TMPDIR": str(root.parent)} | variables
    code = SCRIPT.replace("prepare(", "import framework.runtime.programs as p; p._SMALLEST_SECONDS = 0.0; prepare(", 1)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    assert "Error reading" not in done.stderr
    return done.stdout.split()


def test_a_second_process_takes_what_the_first_compiled_and_gets_the_same_number(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    first, second = compiled(root), compiled(root)
    assert (first[1], second[1]) == ("miss", "hit")
    assert first[0] == second[0]
    assert list((root / "programs" / identity() / "a_recipe").glob("*.entry"))
    assert not list(tmp_path.glob("fw-programs-*"))  # the private folders are gone


def test_a_damaged_entry_is_compiled_anew_and_mended(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    value = compiled(root)[0]
    entries = sorted((root / "programs").rglob("*.entry"))
    for entry in entries:
        data = bytearray(entry.read_bytes())
        data[len(data) // 2] ^= 1
        entry.write_bytes(data)
    assert compiled(root) == [value, "miss"]
    assert compiled(root) == [value, "hit"]
    assert set(entries) <= set((root / "programs").rglob("*.entry"))


def test_off_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert compiled(tmp_path / "cache", FW_CACHE="off", XDG_CACHE_HOME=str(tmp_path / "home"))[1] == "miss"
    assert not list((tmp_path / "home").iterdir())


@pytest.mark.parametrize("content", [b"", b"abc", b"\0\0\0\0half"])
def test_an_entry_that_is_not_whole_is_removed(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.put("whole", b"program")
    (tmp_path / "half.entry").write_bytes(content)
    assert list(store.entries()) == [("whole", b"program")]
    assert [path.name for path in tmp_path.iterdir()] == ["whole.entry"]


def test_the_oldest_entries_and_folders_give_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    for number in range(70):
        store.put(f"{number:02}", b"x")
        os.utime(tmp_path / "new" / f"{number:02}.entry", (number, number))
    store.put("last", b"x")
    names = [name for name, _ in store.entries()]
    assert len(names) == 64
    assert "last" in names and "69" in names and "00" not in names
    for number in range(300):
        (tmp_path / f"old{number}").mkdir()
        os.utime(tmp_path / f"old{number}", (number, number))
    forget_oldest(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 256 and "new" in left and "old0" not in left


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.delenv("FW_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "framework"
    monkeypatch.setenv("FW_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "of_jax"))
    assert cache_folder() is None
