"""Arrays of a user's own, made into batch arrays: the dtype follows from the array's name.

`image` is float32 height x width x channels (bytes are divided by 255), `features` and `target` are float32, `label`,
`tokens` and `targets` int32. Others stay real (float32), whole (int32) or boolean.
"""

from __future__ import annotations

import numpy as np

from framework.data.protocol import ArraySpec

_REAL = ("image", "features", "target")
_WHOLE = ("label", "tokens", "targets")


def converted_spec(name: str, shape: tuple[int, ...], dtype: np.dtype) -> ArraySpec:
    """The spec of one example after `convert`.

    Args:
      shape: of one example.

    Raises:
      TypeError: the dtype does not fit the name.
    """
    shape = (*shape, 1) if name == "image" and len(shape) == 2 else shape
    shape = (1,) if name == "target" and shape == () else shape
    kind = dtype.kind
    if kind not in "iufb" and not (name == "label" and kind == "U"):
        raise TypeError("is not made of numbers")
    if name in _REAL:
        return ArraySpec(shape, "float32")
    if name in _WHOLE and kind == "f":
        raise TypeError("must hold whole numbers")
    if name in _WHOLE or kind in "iu":
        return ArraySpec(shape, "int32")
    return ArraySpec(shape, "bool" if kind == "b" else "float32")


def convert(name: str, array: np.ndarray) -> np.ndarray:
    """The array as the batch has it.

    Args:
      array: with a leading axis of examples.

    Raises:
      TypeError: the dtype does not fit the name.
    """
    spec = converted_spec(name, array.shape[1:], array.dtype)
    shaped = array.reshape(len(array), *spec.shape)
    if name == "image" and array.dtype == np.uint8:
        return shaped.astype(np.float32) / np.float32(255)
    return shaped.astype(spec.dtype)


def convert_into(name: str, array: np.ndarray, out: np.ndarray) -> None:
    """Put what `convert` makes of the array into `out`, with nothing in between.

    Args:
      array: with a leading axis of examples.
      out: of the shape and dtype of `converted_spec`, with the leading axis.
    """
    shaped = array.reshape(out.shape)
    if name == "image" and array.dtype == np.uint8:
        np.divide(shaped, np.float32(255), out=out, dtype=np.float32)
    else:
        np.copyto(out, shaped, casting="unsafe")
