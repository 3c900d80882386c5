"""Where the processes meet: what the recipe, a launcher and SLURM say, and what is told where they do not."""

from __future__ import annotations

import re

import pytest

from framework.config.compose import load
from framework.core.addresses import host_and_port
from framework.core.errors import ConfigError
from framework.parallel.hosts.place import Place, find, first_node

LAUNCHED = {"JAX_COORDINATOR_ADDRESS": "node1:5000", "JAX_NUM_PROCESSES": "4", "JAX_PROCESS_ID": "3"}
SLURM = {
    "SLURM_JOB_ID": "70001",
    "SLURM_STEP_NODELIST": "gpu[017-020]",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_TASKS_PER_NODE": "2(x4)",
}


def test_a_launchers_variables_come_before_the_schedulers() -> None:
    assert find("auto", LAUNCHED | SLURM) == Place("node1", 5000, 4, 3)


def test_a_slurm_task_that_shares_its_node_has_one_device() -> None:
    assert find("auto", SLURM) == Place("gpu017", 61440 + 70001 % 4096, 8, 5, (1,))


def test_a_slurm_task_alone_on_its_node_has_all_devices() -> None:
    alone = SLURM | {"SLURM_STEP_TASKS_PER_NODE": "1(x8)", "SLURM_LOCALID": "0"}
    assert find("auto", alone) == Place("gpu017", 61440 + 70001 % 4096, 8, 5)


def test_the_port_of_a_slurm_job_can_be_chosen() -> None:
    found = find("auto", SLURM | {"JAX_COORDINATOR_PORT": "7000"})
    assert found is not None and found.port == 7000


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node1", "node1"),
        ("node1,node2", "node1"),
        ("node[007-015],other", "node007"),
        ("n[1,5-6]-ib,m", "n1-ib"),
        ("a,b[1-2]", "a"),
    ],
)
def test_the_first_node_of_a_list(nodes: str, first: str) -> None:
    assert first_node(nodes) == first


def test_nobody_says_anything() -> None:
    assert find("auto", {}) is None


def test_the_recipe_says_it() -> None:
    hosts = "parallel.hosts={coordinator: '[fd00::1]:5000', processes: 2, process: 1}"
    section = load("digits_mlp", [hosts]).config.parallel
    assert find(section.hosts, LAUNCHED) == Place("fd00::1", 5000, 2, 1)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (
            {"JAX_COORDINATOR_ADDRESS": "node1:5000"},
            "auto finds JAX_COORDINATOR_ADDRESS=node1:5000, but not JAX_NUM_PROCESSES, JAX_PROCESS_ID",
        ),
        (LAUNCHED | {"JAX_PROCESS_ID": "4"}, "JAX_PROCESS_ID=4\n  expected:  0 to 3: there are 4 processes"),
        (LAUNCHED | {"JAX_PROCESS_ID": "one"}, "JAX_PROCESS_ID=one\n  expected:  a whole number, counted from 0"),
        (LAUNCHED | {"JAX_NUM_PROCESSES": "0"}, "JAX_NUM_PROCESSES=0\n  expected:  a whole number > 0"),
        (LAUNCHED | {"JAX_COORDINATOR_ADDRESS": "node1"}, "JAX_COORDINATOR_ADDRESS=node1\n  expected:  ADDRESS:PORT"),
        (
            {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2"},
            "auto finds SLURM job 7, but not SLURM_STEP_NODELIST, SLURM_PROCID",
        ),
    ],
)
def test_what_is_half_set_or_impossible_is_told(environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        find("auto", environment)
    assert all(problem.key == "parallel.hosts" and problem.fix for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ("{coordinator: 'node1:5000', processes: 2, process: 2}", "parallel.hosts.process: process 2 of 2"),
        ("{coordinator: node1, processes: 2, process: 0}", "parallel.hosts.coordinator: 'node1' is no address"),
        ("{coordinator: 'node1:5000', processes: 2}", "parallel.hosts.process: the required setting 'process' is"),
        ("{coordinator: 'node1:5000', processes: 0, process: 0}", "parallel.hosts.processes: 0 is out of range"),
        ("yes", "parallel.hosts"),
    ],
)
def test_a_coordinator_in_the_recipe_is_checked(hosts: str, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        load("digits_mlp", [f"parallel.hosts={hosts}"])
    assert all(problem.fix for problem in caught.value.problems)


def test_one_device_has_no_hosts() -> None:
    with pytest.raises(ConfigError, match="type single has no setting 'hosts'"):
        load("digits_mlp", ["parallel=single", "++parallel.hosts=auto"])


@pytest.mark.parametrize("text", ["node1", "node1:", ":5000", "node1:0", "node1:65536", "fd00::1:5000", "a b:1"])
def test_what_is_no_address(text: str) -> None:
    assert host_and_port(text) is None
