"""What a driver and its workers are made of: units, letters, the pulse, verdicts that travel, mistakes in settings."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from framework.config.schema.sweep import Sweep
from framework.core.errors import ConfigError, RunError
from framework.sweep.directors import Directors, Watcher
from framework.sweep.engines.launchers import check_launcher
from framework.sweep.engines.mail import IN, OUT, Lines, Tail
from framework.sweep.engines.pool import Pool
from framework.sweep.engines.pulse import FILE, Listener
from framework.sweep.engines.relay import Relay, decides
from framework.sweep.engines.remote_director import RemoteDirector
from framework.sweep.engines.units import cut
from framework.sweep.engines.work import Work
from framework.sweep.grouping import Group
from framework.sweep.members import Copy, Ending, Member, Stop, Verdict


def group(*numbers: int) -> Group:
    members: Any = tuple(SimpleNamespace(number=number) for number in numbers)
    return Group(members, (), {})


def numbers(units: Any) -> list[list[int]]:
    return [[member.number for member in unit] for unit in units]


def test_a_group_is_cut_so_that_every_worker_has_its_share() -> None:
    assert numbers(cut([group(*range(8))], 2, whole=False)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert numbers(cut([group(0, 1, 2), group(3, 4, 5)], 2, whole=False)) == [[0, 1, 2], [3, 4, 5]]
    assert numbers(cut([group(0), group(*range(1, 8))], 2, whole=False)) == [[4, 5, 6, 7], [1, 2, 3], [0]]
    assert numbers(cut([group(0, 1)], 16, whole=False)) == [[0], [1]]


def test_a_population_stays_whole_and_units_have_their_most_members() -> None:
    assert numbers(cut([group(*range(5))], 4, whole=True, most=2)) == [[0, 1, 2, 3, 4]]
    assert numbers(cut([group(*range(5))], 1, whole=False, most=2)) == [[1, 2], [3, 4], [0]]


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / OUT
    tail = Tail(path)
    assert tail.read() == []
    path.write_bytes(b'{"a": 1}\n{"b"')
    assert tail.read() == [{"a": 1}]
    assert tail.read() == []
    with path.open("ab") as file:
        file.write(b": NaN}\n")
    (note,) = tail.read()
    assert note["b"] != note["b"]


def test_a_writer_that_follows_a_killed_one_begins_a_new_line(tmp_path: Path) -> None:
    path = tmp_path / OUT
    path.write_bytes(b'{"a": 1}\n{"half')
    lines, tail = Lines(path), Tail(path)
    lines.post({"b": 2}, {"c": 3})
    assert tail.read() == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_a_pulse_counts_as_lost_when_it_has_not_changed_for_so_long(tmp_path: Path) -> None:
    now = [100.0]
    (tmp_path / FILE).write_text("0")
    listener = Listener(tmp_path, 5.0, clock=lambda: now[0])
    now[0] = 105.0
    assert not listener.lost
    assert not listener.heard
    (tmp_path / FILE).write_text("1")
    now[0] = 106.0
    assert not listener.lost
    assert listener.heard
    now[0] = 111.5
    assert listener.lost


class Judge(Watcher):
    def __init__(self, verdicts: Mapping[int, Verdict]) -> None:
        self.verdicts = verdicts
        self.heard: list[Any] = []

    def started(self, numbers: Any) -> None:
        self.heard.append(list(numbers))

    def record(self, number: int, record: Mapping[str, Any]) -> None:
        self.heard.append((number, record))

    def review(self, step: int, values: Mapping[int, Mapping[str, float]]) -> Mapping[int, Verdict]:
        self.heard.append((step, values))
        return self.verdicts

    def ended(self, number: int, ending: Ending) -> None:
        self.heard.append((number, ending))


def test_events_reach_the_driver_in_order_and_verdicts_come_back(tmp_path: Path) -> None:
    verdicts = {0: Stop("behind"), 1: Copy(2, {"optimizer.learning_rate": 0.1})}
    judge = Judge(verdicts)
    relay = Relay(group(0, 1, 2).members, tmp_path, judge)
    ending = Ending("pruned", {"valid.loss": float("inf")}, 0.5, "behind")
    said: list[Any] = []

    def works() -> None:
        with RemoteDirector(tmp_path, Listener(tmp_path, 60.0), decides=True) as director:
            director.started([0, 1, 2])
            director.record(0, {"step": 2, "split": "valid", "loss": 0.5})
            said.append(director.review(2, {0: {"valid.loss": 0.5}, 1: {"valid.loss": 0.4}}))
            director.ended(0, ending)

    thread = threading.Thread(target=works)
    thread.start()
    while thread.is_alive():
        relay.pump()
        thread.join(0.01)
    relay.pump()
    assert said == [verdicts]
    assert judge.heard == [
        [0, 1, 2],
        (0, {"step": 2, "split": "valid", "loss": 0.5}),
        (2, {0: {"valid.loss": 0.5}, 1: {"valid.loss": 0.4}}),
        (0, ending),
    ]
    relay.fail("its worker was lost")
    assert judge.heard[4:] == [(number, Ending("failed", {}, 0.0, "its worker was lost")) for number in (1, 2)]


def test_a_lost_worker_fails_what_had_begun_and_leaves_the_rest_queued(tmp_path: Path) -> None:
    judge = Judge({})
    relay = Relay(group(0, 1, 2).members, tmp_path, judge)
    Lines(tmp_path / OUT).post({"hello": {"host": "a", "pid": 1}}, {"started": [0]})
    relay.pump()
    assert relay.unfinished == [0]
    fresh = Relay(group(0, 1).members, tmp_path / "other", judge)
    assert fresh.unfinished == [0, 1]


def test_a_worker_that_is_asked_to_stop_waits_for_no_verdict(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("0")
    with RemoteDirector(tmp_path, Listener(tmp_path, 60.0), decides=True) as director:
        Lines(tmp_path / IN).post({"stop": "SIGINT"})
        assert director.review(2, {0: {}}) == {}
        assert director.stop_requested() == "SIGINT"


def test_nobody_waits_for_directors_that_decide_nothing(tmp_path: Path) -> None:
    assert not decides(Directors([Watcher(), Directors([Watcher()])]))
    assert decides(Directors([Watcher(), Judge({})]))
    with RemoteDirector(tmp_path, Listener(tmp_path, 60.0), decides=False) as director:
        assert director.review(2, {0: {}}) == {}
    assert Tail(tmp_path / OUT).read() == []


class OtherFolder:
    """An engine whose workers stand in a folder of the same name that is another one, as on two machines."""

    name, workers, most, cores, lost_after_s, grace_s = "elsewhere", 1, None, None, 60.0, 1.0

    def start(self, work: Work, place: int) -> Any:
        (work.mail.parent / "token").write_text("another")
        words = work()
        return SimpleNamespace(ended=lambda: words, kill=lambda process: None)


def test_a_worker_that_does_not_share_the_folder_is_told_of(tmp_path: Path) -> None:
    pool = Pool(OtherFolder(), tmp_path, whole=False)
    with pytest.raises(RunError) as caught:
        pool.run([group(0)], Watcher())
    host = os.uname().nodename
    assert str(caught.value).startswith(f"{tmp_path}: the worker on {host} does not see {tmp_path}/engine/")
    assert "  expected:  a folder on a file system that all machines share" in str(caught.value)


def told(node: dict[str, Any], **section: Any) -> str:
    plain = {"_target_": f"hydra_plugins.framework.{node.pop('target')}", **node}
    with pytest.raises(ConfigError) as caught:
        check_launcher(plain, Sweep.model_validate(section))
    return str(caught.value)


def test_mistakes_in_settings_are_told_with_their_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told({"target": "SubmititLauncher", "cpus_per_tsk": 2}).splitlines() == [
        "hydra.launcher.cpus_per_tsk: there is no such setting",
        "  expected:  max_workers, max_members, lost_after_s, grace_s, cluster, timeout_min, cpus_per_task, "
        "gpus_per_node, mem_gb, name, signal_delay_s, max_num_timeout, setup, partition, account, qos, constraint, "
        "exclude, gres, comment, additional_parameters",
        "  fix:       hydra.launcher.cpus_per_task=2",
    ]
    assert told({"target": "SubmititLauncher", "timeout_min": 0}).splitlines() == [
        "hydra.launcher.timeout_min: found 0",
        "  expected:  input should be greater than 0",
        "  fix:       hydra.launcher.timeout_min=60",
    ]
    assert "  fix:       hydra.launcher.max_workers=3" in told({"target": "SubmititLauncher"}, workers=3)
    monkeypatch.setenv("PATH", "")
    assert "hydra/launcher: SLURM is not here: there is no `srun`" in told(
        {"target": "SubmititLauncher", "cluster": "slurm"}
    )


def test_a_scheduler_beside_a_pruner_is_refused() -> None:
    pruned = told({"target": "RayLauncher", "scheduler": "asha"}, pruner="median")
    assert "hydra.launcher.scheduler: the sweep decides about its trials itself" in pruned
    tested = told({"target": "RayLauncher", "scheduler": "asha"}, objective="test.accuracy")
    assert "a scheduler compares validations, not test.accuracy" in tested


@pytest.mark.parametrize(
    ("launcher", "package", "extra"), [("ray", "ray", "ray"), ("submitit_local", "submitit", "submitit")]
)
def test_without_the_package_the_command_ends_with_two_and_what_to_install(
    launcher: str, package: str, extra: str, tiny: str
) -> None:
    code = f"""
import sys, importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {package!r} else find(name, *rest)
from framework.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
    words = ["sweep", tiny, "seed=0,1", f"hydra/launcher={launcher}"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"hydra/launcher: {package} is not installed",
        f"  expected:  {package}, for hydra/launcher={launcher}",
        f"  fix:       pip install 'framework[{extra}]', or hydra/launcher=vectorized",
    ]
    assert [path.name for path in Path().iterdir()] == ["tiny.yaml"]


def test_a_member_is_sent_whole(tmp_path: Path, tiny: str) -> None:
    import pickle

    from framework.config.compose import load

    member = Member(3, load(tiny, ["seed=5"]), tmp_path)
    work = Work((member,), tmp_path, "", "", (), 1, False, False, 60.0, 60.0)
    (copy,) = pickle.loads(pickle.dumps(work)).members
    assert (copy.number, copy.path, copy.loaded.config) == (3, tmp_path, member.loaded.config)
