"""docs/launching.md is true: its settings are valid, and its commands do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from launch_command import Launch

from framework.launch.reading import settings_for
from framework.launch.settings import Kubernetes, Slurm

PAGE = (Path(__file__).parent.parent.parent / "docs" / "launching.md").read_text(encoding="utf-8")
(SETTINGS,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = list(re.findall(r"^(?:\$ | {4})(fw launch .*)$", PAGE, re.MULTILINE))


def test_the_settings_on_the_page_are_valid(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(SETTINGS)
    slurm = settings_for(Slurm, tmp_path / "cluster.yaml", {})
    assert (slurm.partition, slurm.time, slurm.directives) == ("gpu", "1-00:00:00", ("--exclusive",))
    assert settings_for(Kubernetes, tmp_path / "cluster.yaml", {}).labels == {"kueue.x-k8s.io/queue-name": "lab"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_on_the_page_is_accepted(command: str, launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(SETTINGS)
    said = launch(*shlex.split(command)[2:], "--dry-run")
    assert (said.code, said.err) == (0, "")
    assert "parallel.hosts=auto" in said.out


def test_every_option_on_the_page_is_one(launch: Launch) -> None:
    known = set(re.findall(r"--[a-z0-9-]+", launch("--help").out)) | {"--signal", "--requeue", "--exclusive"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", PAGE)) <= known
