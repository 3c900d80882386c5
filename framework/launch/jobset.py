"""A JobSet for Kubernetes: the recipe as a ConfigMap, and one indexed job whose pods are the processes.

Source of the fields: the API of JobSet, jobset.x-k8s.io/v1alpha2 (kubernetes-sigs/jobset), and of batch/v1 Job.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from framework.config.compose import dump
from framework.core.errors import ConfigError, Problem, RunError
from framework.launch.ending import REPEATED
from framework.launch.job import Job
from framework.launch.settings import Kubernetes

REPLICATED = "workers"
LONGEST_LABEL = 63  # of a DNS label, which the name of a pod is
RECIPE_MOUNT = PurePosixPath("/etc/framework")
INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"


def render(job: Job, settings: Kubernetes) -> str:
    """The YAML of both objects.

    Raises:
      ConfigError: no name of an object on Kubernetes can be made of the job's.
    """
    name = object_name(settings.name or job.loaded.config.name, job.processes, given=settings.name is not None)
    documents = (_recipe(job, settings, name), _job_set(job, settings, name))
    head = f"# {job.loaded.subject}, {job.processes} process{'es' * (job.processes > 1)}. Written by fw launch.\n"
    return head + "---\n".join(_yaml(document) for document in documents)


def object_name(text: str, processes: int, *, given: bool) -> str:
    """The name with what DNS allows: small letters, digits and dashes.

    Raises:
      ConfigError: it does not begin with a letter, or the names of pods would be longer than a DNS label.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    room = LONGEST_LABEL - len(f"-{REPLICATED}-0-{processes - 1}-abcde")
    if name and name[0].isalpha() and len(name) <= room and (name == text or not given):
        return name
    shorter = ("run-" + name if not name[:1].isalpha() else name)[:room].strip("-")
    expected = f"a letter, then small letters, digits and dashes, at most {room} in all"
    raise ConfigError(Problem("--name", f"'{text}' cannot name a JobSet", expected, fix=f"--name {shorter}"))


def _recipe(job: Job, settings: Kubernetes, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(name, settings),
        "data": {f"{job.loaded.name}.yaml": dump(job.loaded.tree)},
    }


def _job_set(job: Job, settings: Kubernetes, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": _metadata(name, settings),
        "spec": {
            "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True, "subdomain": name},
            "failurePolicy": {
                "maxRestarts": settings.restarts,
                "rules": [{"name": "repeated", "action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}],
            },
            "replicatedJobs": [{"name": REPLICATED, "replicas": 1, "template": {"spec": _job(job, settings, name)}}],
        },
    }


def _job(job: Job, settings: Kubernetes, name: str) -> dict[str, Any]:
    repeated = {"containerName": "framework", "operator": "In", "values": list(REPEATED)}
    return {
        "completionMode": "Indexed",
        "completions": job.processes,
        "parallelism": job.processes,
        # No pod is replaced alone: when one fails, the JobSet starts all of them again.
        "backoffLimit": 0,
        "podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": repeated}]},
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": settings.notice_s,
                **({"nodeSelector": dict(settings.node_selector)} if settings.node_selector else {}),
                "containers": [_container(job, settings, name)],
                "volumes": _volumes(settings, name),
            }
        },
    }


def _container(job: Job, settings: Kubernetes, name: str) -> dict[str, Any]:
    recipe = RECIPE_MOUNT / f"{job.loaded.name}.yaml"
    command = [settings.python, "-m", "framework", *job.words(str(recipe), ())]
    devices = {"nvidia.com/gpu": settings.gpus, "google.com/tpu": settings.tpus}
    asked = {kind: amount for kind, amount in (("cpu", settings.cpus), ("memory", settings.memory)) if amount}
    limits = {kind: str(count) for kind, count in devices.items() if count}
    if settings.memory:
        limits["memory"] = settings.memory
    return {
        "name": "framework",
        "image": settings.image,
        "workingDir": settings.mount,
        "command": command,
        "env": _environment(job, settings, name),
        **(
            {"ports": [{"name": "coordinator", "containerPort": settings.port, "protocol": "TCP"}]}
            if job.processes > 1
            else {}
        ),
        **({"resources": _resources(asked, limits)} if asked or limits else {}),
        "volumeMounts": [
            {"name": "runs", "mountPath": settings.mount},
            {"name": "recipe", "mountPath": str(RECIPE_MOUNT), "readOnly": True},
            *([{"name": "shared-memory", "mountPath": "/dev/shm"}] if settings.gpus > 1 else []),
        ],
    }


def _environment(job: Job, settings: Kubernetes, name: str) -> list[dict[str, Any]]:
    """Where the processes meet; JobSet names its pods <set>-<job>-<index of the job>-<index of the pod>.<subdomain>."""
    unbuffered = {"name": "PYTHONUNBUFFERED", "value": "1"}
    if job.processes == 1:
        return [unbuffered]
    return [
        unbuffered,
        {"name": "JAX_COORDINATOR_ADDRESS", "value": f"{name}-{REPLICATED}-0-0.{name}:{settings.port}"},
        {"name": "JAX_NUM_PROCESSES", "value": str(job.processes)},
        {"name": "JAX_PROCESS_ID", "valueFrom": {"fieldRef": {"fieldPath": INDEX}}},
    ]


def _volumes(settings: Kubernetes, name: str) -> list[dict[str, Any]]:
    memory = [{"name": "shared-memory", "emptyDir": {"medium": "Memory"}}]
    return [
        {"name": "runs", "persistentVolumeClaim": {"claimName": settings.claim}},
        {"name": "recipe", "configMap": {"name": name}},
        # Libraries of collectives exchange data between GPUs of a node there; containers get 64 MiB otherwise.
        *(memory if settings.gpus > 1 else []),
    ]


def _resources(requests: Mapping[str, str], limits: Mapping[str, str]) -> dict[str, Any]:
    found = {"requests": dict(requests), "limits": dict(limits)}
    return {kind: amounts for kind, amounts in found.items() if amounts}


def _yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=200)


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as such, so that the recipe inside can be read."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """A scalar, as a block where it has several lines."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)

    def ignore_aliases(self, data: Any) -> bool:
        """Always: what stands twice is written twice."""
        return True


_Dumper.add_representer(str, _Dumper.represent_str)


def _metadata(name: str, settings: Kubernetes) -> dict[str, Any]:
    namespace = {"namespace": settings.namespace} if settings.namespace else {}
    return {"name": name, **namespace, **({"labels": dict(settings.labels)} if settings.labels else {})}


def submit(text: str) -> str:
    """Hand the YAML to kubectl; what it answers.

    Raises:
      RunError: there is no kubectl, or it refuses.
    """
    program = shutil.which("kubectl")
    if program is None:
        fix = "fw launch --k8s ... -o job.yaml, and elsewhere: kubectl apply -f job.yaml"
        raise RunError(Problem("--submit", "kubectl is not on this machine", "kubectl on the path", fix=fix))
    done = subprocess.run([program, "apply", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise RunError(Problem("kubectl", f"refused the JobSet: {reason}", fix="mend what it says and submit again"))
    return done.stdout.strip()
