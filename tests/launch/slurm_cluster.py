"""A SLURM of one node for the tests: munge, controller and node daemon on the loopback interface, in one folder."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "scancel", "squeue")
REQUEUE_DELAY_S = 5
PATIENCE_S = 300

CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A job that is queued again waits as long as its credential may live.
AuthInfo=socket={folder}/munge.socket,cred_expire={delay}
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=30
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=tests Nodes={host} Default=YES MaxTime=10 State=UP PriorityTier=1 GraceTime=60
PartitionName=urgent Nodes={host} MaxTime=10 State=UP PriorityTier=9
"""


class Cluster:
    """Runs while the context is open.

    Attributes:
      folder: of configuration, state and logs.
      environment: variables with which SLURM's commands, and `fw launch`, talk to it.
    """

    def __init__(self) -> None:
        # Not below pytest's own folder: munge wants its socket where everybody may go.
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.folder.chmod(0o755)
        self.config = self.folder / "slurm.conf"
        self.environment = {**os.environ, "SLURM_CONF": str(self.config)}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self._configure()
            self._start([_find("munged"), "--foreground", f"--key-file={self.folder}/munge.key", "--num-threads=2"]
                        + [f"--{name}-file={self.folder}/munge.{name}" for name in ("log", "pid", "seed")]
                        + [f"--socket={self.folder}/munge.socket"])  # fmt: skip
            self._wait_for("munged", lambda: (self.folder / "munge.socket").exists())
            self._start([_find("slurmctld"), "-D", "-i", "-f", str(self.config)])
            self._start([_find("slurmd"), "-D", "-f", str(self.config), "-N", _host()])
            self._wait_for("the node to be idle", lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ask("scancel", "--partition=tests")
        self._stop()

    @staticmethod
    def plain_environment(root: Path) -> dict[str, str]:
        """Variables for a process outside of the cluster."""
        return {**os.environ, "PYTHONPATH": str(root)}

    def ask(self, *words: str) -> str:
        """What a command of SLURM prints."""
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False).stdout

    def job(self, number: str) -> dict[str, str]:
        """What the controller knows of a job, by SLURM's own names: JobState, Restarts, ExitCode ..."""
        words = self.ask("scontrol", "show", "job", "--oneliner", number).split()
        return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}

    def wait_until(self, number: str, *states: str) -> dict[str, str]:
        """The job as soon as it is in one of these states."""
        wait_for(f"job {number} to be {' or '.join(states)}", lambda: self.job(number).get("JobState") in states)
        return self.job(number)

    def _configure(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(64))
        key.chmod(0o400)
        controller, node = _free_ports(2)
        names = {"host": _host(), "user": getpass.getuser(), "folder": self.folder, "delay": REQUEUE_DELAY_S}
        self.config.write_text(CONFIG.format(**names, controller_port=controller, node_port=node))

    def _start(self, command: Sequence[str]) -> None:
        name = Path(command[0]).name
        with (self.folder / f"{name}.out").open("wb") as log:
            daemon = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, start_new_session=True)
        self._daemons[name] = daemon

    def _wait_for(self, what: str, happened: Callable[[], bool]) -> None:
        def happened_or_lost() -> bool:
            lost = [name for name, daemon in self._daemons.items() if daemon.poll() is not None]
            assert not lost, f"{lost[0]} ended: {(self.folder / f'{lost[0]}.out').read_text()[-500:]}"
            return happened()

        wait_for(what, happened_or_lost)

    def _stop(self) -> None:
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder)


def missing() -> list[str]:
    """The programs of SLURM and munge that this machine lacks."""
    return [name for name in PROGRAMS if not shutil.which(name, path=_path())]


def wait_for(what: str, happened: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Return as soon as something has happened; fail when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


def records(run: Path) -> list[dict[str, object]]:
    """The metric log of a run so far."""
    path = run / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _find(program: str) -> str:
    found = shutil.which(program, path=_path())
    assert found is not None
    return found


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
