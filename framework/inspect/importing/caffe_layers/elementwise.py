"""Arithmetic of each element: sums and products of several blobs, powers, exponentials."""

from __future__ import annotations

import math

from framework.inspect.importing.caffe_layers.layer import Blob, Layer


def eltwise(layer: Layer) -> list[Blob] | None:
    """Eltwise: the sum, product or largest value of blobs of one shape."""
    parameters = layer.fields.message("eltwise_param")
    how = parameters.one("operation", "SUM")
    factors = [float(factor) for factor in parameters.many("coeff")]
    parameters.one("stable_prod_grad", True)
    parameters.refuse_rest()
    nodes, shape = [blob.node for blob in layer.blobs], layer.blobs[0].shape
    if any(blob.shape != shape for blob in layer.blobs):
        layer.fields.problem(f"blobs {[list(blob.sizes) for blob in layer.blobs]}", "blobs of one shape")
        return None
    if how not in ("PROD", "SUM", "MAX") or (factors and (how != "SUM" or len(factors) != len(nodes))):
        parameters.problem(f"operation: {how}, coeff: {factors}", "PROD, SUM or MAX; a coeff of SUM for each bottom")
        return None
    if factors == [1.0, -1.0]:
        return [Blob(layer.add("subtract", nodes), shape)]
    if set(factors) - {1.0}:
        names = {f"x{place}": node for place, node in enumerate(nodes)}
        formula = " + ".join(f"{factor!r} * {name}" for factor, name in zip(factors, names, strict=True))
        return [Blob(layer.add("expr", names, formula), shape)]
    return [Blob(layer.add({"PROD": "multiply", "SUM": "add", "MAX": "maximum"}[how], nodes), shape)]


def power(layer: Layer) -> list[Blob] | None:
    """Power: (shift + scale x) to a power."""
    parameters = layer.fields.message("power_param")
    power, scale, shift = parameters.one("power", 1.0), parameters.one("scale", 1.0), parameters.one("shift", 0.0)
    parameters.refuse_rest()
    inner = f"{scale!r} * x + {shift!r}"
    (blob,) = layer.blobs
    return [Blob(layer.add("expr", blob.node, inner if power == 1 else f"({inner}) ** {power!r}"), blob.shape)]


def exp(layer: Layer) -> list[Blob] | None:
    """Exp: base to the power of shift + scale x."""
    parameters = layer.fields.message("exp_param")
    base, scale, shift = parameters.one("base", -1.0), parameters.one("scale", 1.0), parameters.one("shift", 0.0)
    parameters.refuse_rest()
    factor = 1.0 if base == -1 else math.log(base)
    (blob,) = layer.blobs
    return [Blob(layer.add("expr", blob.node, f"exp({factor!r} * ({scale!r} * x + {shift!r}))"), blob.shape)]


def absolute(layer: Layer) -> list[Blob] | None:
    """AbsVal."""
    (blob,) = layer.blobs
    return [Blob(layer.add("expr", blob.node, "abs(x)"), blob.shape)]
