"""Array expressions: `x * sigmoid(x)` as a node, a loss or a metric.

Python's expression syntax cut down to arithmetic on arrays, comparisons, indexing and a list of functions out of
`jax.numpy` and `jax.nn`. Here they are read and vetted, without JAX; `framework.network.expression` computes them.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import lru_cache

from framework.config.language.frozen import EMPTY, FrozenMapping
from framework.core.words import closest, listed

MAX_LENGTH = 2000
MAX_NODES = 400
MAX_EXPONENT = 64


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NUMPY_FUNCTIONS = _words(
    """
    abs absolute all any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort
    broadcast_to cbrt ceil clip concatenate cos cosh cross cumprod cumsum deg2rad diagonal diff divide dot
    einsum equal exp exp2 expand_dims expm1 flip floor fmod greater greater_equal hypot imag isfinite isinf
    isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor matmul
    max maximum mean median min minimum mod moveaxis multiply nan_to_num negative not_equal ones_like outer
    pad power prod ravel real reciprocal remainder repeat reshape rint roll round sign sin sinc sinh sort sqrt
    square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
    transpose tril triu true_divide var vdot where zeros_like
    """
)
NN_FUNCTIONS = _words(
    """
    celu elu gelu glu hard_sigmoid hard_silu hard_swish hard_tanh identity leaky_relu log_sigmoid log_softmax
    logsumexp mish one_hot relu relu6 selu sigmoid silu soft_sign softmax softplus sparse_plus sparse_sigmoid
    squareplus standardize swish
    """
)
LAX_FUNCTIONS = _words(
    """
    erf erf_inv erfc lgamma digamma rsqrt stop_gradient
    """
)
FUNCTIONS = NUMPY_FUNCTIONS | NN_FUNCTIONS | LAX_FUNCTIONS
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
ATTRIBUTES = frozenset({"T", "ndim", "shape", "size"})
GRAMMAR = (
    "numbers, inputs, + - * / // % ** @ & | ^ ~, comparisons, indexing, x.shape, functions of jax.numpy and jax.nn"
)

_OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult, ast.BitAnd, ast.BitOr, ast.BitXor,
    ast.UAdd, ast.USub, ast.Invert, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
)  # fmt: skip
_INSTEAD = {
    ast.BoolOp: "use & and | with brackets, or logical_and(a, b)",
    ast.IfExp: "use where(condition, a, b)",
    ast.Not: "use ~x or logical_not(x)",
}


@dataclass(frozen=True)
class Expression:
    """A vetted array expression.

    Attributes:
      text: as it was written.
      names: the arrays that it reads, in the order in which they are passed.
      constants: the block or network arguments that it reads.
      parameters: names of parameters that it reads from the node whose weights it shares.
    """

    text: str
    names: tuple[str, ...]
    constants: FrozenMapping = EMPTY
    parameters: tuple[str, ...] = ()


class ExpressionError(Exception):
    """An array expression cannot be read, or uses something that expressions do not have.

    Attributes:
      expected: what would have been right, where that is known.
      near: a part of it, and what is probably meant by it.
    """

    def __init__(self, found: str, expected: str | None = None, near: tuple[str, str] | None = None) -> None:
        super().__init__(found)
        self.found = found
        self.expected = expected
        self.near = near


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """The syntax tree of an array expression, all of whose constructs are allowed.

    Raises:
      ExpressionError: it is not an expression, is too long, or uses something that expressions do not have.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters", f"at most {MAX_LENGTH}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        count = sum(1 for _ in ast.walk(tree))
        if count > MAX_NODES:
            raise ExpressionError(f"an expression of {count} parts", f"at most {MAX_NODES}")
        _vet(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too deep or not text"
        raise ExpressionError(f"expression '{text}' cannot be read: {reason}", GRAMMAR) from None
    return tree


def free_names(text: str) -> tuple[str, ...]:
    """The names that an expression reads, in the order of first use; functions and constants are not among them.

    Raises:
      ExpressionError: as `parse`.
    """
    tree = parse(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in found if node.id not in CONSTANTS))


def _vet(node: ast.AST) -> None:
    match node:
        case ast.Constant(value=value):
            if not (value is None or value is Ellipsis or isinstance(value, bool | int | float | str)):
                raise ExpressionError(f"expressions have no constant {value!r}", GRAMMAR)
        case ast.Call(func=ast.Name(id=name)):
            if name not in FUNCTIONS:
                near = closest(name, FUNCTIONS)
                raise ExpressionError(
                    f"expressions have no function '{name}'" + (f" (did you mean '{near}'?)" if near else ""),
                    "an allowed function of jax.numpy or jax.nn, such as exp, where, mean or softmax",
                    (name, near) if near else None,
                )
            for value in (*node.args, *(keyword.value for keyword in node.keywords)):
                _vet(value)
            if any(keyword.arg is None for keyword in node.keywords):
                raise ExpressionError("expressions have no **", "arguments by position or by name")
        case ast.Call(func=ast.Attribute(value=owner, attr=name)):
            called = ast.Call(ast.Name(name), [owner, *node.args], node.keywords)
            raise ExpressionError(
                f"expressions call no methods, such as '.{name}(...)'",
                f"{name}(x)" if name in FUNCTIONS else "a function of jax.numpy or jax.nn by its name, such as mean(x)",
                (ast.unparse(node), ast.unparse(called)) if name in FUNCTIONS else None,
            )
        case ast.Call():
            raise ExpressionError("expressions call functions by their names only", "a function, such as mean(x)")
        case ast.Attribute():
            if node.attr not in ATTRIBUTES:
                near = node.attr if node.attr in FUNCTIONS else None
                raise ExpressionError(
                    f"expressions have no attribute '.{node.attr}'",
                    f"{near}(x)" if near else f"attributes: {listed(sorted(ATTRIBUTES))}",
                    (ast.unparse(node), f"{near}({ast.unparse(node.value)})") if near else None,
                )
            _vet(node.value)
        case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=int() | float() as power)) if abs(power) > MAX_EXPONENT:
            raise ExpressionError(f"an exponent of {power}", f"exponents of at most {MAX_EXPONENT}")
        case ast.BinOp() | ast.UnaryOp() if isinstance(node.op, _OPERATORS):
            for value in ast.iter_child_nodes(node):
                if isinstance(value, ast.expr):
                    _vet(value)
        case ast.Compare(ops=[op], comparators=[right]) if isinstance(op, _OPERATORS):
            _vet(node.left)
            _vet(right)
        case ast.Compare():
            raise ExpressionError("expressions have no chained or membership comparison", "(a < b) & (b < c)")
        case ast.Subscript() | ast.Slice() | ast.Tuple() | ast.List():
            for value in ast.iter_child_nodes(node):
                _vet(value)
        case ast.Name() | ast.Load():
            pass
        case _:
            kind = type(node.op) if isinstance(node, ast.UnaryOp) else type(node)
            raise ExpressionError(f"expressions have no {kind.__name__}", _INSTEAD.get(kind, GRAMMAR))


__all__ = ["CONSTANTS", "FUNCTIONS", "GRAMMAR", "Expression", "ExpressionError", "free_names", "parse"]
