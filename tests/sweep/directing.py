"""Members and directors for the tests of groups."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from framework.config.compose import load
from framework.sweep.members import Ending, Member, Verdict

QUICK = ("report=quiet", "checkpoint.keep=1")


def make_members(folder: Path, recipe: str, shared: Sequence[str], each: Sequence[Sequence[str]]) -> list[Member]:
    """Members with their own overrides, in folders as a sweep names them."""
    members = []
    for number, own in enumerate(each):
        path = folder / str(number)
        loaded = load(recipe, [*shared, *QUICK, *own, f"run.dir='{path}'"])
        members.append(Member(number, loaded, path))
    return members


class Recorder:
    """A director that notes everything, and decides by the functions given."""

    def __init__(
        self,
        review: Callable[[int, Mapping[int, Mapping[str, float]]], Mapping[int, Verdict]] = lambda step, values: {},
        stop: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.begun: list[int] = []
        self.records: dict[int, list[Mapping[str, Any]]] = {}
        self.endings: dict[int, Ending] = {}
        self.reviewed: list[tuple[int, Mapping[int, Mapping[str, float]]]] = []
        self._review = review
        self._stop = stop

    def started(self, numbers: Sequence[int]) -> None:
        """Note who begins."""
        self.begun += numbers

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        """Note a record."""
        self.records.setdefault(number, []).append(record)

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        """Note the values, and decide."""
        self.reviewed.append((step, values))
        return self._review(step, values)

    def ended(self, number: int, ending: Ending) -> None:
        """Note the ending; each member has one."""
        assert number not in self.endings
        self.endings[number] = ending

    def stop_requested(self) -> str | None:
        """As the function says."""
        return self._stop()


def result(path: Path) -> dict[str, Any]:
    """The result of a run without what tells time."""
    return {key: value for key, value in json.loads((path / "result.json").read_text()).items() if key != "seconds"}


def log(path: Path) -> list[dict[str, Any]]:
    """The records of a run."""
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
