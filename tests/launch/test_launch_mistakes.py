"""What is wrong with a launch is told before anything is started or written, with what to type instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from launch_command import Launch

K8S = ("--k8s", "2", "digits_mlp", "--image", "i", "--claim", "c")

MISTAKES = {
    "no target": (
        ("digits_mlp",),
        ("fw launch: where to run is not said", "one of --local N, --slurm N, --k8s N", "--local 2 digits_mlp"),
    ),
    "two targets": (
        ("--slurm", "2", "--k8s", "2", "digits_mlp"),
        ("fw launch: --slurm and --k8s are both given", "leave out --k8s"),
    ),
    "no number": (("--local", "digits_mlp"), ("--local: unknown value 'digits_mlp'", "a positive integer")),
    "no processes": (("--slurm", "0", "digits_mlp"), ("--slurm: unknown value '0'", "--slurm 1")),
    "no recipe": (("--local", "2"), ("fw launch: missing: RECIPE",)),
    "an unknown option": (
        ("--slurm", "2", "digits_mlp", "--partion", "gpu"),
        ("fw launch: unknown option '--partion'", "fix:       --partition"),
    ),
    "an option of another target": (
        ("--slurm", "2", "digits_mlp", "--image", "i"),
        ("--image: --slurm has no such setting", "--gpus-per-node", "leave out --image"),
    ),
    "submit without k8s": (("--local", "2", "digits_mlp", "--submit"), ("--submit: --local has no such option",)),
    "a mistake in the recipe": (
        ("--local", "2", "digits_mlp", "trainer.epoch=3"),
        ("recipe digits_mlp has 1 problem", "trainer.epoch: unknown key 'epoch'", "trainer.epochs=3"),
    ),
    "an unknown recipe": (("--k8s", "2", "digits_mpl", "--image", "i", "--claim", "c"), ("digits_mlp",)),
    "one device for several processes": (
        ("--local", "2", "digits_mlp", "parallel=single"),
        ("parallel.type: single is a layout of one device, but 2 processes are launched", "fix:       parallel=data"),
    ),
    "a batch that does not divide": (
        ("--slurm", "3", "digits_mlp", "parallel=data"),
        ("data.batch_size: 64 rows cannot be divided among 3 devices: 64 = 21 x 3 + 1", "data.batch_size=63"),
    ),
    "a batch that does not divide among the devices of all processes": (
        ("--local", "2", "--devices-per-process", "3", "digits_mlp", "parallel=fsdp"),
        ("data.batch_size: 64 rows cannot be divided among 6 devices", "data.batch_size=66"),
    ),
    "another number of devices": (
        ("--local", "2", "--devices-per-process", "2", "digits_mlp", "parallel=data", "parallel.devices=8"),
        ("parallel.devices: 8, but 2 processes with 2 devices each are launched", "fix:       parallel.devices=4"),
    ),
    "a mesh of another size": (
        ("--local", "2", "digits_mlp", "parallel=mesh", "parallel.axes={data: 1, fsdp: 4, tensor: 1}"),
        ("fsdp 4 = 4 devices, but 2 devices are launched", "parallel.axes.fsdp=2"),
    ),
    "nodes that are not full": (
        ("--slurm", "6", "digits_mlp", "data.batch_size=66", "--tasks-per-node", "4", "--gpus-per-node", "6"),
        (
            "--tasks-per-node: 6 processes do not fill nodes of 4",
            "--slurm 8",
            "--gpus-per-node: 6 GPUs cannot be shared evenly by 4 processes",
        ),
    ),
    "no image and no claim": (
        ("--k8s", "2", "digits_mlp"),
        ("--image: the required setting 'image' is missing", "--image IMAGE", "--claim CLAIM"),
    ),
    "a number that is none": (
        ("--slurm", "2", "digits_mlp", "--cpus-per-task", "many", "--gpus-per-node", "-1"),
        ("--cpus-per-task: found 'many', text", "--gpus-per-node: -1 is out of range", "--gpus-per-node 0"),
    ),
    "a time that is none": (
        ("--slurm", "2", "digits_mlp", "--time", "3d"),
        ("--time: '3d' has another form", "days-hours", "--time 12:00:00"),
    ),
    "several lines where one belongs": (
        ("--slurm", "2", "digits_mlp", "--account", "me\n#SBATCH --exclusive"),
        (r"--account: 'me\n#SBATCH --exclusive' has another form", "one line of text"),
    ),
    "a name that Kubernetes refuses": (
        (*K8S, "--name", "Digits_MLP"),
        ("--name: 'Digits_MLP' cannot name a JobSet", "at most 45 in all", "--name digits-mlp"),
    ),
    "a run outside of the claim": (
        (*K8S, "run.dir=/elsewhere/mine"),
        ("run.dir: /elsewhere/mine is not inside /runs", "the run would end with its pod", "run.dir=mine"),
    ),
    "no file of settings": (
        ("--slurm", "2", "digits_mlp", "--settings", "cluster.yaml"),
        ("--settings: cluster.yaml does not exist",),
    ),
    "no memory on Kubernetes": ((*K8S, "--memory", "64 GB"), ("--memory: '64 GB' has another form", "--memory 64Gi")),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_ends_with_2_and_names_the_fix_and_leaves_nothing(case: str, launch: Launch, tmp_path: Path) -> None:
    words, told = MISTAKES[case]
    said = launch(*words)
    assert (said.code, said.out) == (2, "")
    assert [text for text in told if text not in said.err] == [], said.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_refused(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    said = launch("--local", "2", "digits_mlp", "run.dir=full")
    assert said.code == 2
    assert "run.dir: full exists and is not a run: it holds thesis.tex" in said.err


def test_a_run_of_another_recipe_is_refused_with_the_difference(launch: Launch, tmp_path: Path) -> None:
    from framework.config.compose import dump, load

    (tmp_path / "mine").mkdir()
    tree = load("digits_mlp").config.model_dump(mode="json")
    (tmp_path / "mine" / "config.yaml").write_text(dump(tree))
    said = launch("--slurm", "2", "digits_mlp", "run.dir=mine", "seed=3", "--dry-run")
    assert said.code == 2
    assert "mine: holds a run of another recipe:\n  seed: 0 -> 3" in said.err
    assert launch("--slurm", "2", "digits_mlp", "run.dir=mine", "parallel=data", "--dry-run").code == 0


FILES = {
    "an unknown section": ("slrum: {}", ("slrum: unknown section 'slrum'", "cluster.yaml:1", "fix:       slurm: ...")),
    "an unknown setting": (
        "slurm:\n  partion: gpu",
        ("slurm.partion: unknown key 'partion'", "cluster.yaml:2", "fix:       partition: gpu"),
    ),
    "a number that is none": (
        "slurm: {tasks_per_node: two}",
        ("slurm.tasks_per_node: found 'two', text", "cluster.yaml:1", "fix:       tasks_per_node: 1 (the default)"),
    ),
    "a time that YAML reads as a number": (
        "slurm:\n  time: 24:00:00",
        ("slurm.time: found 86400, a whole number, written 24:00:00", "cluster.yaml:2", "fix:       time: '24:00:00'"),
    ),
    "a list": ("- slurm", ("cluster.yaml: is no mapping of sections", "sections local, slurm, k8s")),
    "no YAML": ("slurm: {", ("cluster.yaml",)),
}


@pytest.mark.parametrize("case", FILES)
def test_a_mistake_in_the_settings_is_told_with_its_line(case: str, launch: Launch, tmp_path: Path) -> None:
    text, told = FILES[case]
    (tmp_path / "cluster.yaml").write_text(text)
    said = launch("--slurm", "2", "digits_mlp", "--settings", "cluster.yaml")
    assert (said.code, said.out) == (2, "")
    assert [each for each in told if each not in said.err] == [], said.err
