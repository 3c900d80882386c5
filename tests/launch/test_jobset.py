"""The JobSets of `fw launch --k8s`: valid by the models of the API, beside golden ones that people have read."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from kubeflow_trainer_api.models.io_k8s_api_core_v1_config_map import IoK8sApiCoreV1ConfigMap
from kubeflow_trainer_api.models.jobset_v1alpha2_job_set import JobsetV1alpha2JobSet
from launch_command import Launch

from framework.config.compose import load
from framework.launch.ending import goes_on
from framework.launch.job import Job
from framework.launch.jobset import object_name, render
from framework.launch.settings import Kubernetes

GOLDEN = Path(__file__).parent / "golden"
RUN = PurePosixPath("/runs/gpt")

CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "one_pod": (1, {"image": "lab/framework:1", "claim": "runs"}),
    "sixteen_pods_of_eight_gpus": (
        16,
        {
            "name": "gpt",
            "image": "lab/framework:1",
            "claim": "lab-runs",
            "mount": "/runs",
            "namespace": "lab",
            "gpus": 8,
            "cpus": "64",
            "memory": "1000Gi",
            "restarts": 5,
            "notice_s": 300,
            "node_selector": {"gpu": "h200"},
            "labels": {"kueue.x-k8s.io/queue-name": "lab"},
        },
    ),
    "four_pods_of_four_tpus": (
        4,
        {
            "image": "lab/framework:1",
            "claim": "runs",
            "tpus": 4,
            "node_selector": {"cloud.google.com/gke-tpu-topology": "2x2x4"},
        },
    ),
}


def documents(case: str) -> tuple[dict[str, Any], dict[str, Any]]:
    processes, settings = CASES[case]
    loaded = load("digits_mlp", ["trainer.epochs=3"])
    job = Job(loaded, "digits_mlp", "run", processes, RUN, ("--trust", "my_layers"))
    recipe, job_set = yaml.safe_load_all(render(job, Kubernetes.model_validate(settings)))
    return recipe, job_set


def text_of_the_job_set(case: str) -> str:
    processes, settings = CASES[case]
    job = Job(load("digits_mlp", ["trainer.epochs=3"]), "digits_mlp", "run", processes, RUN, ("--trust", "my_layers"))
    return render(job, Kubernetes.model_validate(settings)).partition("\n---\n")[2]


@pytest.mark.parametrize("case", CASES)
def test_the_job_set_is_the_golden_one(case: str) -> None:
    assert text_of_the_job_set(case) == (GOLDEN / f"{case}.yaml").read_text()


@pytest.mark.parametrize("case", CASES)
def test_the_job_set_is_one_by_the_schema_and_has_no_field_that_the_schema_lacks(case: str) -> None:
    recipe, job_set = documents(case)
    for document, model in ((recipe, IoK8sApiCoreV1ConfigMap), (job_set, JobsetV1alpha2JobSet)):
        read = model.from_dict(document)
        assert read is not None
        assert read.to_dict() == document


def test_the_schema_sees_a_wrong_kind_and_an_unknown_field() -> None:
    _, job_set = documents("one_pod")
    job_set["spec"]["failurePolicy"]["maxRestarts"] = "3"
    with pytest.raises(ValueError, match="maxRestarts"):
        JobsetV1alpha2JobSet.from_dict(job_set)
    job_set["spec"]["failurePolicy"] = {"maxRestart": 3}
    read = JobsetV1alpha2JobSet.from_dict(job_set)
    assert read is not None
    assert read.to_dict() != job_set


@pytest.mark.parametrize("case", CASES)
def test_the_parts_of_a_job_set_name_one_another_rightly(case: str) -> None:
    recipe, job_set = documents(case)
    (replicated,) = job_set["spec"]["replicatedJobs"]
    job = replicated["template"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert rule["onExitCodes"]["values"] == [1, 2, 126, 127]
    assert not any(goes_on(code) for code in rule["onExitCodes"]["values"])
    # Kubernetes takes a podFailurePolicy only where pods are never restarted in their place.
    assert pod["restartPolicy"] == "Never"
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert volumes["recipe"]["configMap"]["name"] == recipe["metadata"]["name"]
    assert recipe["metadata"].get("namespace") == job_set["metadata"].get("namespace")


def test_the_coordinator_is_the_first_pod_by_the_name_that_job_set_gives_it() -> None:
    _, job_set = documents("sixteen_pods_of_eight_gpus")
    (replicated,) = job_set["spec"]["replicatedJobs"]
    (container,) = replicated["template"]["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    host, _, port = told["JAX_COORDINATOR_ADDRESS"].partition(":")
    name, subdomain = job_set["metadata"]["name"], job_set["spec"]["network"]["subdomain"]
    assert host == f"{name}-{replicated['name']}-0-0.{subdomain}"
    assert int(port) == container["ports"][0]["containerPort"]
    assert told["JAX_NUM_PROCESSES"] == str(replicated["template"]["spec"]["completions"])


def test_the_recipe_travels_with_the_job_and_reads_back_to_the_same(tmp_path: Path) -> None:
    recipe, job_set = documents("one_pod")
    ((name, text),) = recipe["data"].items()
    (tmp_path / name).write_text(text)
    assert load(str(tmp_path / name)).config == load("digits_mlp", ["trainer.epochs=3"]).config
    (replicated,) = job_set["spec"]["replicatedJobs"]
    (container,) = replicated["template"]["spec"]["template"]["spec"]["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert f"{mounts['recipe']}/{name}" in container["command"]


def test_a_name_is_made_of_the_recipe_s_and_leaves_room_for_those_of_pods() -> None:
    assert object_name("digits_mlp", 2, given=False) == "digits-mlp"
    longest = object_name("a" * 44, 100, given=False)
    assert len(f"{longest}-workers-0-99-abcde") == 63


def test_without_submit_the_yaml_is_printed_or_written(launch: Launch, tmp_path: Path) -> None:
    words = ("--k8s", "2", "digits_mlp", "--image", "i", "--claim", "c", "run.dir=mine")
    printed = launch(*words)
    assert (printed.code, printed.err) == (0, "")
    assert launch(*words, "-o", "job.yaml").out == "written: job.yaml\n"
    assert (tmp_path / "job.yaml").read_text() == printed.out
    assert "run.dir=/runs/mine" in printed.out


KUBECTL = '#!/bin/sh\n[ "$*" = "apply -f -" ] || exit 9\ncat > got.yaml\n'


def test_submit_hands_the_yaml_to_kubectl(launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"{KUBECTL}echo jobset.jobset.x-k8s.io/digits-mlp created\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    words = ("--k8s", "2", "digits_mlp", "--image", "i", "--claim", "c", "run.dir=mine")
    said = launch(*words, "--submit")
    assert (said.code, said.out) == (0, "jobset.jobset.x-k8s.io/digits-mlp created\nrun: /runs/mine\n")
    assert (tmp_path / "got.yaml").read_text() == launch(*words).out
    program.write_text(f"{KUBECTL}echo 'error: no matches for kind \"JobSet\"' >&2\nexit 1\n")
    refused = launch(*words, "--submit")
    assert refused.code == 2
    assert 'kubectl: refused the JobSet: error: no matches for kind "JobSet"' in refused.err


def test_without_kubectl_submit_says_so(launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = launch("--k8s", "2", "digits_mlp", "--image", "i", "--claim", "c", "--submit")
    assert said.code == 2
    assert "--submit: kubectl is not on this machine" in said.err
