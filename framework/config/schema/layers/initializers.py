"""How a parameter may start: `he_normal`, or with arguments `{truncated_normal: {stddev: 0.02}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)

from framework.config.schema.base import Number, Spec
from framework.core.words import closest, listed

Fan = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
_STDDEV = "standard deviation"


class InitializerSpec(Spec):
    """The arguments of one initialiser, all of them with a default: its bare name is the same as `{name: {}}`."""

    op: ClassVar[str]


class Zeros(InitializerSpec):
    """All zeros."""

    op: ClassVar[str] = "zeros"


class Ones(InitializerSpec):
    """All ones."""

    op: ClassVar[str] = "ones"


class Constant(InitializerSpec):
    """One number everywhere."""

    op: ClassVar[str] = "constant"

    value: Number = Field(0.0, description="the number")


class Normal(InitializerSpec):
    """The normal law."""

    op: ClassVar[str] = "normal"

    stddev: Number = Field(0.02, ge=0, description=_STDDEV)
    mean: Number = Field(0.0, description="mean")


class TruncatedNormal(InitializerSpec):
    """The normal law without what lies beyond some standard deviations; `stddev` is that before it is cut."""

    op: ClassVar[str] = "truncated_normal"

    stddev: Number = Field(0.02, ge=0, description=_STDDEV)
    mean: Number = Field(0.0, description="mean")
    lower: Number = Field(-2.0, description="smallest value, in standard deviations from the mean")
    upper: Number = Field(2.0, description="largest value, in standard deviations from the mean")

    @model_validator(mode="after")
    def _in_order(self) -> TruncatedNormal:
        if self.lower >= self.upper:
            raise ValueError("lower must be less than upper")
        return self


class Uniform(InitializerSpec):
    """The uniform law on an interval."""

    op: ClassVar[str] = "uniform"

    low: Number = Field(-0.05, description="smallest value")
    high: Number = Field(0.05, description="upper end, which is not reached")

    @model_validator(mode="after")
    def _in_order(self) -> Uniform:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        return self


class VarianceScaling(InitializerSpec):
    """Mean 0 and variance scale / fan, where fan counts the inputs or outputs that a number is connected to."""

    op: ClassVar[str] = "variance_scaling"

    scale: Number = Field(1.0, gt=0, description="variance times fan")
    mode: Fan = Field("fan_in", description="what fan counts: inputs, outputs, their mean, or their geometric mean")
    distribution: Literal["normal", "truncated_normal", "uniform"] = Field(
        "truncated_normal", description="law; the truncated one is widened so that the variance holds"
    )


class LecunNormal(InitializerSpec):
    """Truncated normal of variance 1 / inputs."""

    op: ClassVar[str] = "lecun_normal"


class LecunUniform(InitializerSpec):
    """Uniform of variance 1 / inputs."""

    op: ClassVar[str] = "lecun_uniform"


class GlorotNormal(InitializerSpec):
    """Truncated normal of variance gain² · 2 / (inputs + outputs)."""

    op: ClassVar[str] = "glorot_normal"

    gain: Number = Field(1.0, gt=0, description="factor")


class GlorotUniform(InitializerSpec):
    """Uniform of variance gain² · 2 / (inputs + outputs)."""

    op: ClassVar[str] = "glorot_uniform"

    gain: Number = Field(1.0, gt=0, description="factor")


class XavierNormal(GlorotNormal):
    """`glorot_normal` under its other name."""

    op: ClassVar[str] = "xavier_normal"


class XavierUniform(GlorotUniform):
    """`glorot_uniform` under its other name."""

    op: ClassVar[str] = "xavier_uniform"


class HeNormal(InitializerSpec):
    """Truncated normal of variance 2 / ((1 + negative_slope²) · fan)."""

    op: ClassVar[str] = "he_normal"

    mode: Fan = Field("fan_in", description="what fan counts: inputs, outputs, their mean, or their geometric mean")
    negative_slope: Number = Field(0.0, description="slope of the rectifier that follows for negative values")


class HeUniform(HeNormal):
    """Uniform of variance 2 / ((1 + negative_slope²) · fan)."""

    op: ClassVar[str] = "he_uniform"


class KaimingNormal(HeNormal):
    """`he_normal` under its other name."""

    op: ClassVar[str] = "kaiming_normal"


class KaimingUniform(HeNormal):
    """`he_uniform` under its other name."""

    op: ClassVar[str] = "kaiming_uniform"


class Orthogonal(InitializerSpec):
    """Rows or columns, whichever are fewer, of equal length and at right angles."""

    op: ClassVar[str] = "orthogonal"

    gain: Number = Field(1.0, description="their length")


class DeltaOrthogonal(InitializerSpec):
    """Of a convolution: an orthogonal matrix at the centre of the kernel and zeros around it."""

    op: ClassVar[str] = "delta_orthogonal"

    gain: Number = Field(1.0, description="length of the rows of the matrix")


class Identity(InitializerSpec):
    """Ones where input and output feature have one number, at the centre of a convolution's kernel."""

    op: ClassVar[str] = "identity"

    gain: Number = Field(1.0, description="the number instead of one")


class Dirac(Identity):
    """`identity` under its other name, usual for convolutions."""

    op: ClassVar[str] = "dirac"


class Sparse(InitializerSpec):
    """The normal law, with a share of each output's inputs set to zero."""

    op: ClassVar[str] = "sparse"

    sparsity: Number = Field(0.9, ge=0, lt=1, description="share of zeros")
    stddev: Number = Field(0.01, ge=0, description=_STDDEV)


INITIALIZERS: dict[str, type[InitializerSpec]] = {
    spec.op: spec
    for spec in (
        Zeros, Ones, Constant, Normal, TruncatedNormal, Uniform, VarianceScaling, LecunNormal, LecunUniform,
        GlorotNormal, GlorotUniform, XavierNormal, XavierUniform, HeNormal, HeUniform, KaimingNormal, KaimingUniform,
        Orthogonal, DeltaOrthogonal, Identity, Dirac, Sparse,
    )
}  # fmt: skip
"""Name of an initialiser -> its arguments."""


def _read(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A bare name stays a string; a mapping with arguments becomes a frozen `InitializerSpec`."""
    if isinstance(value, InitializerSpec):
        return value
    if not isinstance(value, Mapping):
        return handler(value)
    if len(value) != 1:
        raise ValueError(
            f"found {dict(value)!r}; expected one initialiser, e.g. {{truncated_normal: {{stddev: 0.02}}}}"
        )
    name, given = next(iter(value.items()))
    if name not in INITIALIZERS:
        near = closest(str(name), INITIALIZERS)
        meant = f" (did you mean '{near}'?)" if near else ""
        raise ValueError(f"found {name!r}; expected an initialiser{meant}: {listed(INITIALIZERS)}")
    schema = INITIALIZERS[name]
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f"found {given!r}; expected the arguments of '{name}' by name: {_arguments(schema)}")
    try:
        return schema.model_validate(dict(given or {}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, (name, *first["loc"])))
        if first["type"] == "extra_forbidden":
            raise ValueError(f"found {where}; expected arguments of '{name}': {_arguments(schema)}") from error
        raise ValueError(f"found {first['input']!r} at {where}; expected {_lower(first['msg'])}") from error


def _arguments(schema: type[InitializerSpec]) -> str:
    return listed(schema.model_fields) if schema.model_fields else "none"


def _lower(text: str) -> str:
    text = text.removeprefix("Value error, ").removeprefix("Input should be ")
    return text[:1].lower() + text[1:]


def _json_schema() -> dict[str, Any]:
    """What an editor completes: the bare names, and one name with its arguments."""
    calls = {
        name: {
            "description": (spec.__doc__ or "").strip(),
            "type": "object",
            "properties": {
                word: {"description": field.description or "", "default": field.default}
                for word, field in spec.model_fields.items()
            },
            "additionalProperties": False,
        }
        for name, spec in INITIALIZERS.items()
    }
    return {
        "anyOf": [
            {"enum": list(INITIALIZERS), "type": "string"},
            {
                "type": "object",
                "properties": calls,
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ]
    }


Name = Literal[
    "zeros",
    "ones",
    "constant",
    "normal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "lecun_normal",
    "lecun_uniform",
    "glorot_normal",
    "glorot_uniform",
    "xavier_normal",
    "xavier_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "orthogonal",
    "delta_orthogonal",
    "identity",
    "dirac",
    "sparse",
]

Initializer = Annotated[Name, WrapValidator(_read), WithJsonSchema(_json_schema())]
"""How a parameter starts: a name, or a name with arguments, e.g. `{truncated_normal: {stddev: 0.02}}`.

Source: LeCun et al. 1998; Glorot and Bengio 2010; He et al., arXiv:1502.01852; Saxe et al., arXiv:1312.6120
(orthogonal); Xiao et al., arXiv:1806.05393 (delta_orthogonal); Martens 2010 (sparse)."""
