"""The section `parallel`: how a run is laid out over devices. Every layout means the same computation."""

from __future__ import annotations

import math
import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from framework.config.schema.base import Component, CrossFieldError, Spec
from framework.core.axes import filled, require_one_open
from framework.core.errors import ConfigError, Problem

Positive = Annotated[int, Field(gt=0)]
AxisName = Literal["fsdp", "tensor"]


AxisSize = Annotated[int, Field(ge=1)] | Literal[-1]
MinSize = Annotated[Positive, Field(description="smaller parameters (in elements) are kept whole on every device")]
Devices = Annotated[Positive | None, Field(description="how many devices, the first ones; null: every one there is")]


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
    rows: ClassVar[tuple[str, ...]] = ("data",)


class Data(Layout):
    """A copy of the state on each device, the batch divided; one program that XLA partitions."""

    type: Literal["data"]
    devices: Devices = None
    rows: ClassVar[tuple[str, ...]] = ("data",)


class Fsdp(Layout):
    """The batch divided, and so are parameters, gradients, optimizer state and moving average."""

    type: Literal["fsdp"]
    devices: Devices = None
    min_size: MinSize = 1024
    rows: ClassVar[tuple[str, ...]] = ("fsdp",)


class Tensor(Layout):
    """Parameters and activations of wide layers divided by rules; every device sees the whole batch."""

    type: Literal["tensor"]
    devices: Devices = None
    rules: Rules

    def sizes(self) -> dict[str, int]:
        """All devices on one axis."""
        return {"tensor": -1}


class MeshAxes(Spec):
    """How many devices each axis of a mesh has; their product is the number of devices."""

    data: AxisSize = Field(1, description="copies of the state, each with its part of the batch; -1: the rest")
    fsdp: AxisSize = Field(1, description="parts of the state, each with its part of the batch; -1: the rest")
    tensor: AxisSize = Field(1, description="parts of wide layers, by rules; -1: the rest")


class Mesh(Layout):
    """Data, fsdp and tensor at once, each over one axis of a mesh."""

    type: Literal["mesh"]
    axes: MeshAxes
    devices: Devices = None
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
