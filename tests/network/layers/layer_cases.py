"""One example use of every layer: its arguments, what it is given, and what comes out, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from framework.config.schema.layers import LAYERS
from framework.network.context import Context
from framework.network.layers import module_for

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A use of a layer.

    Attributes:
      arguments: as YAML gives them.
      inputs: shapes; a negative leading number -n marks integers in [0, n).
      output: the shape that comes out, or the shapes of several.
      parameters: how many numbers the layer learns.
      dtype: of the output, where the inputs are float32.
    """

    inputs: tuple[Shape, ...] = ((4, 6),)
    output: Shape | tuple[Shape, ...] = (4, 6)
    parameters: int = 0
    arguments: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"

    @property
    def outputs(self) -> tuple[Shape, ...]:
        """The shapes that come out, of one or several outputs."""
        several = isinstance(self.output[0], tuple)
        return self.output if several else (self.output,)  # pyright: ignore[reportReturnType]


IMAGE, PICTURE, SEQUENCE = ((2, 6, 6, 4),), ((4, 6, 7, 3),), ((2, 5, 6),)

CASES: dict[str, Case] = {
    "dense": Case(((4, 3, 6),), (4, 3, 5), 6 * 5 + 5, {"features": 5}),
    "einsum": Case(
        ((4, 3, 6),),
        (4, 3, 2, 5),
        6 * 2 * 5 + 2 * 5,
        {"equation": "...i,ihd->...hd", "sizes": {"h": 2, "d": 5}, "bias_axes": "hd"},
    ),
    "bilinear": Case(((4, 3), (4, 2)), (4, 5), 3 * 2 * 5 + 5, {"features": 5}),
    "conv": Case(IMAGE, (2, 3, 3, 6), 3 * 3 * 2 * 6 + 6, {"features": 6, "kernel": 3, "strides": 2, "groups": 2}),
    "depthwise_conv": Case(IMAGE, (2, 6, 6, 8), 3 * 2 * 8 + 8, {"kernel": [3, 2], "multiplier": 2}),
    "transposed_conv": Case(IMAGE, (2, 12, 12, 3), 3 * 3 * 4 * 3 + 3, {"features": 3, "kernel": 3, "strides": 2}),
    "separable_conv": Case(
        IMAGE, (2, 3, 3, 5), 3 * 3 * 8 + 8 * 5 + 5, {"features": 5, "kernel": 3, "multiplier": 2, "strides": 2}
    ),
    "locally_connected": Case(((2, 5, 3),), (2, 2, 4), 2 * (3 * 3 * 4 + 4), {"features": 4, "kernel": 3, "strides": 2}),
    "max_pool": Case(IMAGE, (2, 3, 3, 4)),
    "avg_pool": Case(IMAGE, (2, 3, 3, 4)),
    "global_avg_pool": Case(IMAGE, (2, 4)),
    "global_max_pool": Case(IMAGE, (2, 4)),
    "adaptive_avg_pool": Case(IMAGE, (2, 4, 3, 4), arguments={"size": [4, 3]}),
    "adaptive_max_pool": Case(IMAGE, (2, 4, 3, 4), arguments={"size": [4, 3]}),
    "resize": Case(((2, 3, 4, 2),), (2, 6, 8, 2), arguments={"scale": 2, "method": "bilinear"}),
    "pixel_shuffle": Case(((2, 3, 4, 8),), (2, 6, 8, 2)),
    "pixel_unshuffle": Case(IMAGE, (2, 3, 3, 16)),
    "space_to_depth": Case(IMAGE, (2, 3, 3, 16)),
    "depth_to_space": Case(((2, 3, 4, 8),), (2, 6, 8, 2)),
    "patchify": Case(IMAGE, (2, 6, 24), arguments={"patch": [2, 3]}),
    "unpatchify": Case(((2, 6, 24),), (2, 6, 6, 4), arguments={"patch": [2, 3], "space": [6, 6]}),
    "pad": Case(((2, 3, 4, 2),), (2, 4, 8, 2), arguments={"padding": [[1, 0], 2], "mode": "reflect"}),
    "crop": Case(IMAGE, (2, 3, 4, 4), arguments={"cropping": [[1, 2], 1]}),
    "batch_norm": Case(IMAGE, (2, 6, 6, 4), 4 + 4),
    "layer_norm": Case(SEQUENCE, (2, 5, 6), 6 + 6),
    "group_norm": Case(IMAGE, (2, 6, 6, 4), 4 + 4, {"groups": 2}),
    "rms_norm": Case(SEQUENCE, (2, 5, 6), 6),
    "instance_norm": Case(((2, 3, 3, 2),), (2, 3, 3, 2), 2 + 2),
    "layer_scale": Case(SEQUENCE, (2, 5, 6), 6),
    "normalize": Case(SEQUENCE, (2, 5, 6)),
    "local_response_norm": Case(SEQUENCE, (2, 5, 6)),
    "dropout": Case(arguments={"rate": 0.25}),
    "spatial_dropout": Case(SEQUENCE, (2, 5, 6), arguments={"rate": 0.25}),
    "stochastic_depth": Case(arguments={"rate": 0.25}),
    "drop_block": Case(IMAGE, (2, 6, 6, 4), arguments={"rate": 0.25, "block": 3}),
    "alpha_dropout": Case(arguments={"rate": 0.25}),
    "gaussian_dropout": Case(arguments={"rate": 0.25}),
    "gaussian_noise": Case(arguments={"stddev": 0.25}),
    "random_flip": Case(PICTURE, PICTURE[0], arguments={"axis": "both"}),
    "random_crop": Case(PICTURE, (4, 4, 5, 3), arguments={"padding": 2, "size": [4, 5], "mode": "reflect"}),
    "random_resized_crop": Case(PICTURE, (4, 5, 4, 3), arguments={"size": [5, 4]}),
    "random_affine": Case(
        PICTURE, PICTURE[0], arguments={"degrees": 30, "translation": 0.2, "zoom": 0.2, "shear": 10, "mode": "reflect"}
    ),
    "random_rotation": Case(PICTURE, PICTURE[0], arguments={"degrees": 90}),
    "random_zoom": Case(PICTURE, PICTURE[0], arguments={"zoom": 0.5, "mode": "edge"}),
    "random_translation": Case(PICTURE, PICTURE[0]),
    "random_brightness": Case(PICTURE, PICTURE[0], arguments={"delta": 0.2}),
    "random_contrast": Case(PICTURE, PICTURE[0], arguments={"factor": 0.5}),
    "random_saturation": Case(PICTURE, PICTURE[0], arguments={"factor": 0.5}),
    "random_erasing": Case(PICTURE, PICTURE[0], arguments={"fill": "noise"}),
    "squeeze_excite": Case(IMAGE, (2, 6, 6, 4), 4 * 2 + 2 + 2 * 4 + 4, {"ratio": 0.5, "activation": "silu"}),
    "embed": Case(((-9, 2, 5),), (2, 5, 6), 9 * 6, {"vocabulary": 9, "features": 6}),
    "unembed": Case((*SEQUENCE, (9, 6)), (2, 5, 9)),
    "positional_embedding": Case(SEQUENCE, (2, 5, 6), 8 * 6, {"max_length": 8}),
    "class_token": Case(SEQUENCE, (2, 7, 6), 2 * 6, {"tokens": 2}),
    "parameter": Case(output=(4, 3, 2), parameters=3 * 2, arguments={"shape": [3, 2]}),
    "attention": Case(SEQUENCE, (2, 5, 6), 4 * (6 * 6 + 6), {"heads": 2, "causal": True}),
    "relative_bias": Case(SEQUENCE, (1, 2, 5, 5), 8 * 2, {"heads": 2, "buckets": 8, "distance": 16}),
    "transformer_block": Case(
        SEQUENCE, (2, 5, 6), 4 * (6 * 6 + 6) + 2 * (6 + 6) + (6 * 24 + 24) + (24 * 6 + 6), {"heads": 3}
    ),
    "gated_mlp": Case(((4, 3, 6),), (4, 3, 5), 2 * (6 * 7 + 7) + 7 * 5 + 5, {"features": 5, "hidden": 7}),
    "mixture_of_experts": Case(SEQUENCE, (2, 5, 6), 6 * 4 + 4 * (6 * 24 + 24 + 24 * 6 + 6), {"experts": 4}),
    "rnn": Case(SEQUENCE, (2, 5, 3), 6 * 3 + 3 * 3 + 3 + 3, {"features": 3, "recurrent_bias": True}),
    "lstm": Case(SEQUENCE, (2, 5, 3), 4 * (6 * 3 + 3 * 3 + 3), {"features": 3}),
    "gru": Case(SEQUENCE, (2, 5, 3), 3 * (6 * 3 + 3 * 3 + 3) + 3, {"features": 3}),
    "conv_lstm": Case(
        ((2, 3, 4, 4, 2),), (2, 3, 4, 4, 3), 4 * (9 * 2 * 3 + 9 * 3 * 3 + 3), {"features": 3, "kernel": 3}
    ),
    "s4d": Case(SEQUENCE, (2, 5, 6), 6 * (1 + 4 + 4 + 8 + 1), {"states": 4}),
    "mamba": Case(
        SEQUENCE,
        (2, 5, 6),
        6 * 24 + (4 * 12 + 12) + 12 * (2 + 2 * 3) + (2 * 12 + 12) + 12 * 3 + 12 + 12 * 6,
        {"states": 3, "rank": 2},
    ),
    "gaussian_sample": Case(((4, 6), (4, 6))),
    "probe": Case(arguments={"label": "seen"}),
    "flatten": Case(IMAGE, (2, 144)),
    "reshape": Case(IMAGE, (2, 12, 12), arguments={"shape": [-1, 12]}),
    "transpose": Case(((2, 3, 4, 5),), (2, 5, 3, 4), arguments={"axes": [3, 1, 2]}),
    "concat": Case(((4, 2, 6), (4, 3, 6)), (4, 5, 6), arguments={"axis": 1}),
    "stack": Case(((4, 6), (4, 6), (4, 6)), (4, 3, 6), arguments={"axis": 1}),
    "split": Case(output=((4, 2), (4, 4)), arguments={"sizes": [2, 4]}),
    "slice": Case(SEQUENCE, (2, 2, 6), arguments={"start": 1, "step": 2}),
    "select": Case(SEQUENCE, (2, 6), arguments={"index": -1}),
    "expand_dims": Case(output=(4, 6, 1)),
    "squeeze": Case(((4, 1, 6),)),
    "flip": Case(SEQUENCE, (2, 5, 6), arguments={"axes": [1]}),
    "roll": Case(SEQUENCE, (2, 5, 6), arguments={"shifts": [2, -1], "axes": [1, 2]}),
    "tile": Case(SEQUENCE, (2, 10, 6), arguments={"counts": [2, 1]}),
    "repeat_vector": Case(output=(4, 3, 6), arguments={"times": 3}),
    "channel_shuffle": Case(SEQUENCE, (2, 5, 6)),
    "reduce": Case(SEQUENCE, (2, 6), arguments={"how": "logsumexp", "axes": [1]}),
    "one_hot": Case(((-9, 2, 5),), (2, 5, 9), arguments={"classes": 9}),
    "add": Case(((4, 6), (4, 6), (4, 1))),
    "multiply": Case(((2, 3, 3, 6), (2, 1, 1, 6)), (2, 3, 3, 6)),
    "subtract": Case(((4, 6), (4, 6))),
    "average": Case(((4, 6), (4, 6), (4, 6))),
    "maximum": Case(((4, 6), (4, 6), (4, 1))),
    "minimum": Case(((4, 6), (4, 6), (4, 1))),
    "divide": Case(((4, 6), (4, 6))),
    "dot": Case(((2, 5, 6), (2, 3, 6)), (2, 5, 3), arguments={"normalize": True}),
    "identity": Case(),
    "stop_gradient": Case(),
    "cast": Case(arguments={"dtype": "bfloat16"}, dtype="bfloat16"),
    "glu": Case(output=(4, 3)),
    "leaky_relu": Case(arguments={"negative_slope": 0.2}),
    "elu": Case(arguments={"alpha": 0.5}),
    "celu": Case(arguments={"alpha": 0.5}),
    "gelu": Case(),
    "squareplus": Case(),
    "softmax": Case(),
    "log_softmax": Case(),
    "relu": Case(),
    "relu6": Case(),
    "selu": Case(),
    "silu": Case(),
    "swish": Case(),
    "mish": Case(),
    "sigmoid": Case(),
    "log_sigmoid": Case(),
    "tanh": Case(),
    "softplus": Case(),
    "soft_sign": Case(),
    "hard_tanh": Case(),
    "hard_sigmoid": Case(),
    "hard_silu": Case(),
    "hard_swish": Case(),
    "sparse_plus": Case(),
    "prelu": Case(parameters=6),
    "rrelu": Case(),
    "relu_squared": Case(),
    "thresholded_relu": Case(arguments={"threshold": 0.3}),
    "hard_shrink": Case(),
    "soft_shrink": Case(),
    "tanh_shrink": Case(),
    "quick_gelu": Case(),
    "exponential": Case(),
    "sine": Case(arguments={"frequency": 3.0}),
    "crelu": Case(output=(4, 12)),
    "maxout": Case(output=(4, 2), arguments={"pieces": 3}),
    "sparse_sigmoid": Case(),
}


def quick_key(seed: int) -> jax.Array:
    """A key of the generator that XLA has built in: programs with it compile several times faster on the CPU."""
    return jax.random.key(seed, impl="rbg")


def layer(op: str, **arguments: Any) -> nn.Module:
    """The module that a recipe gets for these arguments."""
    return module_for(op)(**LAYERS[op](**arguments).arguments())


def array(shape: Shape, seed: int = 0, dtype: str = "float32") -> jax.Array:
    """Numbers of the normal law, or integers where the shape starts with a negative number."""
    random = np.random.default_rng((seed, *map(abs, shape)))
    if shape[0] < 0:
        return jnp.asarray(random.integers(0, -shape[0], shape[1:]), jnp.int32)
    return jnp.asarray(random.normal(size=shape), dtype)


def inputs_of(case: Case, seed: int = 0) -> tuple[jax.Array, ...]:
    return tuple(array(shape, seed + place) for place, shape in enumerate(case.inputs))


def init(module: nn.Module, *inputs: jax.Array | None, seed: int = 0) -> Any:
    """The variables of a layer. Compiled, so that nothing but they is computed."""

    @jax.jit
    def variables(key: jax.Array, inputs: Any) -> Any:
        return module.init({"params": key, "dropout": key}, *inputs, context=Context())

    return variables(quick_key(seed), inputs)


def call(
    module: nn.Module, variables: Any, *inputs: jax.Array | None, train: bool = False, mask: jax.Array | None = None
) -> Any:
    """The output of a layer; its updates of statistics are dropped."""
    context, keys = Context(train=train, mask=mask), {"dropout": quick_key(7)}
    return module.apply(variables, *inputs, context=context, rngs=keys, mutable=["batch_stats"])[0]


def computed(op: str, *inputs: jax.Array | None, train: bool = False, **arguments: Any) -> tuple[Any, np.ndarray]:
    """Made-up variables of a layer as float64, and what its compiled program makes of the inputs with them."""
    module = layer(op, **arguments)
    variables = made_up(jax.eval_shape(lambda: init(module, *inputs)))
    output = jax.jit(lambda variables, inputs: call(module, variables, *inputs, train=train))(variables, inputs)
    return jax.tree.map(lambda x: np.asarray(x, np.float64), variables), np.asarray(output, np.float64)


def refusal(op: str, *inputs: Shape | jax.ShapeDtypeStruct, **arguments: Any) -> str:
    """What a layer says to inputs of shapes that it cannot take; nothing is computed."""
    structs = [jax.ShapeDtypeStruct(x, jnp.float32) if isinstance(x, tuple) else x for x in inputs]
    try:
        jax.eval_shape(lambda inputs: init(layer(op, **arguments), *inputs), structs)
    except ValueError as error:
        return str(error)
    return "nothing was refused"


@cache
def example(op: str) -> tuple[nn.Module, Any, tuple[jax.Array, ...]]:
    """The module of an operation's case, variables made up for it (biases are not zero), and its inputs."""
    case = CASES[op]
    module, inputs = layer(op, **case.arguments), inputs_of(case)
    return module, made_up(jax.eval_shape(lambda: init(module, *inputs))), inputs


def made_up(variables: Any) -> Any:
    """Numbers between 0.2 and 0.7 in the place of shapes: right for kernels, scales and variances alike."""
    random = np.random.default_rng(0)
    return jax.tree.map(lambda x: jnp.asarray(random.uniform(0.2, 0.7, x.shape), x.dtype), variables)
