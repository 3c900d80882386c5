"""The section `parallel`: how a run is laid out over devices. Every layout means the same computation."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from framework.config.schema.base import Component, CrossFieldError, Number, Spec
from framework.core.addresses import host_and_port
from framework.core.axes import filled, require_one_open
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest

Positive = Annotated[int, Field(gt=0)]
AxisName = Literal["fsdp", "tensor"]


AxisSize = Annotated[int, Field(ge=1)] | Literal[-1]
MinSize = Annotated[Positive, Field(description="smaller parameters (in elements) are kept whole on every device")]
Devices = Annotated[Positive | None, Field(description="how many devices, the first ones; null: every one there is")]


_EXAMPLE = {"coordinator": "node1:5000", "processes": 2, "process": 0}


class Coordinator(Spec):
    """Where the processes of a job meet, and which of them this one is."""

    coordinator: str = Field(description="ADDRESS:PORT of process 0, as all others reach it, e.g. node1:5000")
    processes: Positive = Field(description="how many processes there are")
    process: Annotated[int, Field(ge=0)] = Field(description="the number of this one, from 0")

    @model_validator(mode="before")
    @classmethod
    def _is_whole(cls, values: Any) -> Any:
        problems = [
            Problem(
                name,
                f"the required setting '{name}' is missing",
                field.description,
                fix=f"parallel.hosts.{name}={_EXAMPLE[name]}",
            )
            for name, field in cls.model_fields.items()
            if isinstance(values, dict) and name not in values
        ]
        if problems:
            raise CrossFieldError(*problems)
        return values

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        problems = []
        if host_and_port(self.coordinator) is None:
            expected = "ADDRESS:PORT of process 0, a port from 1 to 65535"
            fix = f"parallel.hosts.coordinator={self.coordinator.partition(':')[0] or 'node1'}:5000"
            problems.append(
                Problem("coordinator", f"'{self.coordinator}' is no address with a port", expected, fix=fix)
            )
        if self.process >= self.processes:
            problems.append(
                Problem(
                    "process",
                    f"process {self.process} of {self.processes}",
                    f"0 to {self.processes - 1}: processes are counted from 0",
                    fix=f"parallel.hosts.process={self.processes - 1}, or parallel.hosts.processes={self.process + 1}",
                    suspects=("processes",),
                )
            )
        if problems:
            raise CrossFieldError(*problems)
        return self


def _kind_of_hosts(value: Any) -> str:
    return "mapping" if isinstance(value, dict | Coordinator) else "word"


Hosts = Annotated[
    Annotated[Literal["auto"] | None, Tag("word")] | Annotated[Coordinator, Tag("mapping")],
    Discriminator(_kind_of_hosts),
    Field(description="the processes of the job; auto: as the launcher or scheduler says; null: this one alone"),
]
Heartbeat = Annotated[
    Number, Field(gt=0, description="a process that is silent for so many seconds is lost, and the job ends")
]
Join = Annotated[Number, Field(gt=0, description="how many seconds to wait for all processes to arrive")]


class Rule(Spec):
    """Which dimensions of some parameters are divided among the devices of which mesh axis."""

    match: str = Field(
        min_length=1, description="regular expression, sought in the parameter's path, e.g. stack.mlp_in.kernel$"
    )
    spec: tuple[AxisName | None, ...] = Field(
        min_length=1, description="an axis or null for each of the last dimensions; those before are not divided"
    )
    optional: bool = Field(
        False, description="may match nothing, and keeps a parameter whole that the axis does not divide"
    )

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(self.match)
        except re.error as error:
            found = f"'{self.match}' is no regular expression: {error}"
            raise CrossFieldError(
                Problem(
                    "match", found, "a pattern of Python's re", fix=f"{re.escape(self.match)}, if it is meant as text"
                )
            ) from None
        return self


Rules = Annotated[
    dict[str, Rule], Field(default_factory=dict, description="name -> rule; the first that matches a parameter wins")
]


class Layout(Component):
    """What all layouts share."""

    rows: ClassVar[tuple[str, ...]] = ()
    """The axes that a batch is divided among."""

    def sizes(self) -> dict[str, int]:
        """Axis -> size; -1 for the devices that the others leave."""
        return dict.fromkeys(self.rows, -1)

    def known_rows(self) -> int | None:
        """Among how many devices a batch is divided, where the section alone tells; else None."""
        sizes, devices = self.sizes(), getattr(self, "devices", None)
        if devices is not None:
            sizes = filled(sizes, devices)
        parts = [sizes[axis] for axis in self.rows]
        return None if -1 in parts else math.prod(parts)


class Auto(Layout):
    """One device: single. Several: data, or fsdp where the state would take a large part of a device's memory."""

    type: Literal["auto"]
    devices: Devices = None
    hosts: Hosts = None
    heartbeat_s: Heartbeat = 60.0
    join_s: Join = 300.0

    def known_rows(self) -> int | None:
        """None: it takes as many devices as divide the batch."""
        return None


class Single(Layout):
    """One device, the first."""

    type: Literal["single"]


class Pmap(Layout):
    """`jax.pmap`: a copy of the state on each device, the batch divided, gradients summed over a named axis."""

    type: Literal["pmap"]
    devices: Devices = None
    hosts: Hosts = None
    heartbeat_s: Heartbeat = 60.0
    join_s: Join = 300.0
    rows: ClassVar[tuple[str, ...]] = ("data",)


class Data(Layout):
    """A copy of the state on each device, the batch divided; one program that XLA partitions."""

    type: Literal["data"]
    devices: Devices = None
    hosts: Hosts = None
    heartbeat_s: Heartbeat = 60.0
    join_s: Join = 300.0
    rows: ClassVar[tuple[str, ...]] = ("data",)


class Fsdp(Layout):
    """The batch divided, and so are parameters, gradients, optimizer state and moving average."""

    type: Literal["fsdp"]
    devices: Devices = None
    hosts: Hosts = None
    heartbeat_s: Heartbeat = 60.0
    join_s: Join = 300.0
    min_size: MinSize = 1024
    rows: ClassVar[tuple[str, ...]] = ("fsdp",)


class Tensor(Layout):
    """Parameters and activations of wide layers divided by rules; every device sees the whole batch."""

    type: Literal["tensor"]
    devices: Devices = None
    hosts: Hosts = None
    heartbeat_s: Heartbeat = 60.0
    join_s: Join = 300.0
    rules: Rules

    def sizes(self) -> dict[str, int]:
        """All devices on one axis."""
        return {"tensor": -1}


_ELSEWHERE = {"model": "tensor", "tp": "tensor", "batch": "data", "replica": "data", "dp": "data", "zero": "fsdp"}
"""What other programs call the axes of a mesh."""


class MeshAxes(Spec):
    """How many devices each axis of a mesh has; their product is the number of devices."""

    data: AxisSize = Field(1, description="copies of the state, each with its part of the batch; -1: the rest")
    fsdp: AxisSize = Field(1, description="parts of the state, each with its part of the batch; -1: the rest")
    tensor: AxisSize = Field(1, description="parts of wide layers, by rules; -1: the rest")

    @model_validator(mode="before")
    @classmethod
    def _has_our_names(cls, values: Any) -> Any:
        problems = [
            Problem(
                name,
                f"unknown axis '{name}'",
                ", ".join(cls.model_fields),
                fix=f"parallel.axes.{_ELSEWHERE[near]}={values[name]}",
            )
            for name in (values if isinstance(values, dict) else ())
            if (near := closest(str(name), [*cls.model_fields, *_ELSEWHERE], cutoff=0.8)) in _ELSEWHERE
        ]
        if problems:
            raise CrossFieldError(*problems)
        return values


class Mesh(Layout):
    """Data, fsdp and tensor at once, each over one axis of a mesh."""

    type: Literal["mesh"]
    axes: MeshAxes
    devices: Devices = None
    hosts: Hosts = None
    heartbeat_s: Heartbeat = 60.0
    join_s: Join = 300.0
    min_size: MinSize = 1024
    rules: Rules
    rows: ClassVar[tuple[str, ...]] = ("data", "fsdp")

    def sizes(self) -> dict[str, int]:
        """As `axes` says."""
        return {"data": self.axes.data, "fsdp": self.axes.fsdp, "tensor": self.axes.tensor}

    @model_validator(mode="after")
    def _multiplies_out(self) -> Self:
        try:
            if self.devices is None:
                require_one_open(self.sizes(), key="axes")
            else:
                filled(self.sizes(), self.devices, key="axes")
        except ConfigError as error:
            raise CrossFieldError(*error.problems) from None
        return self


Parallel = Annotated[Auto | Single | Pmap | Data | Fsdp | Tensor | Mesh, Field(discriminator="type")]
"""Any layout, told apart by `type`."""
