"""Settings of the launchers that run groups elsewhere, under `hydra.launcher`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, TypeVar

from omegaconf import DictConfig, OmegaConf
from pydantic import Field, ValidationError

from framework.config.schema.base import Spec
from framework.config.validation.wording import as_override
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed

Positive = Annotated[int, Field(gt=0)]
PREFIX = "hydra.launcher"


class EngineSettings(Spec):
    """What every engine has.

    Attributes:
      max_workers: how many units run at a time; null: what the engine has room for.
      max_members: members of a unit at most; null: a worker's share of all.
      lost_after_s: without a sign of the driver for so long a worker saves its members and ends.
      grace_s: how long workers have for saving their members when the sweep is stopped.
    """

    max_workers: Positive | None = None
    max_members: Positive | None = None
    lost_after_s: Annotated[float, Field(ge=2)] = 60.0
    grace_s: Annotated[float, Field(gt=0)] = 60.0


class RaySettings(EngineSettings):
    """Settings of `hydra/launcher=ray`.

    Attributes:
      address: of a cluster that runs, as `ray.init` takes it; null: RAY_ADDRESS, else a cluster on this machine.
      num_cpus: cores of each worker.
      num_gpus: of each worker, also a part of one; null: one where the cluster has any.
      resources: further ones that each worker needs, by name.
      runtime_env: of the workers, as Ray takes it.
      scheduler: of Ray Tune, which ends trials early; its name, or `type` and its own arguments.
    """

    address: str | None = None
    num_cpus: Positive = 1
    num_gpus: Annotated[float, Field(ge=0)] | None = None
    resources: dict[str, float] = Field(default_factory=dict)
    runtime_env: dict[str, Any] = Field(default_factory=dict)
    scheduler: str | dict[str, Any] | None = None


class SubmititSettings(EngineSettings):
    """Settings of `hydra/launcher=submitit_local` and `submitit_slurm`; most go to submitit as they are.

    Attributes:
      cluster: where submitit runs jobs.
      timeout_min: of a job, in minutes.
      cpus_per_task: cores of each job.
      gpus_per_node: of each job.
      mem_gb: memory of each job.
      name: of the jobs.
      signal_delay_s: so long before a job's end it is told, and saves its members.
      max_num_timeout: how often a job that ran out of time begins again.
      setup: commands of the shell before a job begins.
      partition, account, qos, constraint, exclude, gres, comment: as `sbatch` takes them.
      additional_parameters: further ones of `sbatch`.
    """

    cluster: Literal["local", "slurm"] = "local"
    timeout_min: Positive = 60
    cpus_per_task: Positive = 1
    gpus_per_node: Annotated[int, Field(ge=0)] = 0
    mem_gb: Annotated[float, Field(gt=0)] | None = None
    name: str = "fw-sweep"
    signal_delay_s: Positive = 120
    max_num_timeout: Annotated[int, Field(ge=0)] = 3
    setup: list[str] = Field(default_factory=list)
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    gres: str | None = None
    comment: str | None = None
    additional_parameters: dict[str, Any] = Field(default_factory=dict)


S = TypeVar("S", bound=EngineSettings)


def read_settings(kind: type[S], given: Mapping[str, Any]) -> S:
    """Settings as they are given under `hydra.launcher`.

    Raises:
      ConfigError: with every problem.
    """
    node = given if isinstance(given, DictConfig) else OmegaConf.create(dict(given))
    plain = OmegaConf.to_container(node, resolve=True)
    assert isinstance(plain, dict)
    plain = {str(name): value for name, value in plain.items() if not str(name).startswith("_")}
    try:
        return kind.model_validate(plain)
    except ValidationError as error:
        raise ConfigError(_problem(kind, detail) for detail in error.errors()) from None


def require(package: str, extra: str, launcher: str) -> None:
    """See that a package is installed.

    Raises:
      ConfigError: it is not.
    """
    if find_spec(package) is None:
        found = f"{package} is not installed"
        fix = f"pip install 'framework[{extra}]', or hydra/launcher=vectorized"
        raise ConfigError(Problem("hydra/launcher", found, f"{package}, for {launcher}", fix=fix))


def _problem(kind: type[EngineSettings], detail: Any) -> Problem:
    name = str(detail["loc"][0])
    key = ".".join((PREFIX, *map(str, detail["loc"])))
    if detail["type"] == "extra_forbidden":
        near = closest(name, kind.model_fields)
        fix = f"{PREFIX}.{near}={as_override(detail['input'])}" if near else f"~{key}"
        return Problem(key, "there is no such setting", listed(kind.model_fields, 30), fix=fix)
    standard = kind.model_fields[name].get_default(call_default_factory=True)
    words = detail["msg"][:1].lower() + detail["msg"][1:]
    return Problem(key, f"found {as_override(detail['input'])}", words, fix=f"{PREFIX}.{name}={as_override(standard)}")
