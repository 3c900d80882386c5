"""A layer that fails while it is traced: told by node, with what it was given and which nodes made that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flax import errors as flax_errors

from framework.config.language.expression import ExpressionError
from framework.config.language.graph import Node, Target
from framework.core.errors import ConfigError, Problem

_FOUND = re.compile(r"^found ((?:[^,\[\]]|\[[^\]]*\]|,(?= \[))*), ")
"""A layer says `found what, what is expected; how to mend it`."""
_EXPECTED = (ValueError, TypeError, IndexError, ZeroDivisionError, ExpressionError, flax_errors.FlaxError)


@contextmanager
def blamed(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...]) -> Iterator[None]:
    """Turn a complaint about shapes or dtypes into a problem of the node.

    In a layer of the catalogue anything but such a complaint is a bug and keeps its traceback. A user's own module may
    fail in any way; its traceback is the cause of the error.
    """
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        if not isinstance(error, _EXPECTED) and not isinstance(node.body, Target):
            raise
        raise ConfigError(_problem(node, inputs, givers, error)) from error


def _problem(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...], error: Exception) -> Problem:
    given = " and ".join(
        f"{described(value)} from {giver}" for value, giver in zip(inputs, givers, strict=True) if value is not None
    )
    what = f"'{node.body.title}'" if isinstance(node.body, Target) else f"'{node.op}'"
    where = f" (node {node.path})" if "." in node.path else ""
    if isinstance(error, flax_errors.InvalidRngError):
        return Problem(
            node.key,
            f"{what} draws random numbers, but the call was given no key{where}",
            fix="network.apply(variables, inputs, key=jax.random.key(0), train=True)",
        )
    if isinstance(error, flax_errors.ScopeParamShapeError | flax_errors.ScopeParamNotFoundError):
        return Problem(
            node.key,
            f"the variables do not belong to {what} when it is given {given}{where}",
            "variables from `init` of this network, with inputs of the same shapes but for the batch",
            fix="variables = network.init(key, inputs)",
        )
    text = str(error).strip() or type(error).__name__
    if isinstance(node.body, Target):
        told = f"{type(error).__name__}: {text.splitlines()[0]}"
        return Problem(node.key, f"{what} fails when it is given {given}{where}", f"a module that takes this; {told}")
    sentence, _, fix = text.splitlines()[0].partition("; ")
    told = _FOUND.match(sentence)
    detail = f": {told[1]}" if told is not None and "[" not in told[1] else ""
    return Problem(
        node.key,
        f"{what} cannot take {given}{where}{detail}",
        _FOUND.sub("", sentence),
        fix=fix or f"change what {node.key}.from reads, or put a layer between that makes it fit",
    )


def described(value: Any) -> str:
    """`float32[8, 4]`, or the type of what is no array."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {described(item)}" for name, item in value.items()) + "}"
    return type(value).__name__
