"""A layer that fails while it is traced: told by node, with what it was given and which nodes made that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flax import errors as flax_errors

from framework.config.language.combinators import MERGED
from framework.config.language.expression import Expression, ExpressionError
from framework.config.language.graph import Node, Target
from framework.core.errors import ConfigError, Problem
from framework.network.graph.remedies import of_residual, typed

_FOUND = re.compile(r"^found ((?:[^,\[\]]|\[[^\]]*\]|,(?= \[))*), ")
"""A layer says `found what, what is expected; how to mend it`."""
_SHAPED = re.compile(r"\[batch|^space \[")
"""What a layer found says no more than the shapes that are told anyway."""
_WEIGHTS = re.compile(r'For parameter "(\w+)".* generate shape (\(.*?\)), but the existing .* shape (\(.*?\))')
"""How Flax tells of an array that is not of the shape which its layer needs here."""
_EXPECTED = (ValueError, TypeError, IndexError, ZeroDivisionError, ExpressionError, flax_errors.FlaxError)


@contextmanager
def blamed(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...], *, owns: bool = True) -> Iterator[None]:
    """Turn a complaint about shapes or dtypes into a problem of the node.

    Args:
      owns: its weights are its own and were not made by a node that it shares with.

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
        raise ConfigError(_problem(node, inputs, givers, error, owns)) from error


def _problem(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...], error: Exception, owns: bool) -> Problem:
    given = " and ".join(
        f"{described(value)} from {giver}" for value, giver in zip(inputs, givers, strict=True) if value is not None
    )
    what = f"'{node.body.title}'" if isinstance(node.body, Target) else f"'{node.op}'"
    where = f" (node {node.path})" if "." in node.path else ""
    if node.name == MERGED:
        # The node that puts a combinator's branches together has the combinator's key and no name to its user.
        what = f"'{node.key.rpartition('.')[2]}'"
        outer = node.path.rpartition(".")[0]
        where = f" (node {outer})" if "." in outer else ""
    if isinstance(error, flax_errors.InvalidRngError):
        return Problem(
            node.key,
            f"{what} draws random numbers, but the call was given no key{where}",
            fix="network.apply(variables, inputs, key=jax.random.key(0), train=True)",
        )
    if isinstance(error, flax_errors.ScopeParamShapeError) and not owns:
        return _of_shared(node, given, where, error)
    if isinstance(error, flax_errors.ScopeParamShapeError | flax_errors.ScopeParamNotFoundError):
        return Problem(
            node.key,
            f"the variables do not belong to {what} when it is given {given}{where}",
            "variables from `init` of this network, with inputs of the same shapes but for the batch, which no node "
            "may move or mix with other axes",
            fix="variables = network.init(key, inputs)",
        )
    text = str(error).strip() or type(error).__name__
    if isinstance(node.body, Target):
        told = f"{type(error).__name__}: {text.splitlines()[0]}"
        return Problem(node.key, f"{what} fails when it is given {given}{where}", f"a module that takes this; {told}")
    sentence, _, fix = text.splitlines()[0].partition("; ")
    told = _FOUND.match(sentence)
    detail = f": {told[1]}" if told is not None and not _SHAPED.search(told[1]) else ""
    verb = "take" if node.name != MERGED else "add" if node.key.endswith(".residual") else "merge"
    expected = _FOUND.sub("", sentence).removesuffix(".")
    if isinstance(node.body, Expression):
        expected = f"arrays that '{node.body.text}' can be computed of; {expected}"
    if node.name == MERGED:
        fix = _of_merge(node, inputs)
    return Problem(
        node.key,
        f"{what} cannot {verb} {given}{where}{detail}",
        expected,
        fix=typed(fix, node) or f"change what {node.key}.from reads, or put a layer between that makes it fit",
    )


def _of_merge(node: Node, inputs: tuple[Any, ...]) -> str:
    if node.key.endswith(".residual"):
        return of_residual(node, inputs)
    return "give the branches one shape, or choose another merge" if node.op != "concat" else "make these sizes equal"


def _of_shared(node: Node, given: str, where: str, error: Exception) -> Problem:
    """The weights are those of another node, which was given another shape."""
    told = _WEIGHTS.search(str(error))
    owner = f"'{node.share}'" if node.share else "the node that makes these weights"
    differ = (
        f", for which its {told[1]} must be {_shape(told[2])}; that of {owner} is {_shape(told[3])}" if told else ""
    )
    return Problem(
        node.key,
        f"'{node.name}' shares its weights and is given {given}{where}{differ}",
        f"an input with as many features as {owner} is given",
        fix=f"~{node.key}.share +{node.key}.{node.op}={{...}} for weights of its own, or change what it reads"
        if node.share
        else "change what the node that shares is given, or take `share` off it",
    )


def _shape(text: str) -> str:
    return f"[{text.strip('(),')}]"


def require_kept(node: Node, inputs: tuple[Any, ...], givers: tuple[str, ...]) -> None:
    """See that a residual's sum has the shape of what the residual takes.

    An input with a single channel would be repeated over all those that the layers give, without a word.

    Raises:
      ConfigError: it has another shape.
    """
    made, taken = inputs
    if made.ndim == taken.ndim and all(new in (1, old) for new, old in zip(made.shape, taken.shape, strict=True)):
        return
    with blamed(node, inputs, givers):
        raise ValueError("layers that give the shape of the residual's input, or a shortcut that gives theirs")


def described(value: Any) -> str:
    """`float32[8, 4]`, or the type of what is no array."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {described(item)}" for name, item in value.items()) + "}"
    if isinstance(value, tuple):
        return f"{len(value)} arrays ({', '.join(map(described, value))})"
    return type(value).__name__
