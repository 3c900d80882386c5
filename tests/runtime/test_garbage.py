"""Python's collector rests while a command starts, works again in its long part, and is left as it was found."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from framework.cli.main import main
from framework.runtime.garbage import collect_again, collector_rests
from framework.train.runner import Runner


def test_it_rests_until_it_is_asked_to_collect_again() -> None:
    assert gc.isenabled()
    with collector_rests():
        assert not gc.isenabled()
        collect_again()
        assert gc.isenabled() and gc.get_freeze_count() > 0
    assert gc.isenabled() and gc.get_freeze_count() == 0


def test_it_works_again_after_an_error() -> None:
    with pytest.raises(ValueError), collector_rests():
        raise ValueError
    assert gc.isenabled()


def test_whoever_turned_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with collector_rests():
            collect_again()
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_works_while_steps_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    observe = Runner.observe

    def look(self: Runner, count: int, seconds: float) -> None:
        seen.append(gc.isenabled())
        observe(self, count, seconds)

    monkeypatch.setattr(Runner, "observe", look)
    assert main(["train", "digits_mlp", "trainer.epochs=1", f"run.dir={tmp_path / 'run'}", "report=quiet"]) == 0
    assert seen and all(seen) and gc.isenabled()
