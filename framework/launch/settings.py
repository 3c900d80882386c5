"""What a launch may be told: options of `fw launch`, and sections of the YAML file that a team writes once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from framework.config.schema.base import CrossFieldError, Spec
from framework.core.errors import Problem

Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]
Restarts = Annotated[Count, Field(description="how often the whole job is started again after it ended early")]
Python = Annotated[Text, Field(description="the interpreter that runs the framework there")]
Name = Annotated[Text | None, Field(description="name of the job; null: that of the recipe")]


@dataclass(frozen=True)
class Form:
    """What the text of a setting has to look like, by a regular expression, in words and by an example."""

    pattern: str
    expected: str
    example: str


ONE_LINE = Form(r"[^\r\n]+", "one line of text", "...")
TIME = Form(
    r"\d+(:\d\d){0,2}|\d+-\d\d?(:\d\d){0,2}",
    "minutes, minutes:seconds, hours:minutes:seconds or days-hours, in quotes where it stands in YAML",
    "12:00:00",
)
MEMORY = Form(r"\d+[KMGT]?", "a whole number with K, M, G or T", "64G")
CORES = Form(r"\d+(\.\d+)?m?", "a number, or thousandths such as 500m", "8")
BYTES = Form(r"\d+(\.\d+)?([kMGTPE]i?)?", "a quantity of Kubernetes, such as 64Gi", "64Gi")
ABSOLUTE = Form(r"/[^\r\n]+", "an absolute path", "/runs")


class Target(Spec):
    """Where processes are started."""

    option: ClassVar[str]
    """The option of `fw launch` that chooses it, which is also its section in the file."""

    forms: ClassVar[dict[str, Form]] = {}
    """Settings whose text has a form of its own; all others have one line."""

    @model_validator(mode="after")
    def _is_well_formed(self) -> Self:
        texts = [(name, value) for name in type(self).model_fields if isinstance(value := getattr(self, name), str)]
        forms = [(name, value, self.forms.get(name, ONE_LINE)) for name, value in texts]
        problems = [
            Problem(name, f"{value!r} has another form", form.expected, fix=f"{name}={form.example}")
            for name, value, form in forms
            if not re.fullmatch(form.pattern, value)
        ]
        if problems:
            raise CrossFieldError(*problems)
        return self


class Local(Target):
    """Processes on this machine."""

    option: ClassVar[str] = "local"
    devices_per_process: Positive | None = Field(
        None, description="devices of each process: virtual ones on the CPU, its share of the GPUs"
    )
    restarts: Restarts = 0
    notice_s: Positive = Field(30, description="seconds that a process has to save and end when others have failed")


class Slurm(Target):
    """A batch job of SLURM; the settings are named as the options of sbatch."""

    option: ClassVar[str] = "slurm"
    forms: ClassVar[dict[str, Form]] = {"time": TIME, "mem": MEMORY}
    name: Name = None
    partition: Text | None = Field(None, description="partition (queue); null: the cluster's default")
    account: Text | None = Field(None, description="account that is charged")
    qos: Text | None = Field(None, description="quality of service")
    constraint: Text | None = Field(None, description="features that the nodes must have")
    time: Text | None = Field(None, description="limit in minutes, as hours:minutes:seconds or as days-hours")
    tasks_per_node: Positive = Field(1, description="processes on each node")
    gpus_per_node: Count = Field(0, description="GPUs of each node, shared evenly by its processes")
    cpus_per_task: Positive | None = Field(None, description="CPU cores of each process")
    mem: Text | None = Field(None, description="memory of each node, e.g. 64G")
    notice_s: Positive = Field(90, description="seconds before the end at which SIGTERM asks the run to save")
    restarts: Restarts = 20
    python: Python | None = None
    setup: tuple[Text, ...] = Field((), strict=False, description="lines of shell before the run, e.g. module load")
    directives: tuple[Text, ...] = Field((), strict=False, description="further options of sbatch, e.g. --exclusive")


class Kubernetes(Target):
    """A JobSet on Kubernetes."""

    option: ClassVar[str] = "k8s"
    forms: ClassVar[dict[str, Form]] = {"cpus": CORES, "memory": BYTES, "mount": ABSOLUTE}
    name: Name = None
    image: Text = Field(description="container image that has the framework installed")
    claim: Text = Field(description="PersistentVolumeClaim for runs, writable from all pods")
    mount: Text = Field("/runs", description="where the claim is in the container")
    namespace: Text | None = Field(None, description="namespace; null: that of kubectl's context")
    gpus: Count = Field(0, description="nvidia.com/gpu of each process")
    tpus: Count = Field(0, description="google.com/tpu of each process")
    cpus: Text | None = Field(None, description="CPU cores of each process, e.g. 8 or 500m")
    memory: Text | None = Field(None, description="memory of each process, e.g. 64Gi")
    port: Annotated[int, Field(ge=1024, le=65535)] = Field(8476, description="port at which the first process listens")
    notice_s: Positive = Field(90, description="seconds between SIGTERM and SIGKILL, in which the run saves itself")
    restarts: Restarts = 10
    python: Python = "python"
    node_selector: dict[str, str] = Field(default_factory=dict, description="labels that the nodes must have")
    labels: dict[str, str] = Field(default_factory=dict, description="labels of the JobSet, e.g. a queue's")


Settings = Local | Slurm | Kubernetes
TARGETS: tuple[type[Local] | type[Slurm] | type[Kubernetes], ...] = (Local, Slurm, Kubernetes)
