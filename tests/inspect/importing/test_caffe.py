"""Caffe's networks: counts in closed form, windows as Caffe rounds them, the order of numbers, refusals by line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from framework.core.errors import ConfigError
from framework.inspect.importing.caffe import read_caffe
from framework.inspect.importing.imported import imported
from framework.inspect.importing.writing import declaration
from framework.network import Network

HERE = Path(__file__).parent


def network(body: str, shape: tuple[int, ...] = (2, 6, 6), **options: Any) -> dict[str, Any]:
    """The declaration of a network on one input of this shape, channels first."""
    sizes = " ".join(f"dim: {size}" for size in (1, *shape))
    given = f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ {sizes} }} }} }}\n'
    return declaration(read_caffe(given + body, "net.prototxt", **options))


def layer(kind: str, words: str = "", *, name: str = "a", bottom: str = 'bottom: "data"', top: str = "a") -> str:
    return f'layer {{ name: "{name}" type: "{kind}" {bottom} top: "{top}" {words} }}\n'


def shape_of(section: dict[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    spec = jax.ShapeDtypeStruct((1, *shape[1:], shape[0]), jnp.float32)
    return Network(section).check(spec)[-1].output.shape


def test_lenet_has_431080_parameters() -> None:
    text = imported("caffe", HERE / "lenet.prototxt", inputs={"data": (1, 28, 28)})
    counted = (25 + 1) * 20 + (20 * 25 + 1) * 50 + (50 * 16 + 1) * 500 + (500 + 1) * 10
    assert counted == 431_080
    assert "# Parameters: 431,080" in text
    assert "loss (SoftmaxWithLoss), which reads outputs.ip2, is left out" in text
    assert list(yaml.safe_load(text)["layers"])[-1] == "ip2"


def test_alexnet_in_the_old_format_has_its_parameters() -> None:
    text = imported("caffe", HERE / "alexnet.prototxt")
    convolutions = (363 + 1) * 96 + (48 * 25 + 1) * 256 + (256 * 9 + 1) * 384 + (192 * 9 + 1) * (384 + 256)
    counted = convolutions + (256 * 36 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
    assert f"# Parameters: {counted:,}" in text
    section = yaml.safe_load(text)
    assert section["layers"]["norm1"] == {
        "local_response_norm": {"radius": 2, "alpha": 2e-5, "beta": 0.75, "bias": 1.0}
    }
    assert "prob (Softmax) at the end is left out" in text
    assert "fc8" in list(section["layers"])[-1]


def test_the_shape_of_an_input_that_the_file_does_not_say_must_be_given() -> None:
    with pytest.raises(ConfigError, match="does not say the shape of the input 'data'") as caught:
        imported("caffe", HERE / "lenet.prototxt")
    assert caught.value.problems[0].fix == "--input data=CHANNELS,HEIGHT,WIDTH"


def pooled(x: np.ndarray, kernel: int, stride: int, pad: int, how: str) -> np.ndarray:
    """Pooling as Caffe's loops have it; x is [channels, height, width]."""
    count = []
    for size in x.shape[1:]:
        windows = math.ceil((size + 2 * pad - kernel) / stride) + 1
        if pad and (windows - 1) * stride >= size + pad:
            windows -= 1
        count.append(windows)
    y = np.zeros((x.shape[0], *count), np.float32)
    for i in range(count[0]):
        for j in range(count[1]):
            starts = i * stride - pad, j * stride - pad
            ends = [min(start + kernel, size + pad) for start, size in zip(starts, x.shape[1:], strict=True)]
            area = (ends[0] - starts[0]) * (ends[1] - starts[1])
            inside = x[:, max(starts[0], 0) : ends[0], max(starts[1], 0) : ends[1]]
            y[:, i, j] = inside.max((1, 2)) if how == "MAX" else inside.sum((1, 2)) / area
    return y


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "how"),
    [(2, 2, 0, "MAX"), (3, 2, 0, "MAX"), (3, 2, 1, "MAX"), (3, 2, 0, "AVE"), (3, 1, 1, "AVE"), (5, 3, 1, "MAX")],
)
def test_windows_are_rounded_and_divided_as_in_caffe(kernel: int, stride: int, pad: int, how: str) -> None:
    words = f"pooling_param {{ pool: {how} kernel_size: {kernel} stride: {stride} pad: {pad} }}"
    section = network(layer("Pooling", words), (2, 7, 6))
    x = np.random.default_rng(0).normal(size=(2, 7, 6)).astype(np.float32)
    y = Network(section)({"params": {}}, jnp.asarray(x.transpose(1, 2, 0))[None])
    np.testing.assert_allclose(y[0].transpose(2, 0, 1), pooled(x, kernel, stride, pad, how), rtol=1e-5, atol=1e-6)


def test_means_beyond_the_padding_are_refused_for_caffe_divides_them_otherwise() -> None:
    with pytest.raises(ConfigError, match="means of windows that reach beyond a padding of 1"):
        network(layer("Pooling", "pooling_param { pool: AVE kernel_size: 4 stride: 3 pad: 1 }"), (2, 7, 7))


def test_an_inner_product_reads_an_image_in_caffes_order() -> None:
    section = network(layer("InnerProduct", "inner_product_param { num_output: 24 bias_term: false }"), (2, 3, 4))
    x = jnp.arange(24.0).reshape(2, 3, 4)
    y = Network(section)({"params": {"a": {"kernel": jnp.eye(24)}}}, x.transpose(1, 2, 0)[None])
    np.testing.assert_array_equal(y[0], np.arange(24.0))


def test_a_reshape_keeps_caffes_order() -> None:
    section = network(layer("Reshape", "reshape_param { shape { dim: 0 dim: 4 dim: -1 dim: 2 } }"), (2, 3, 4))
    x = jnp.arange(24.0).reshape(2, 3, 4)
    y = Network(section)({"params": {}}, x.transpose(1, 2, 0)[None])
    np.testing.assert_array_equal(y[0].transpose(2, 0, 1), x.reshape(4, 3, 2))


SPACE = (2, 7, 6)


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("Convolution", "convolution_param { num_output: 4 kernel_h: 3 kernel_w: 1 stride: 2 }", (3, 3, 4)),
        ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 dilation: 2 pad: 1 }", (5, 4, 4)),
        ("Deconvolution", "convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 }", (14, 12, 4)),
        ("Pooling", "pooling_param { pool: AVE global_pooling: true }", (1, 1, 2)),
        ("Flatten", "", (84,)),
        ("PReLU", "prelu_param { channel_shared: true }", (7, 6, 2)),
        ("ELU", "elu_param { alpha: 0.5 }", (7, 6, 2)),
        ("Power", "power_param { power: 2 scale: 0.5 shift: 1 }", (7, 6, 2)),
        ("Scale", "", (7, 6, 2)),
    ],
)
def test_a_layer_gives_caffes_shape(kind: str, words: str, expected: tuple[int, ...]) -> None:
    assert shape_of(network(layer(kind, words), SPACE), SPACE) == (1, *expected)


def test_batch_norm_and_its_scale_are_one_node() -> None:
    body = layer("BatchNorm", "param { lr_mult: 0 }") + layer(
        "Scale", "scale_param { bias_term: true }", name="s", bottom='bottom: "a"'
    )
    assert network(body)["layers"] == {"a": {"batch_norm": {"momentum": 0.999, "epsilon": 1e-5}}}


def test_a_scale_apart_from_its_batch_norm_stays_apart() -> None:
    body = layer("BatchNorm") + layer("Scale", name="s", bottom='bottom: "a"', top="s")
    body += layer("Eltwise", name="e", bottom='bottom: "a" bottom: "s"', top="e")
    assert list(network(body)["layers"]) == ["a", "s", "e"]


def test_sums_with_factors_slices_and_concatenations_are_wired() -> None:
    body = 'layer { name: "cut" type: "Slice" bottom: "data" top: "l" top: "r" slice_param { slice_point: 1 } }\n'
    body += layer(
        "Eltwise", "eltwise_param { coeff: 2 coeff: -1 }", name="mix", bottom='bottom: "l" bottom: "r"', top="mix"
    )
    body += layer("Concat", name="join", bottom='bottom: "mix" bottom: "data"', top="join")
    layers = network(body, (2, 3, 3))["layers"]
    assert layers["cut"] == {"split": {"sizes": [1, 1]}}
    assert layers["mix"] == {"expr": "2.0 * x0 + -1.0 * x1", "from": {"x0": "cut.0", "x1": "cut.1"}}
    assert layers["join"] == {"concat": {}, "from": ["mix", "input"]}


def test_named_weights_are_shared_and_a_rate_of_zero_freezes() -> None:
    words = 'param { name: "w" lr_mult: 0 } param { name: "b" lr_mult: 0 } inner_product_param { num_output: 2 }'
    body = layer("InnerProduct", words) + layer("InnerProduct", words, name="b", top="b")
    layers = network(body, (2,))["layers"]
    assert layers["a"]["freeze"] is True
    assert layers["b"] == {"from": "input", "share": "a"}


def test_all_that_cannot_be_kept_is_told_at_once_with_its_lines() -> None:
    body = "\n" + layer("LRN", "lrn_param { norm_region: WITHIN_CHANNEL }")
    body += layer("Recurrent", name="r", top="r")
    body += layer(
        "Convolution", "convolution_param { num_output: 2 kernel_size: 1 axis: 2 shape: 3 }", name="c", top="c"
    )
    body += layer("ReLU", name="n", bottom='bottom: "dat"', top="n")
    with pytest.raises(ConfigError) as caught:
        network(body)
    told = {(problem.key.partition(" ")[0], problem.origin) for problem in caught.value.problems}
    assert told == {(name, f"net.prototxt:{line}") for name, line in (("a", 3), ("r", 4), ("c", 5), ("n", 6))}
    text = str(caught.value)
    assert "the layer 'Recurrent' cannot be imported" in text
    assert "'shape' cannot be imported" in text
    assert "nothing gives the blob 'dat'" in text


def test_the_phase_chooses_layers() -> None:
    body = layer("Dropout", "include { phase: TRAIN }") + layer("ReLU", "include { phase: TEST }", name="b", top="a")
    assert list(network(body)["layers"]) == ["a"]
    assert list(network(body, phase="test")["layers"]) == ["b"]
