"""What reads differently in a script: initialisers are named by plain values there, without the schema of a recipe."""

from __future__ import annotations

import ast
from typing import Any

from framework.config.schema.layers.initializers import INITIALIZERS, InitializerSpec

NAMES = {
    ("framework.network.costs", "asked_for"): "costs_asked_for",
    ("framework.network.costs", "tell"): "tell_cost",
    ("framework.network.layers.routing", "chosen"): "chosen_experts",
    ("framework.network.layers.routing", "counted"): "expert_shares",
    ("framework.network.layers.routing", "slots"): "expert_slots",
    ("framework.network.layers.routing", "weighted"): "expert_weights",
    ("framework.optim.schedules", "step"): "step_schedule",
}
"""Names of definitions that say little without the file that they are in, such as `costs.tell`."""

_OPTIONAL = {
    "kernel_norm": (
        "    kernel_norm: str | None = None",
        "        kernel = normed_kernel(self, kernel, self.kernel_norm, context)",
    ),
}
"""Argument of layers -> the lines that do nothing where no node has it."""

_MODULE = "framework.network.layers.initialization"

_ABOUT = '''def initializer(
    init: Init, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Sequence[int] = ()
) -> initializers.Initializer:
    """The initialiser of a name, or of a name with arguments, such as ("normal", (("stddev", 0.02),)).

    A scaled one counts inputs along `in_axis`, outputs along `out_axis` and takes each index of `batch_axis` for a
    kernel of its own; the remaining axes are the space that a convolution kernel covers.
    """
    name, given = (init, ()) if isinstance(init, str) else init'''
_BY_SCALE = """    if name in _FIXED:
        return _FIXED[name](**arguments)
    return partial(_initialise, name, tuple(arguments.items()), in_axis, out_axis, batch_axis)"""
_TABLES = ("_FIXED", "_SCALED", "_MATRICES")


def adapted(module: str, text: str, words: frozenset[str] | None = None) -> str:
    """The source of a file as it is taken from.

    Args:
      words: the strings that the script uses and the arguments that its modules are given; initialisers of other names
        are left out, and what layers do for other arguments. None: all stay.
    """
    for argument, lines in _OPTIONAL.items():
        if words is not None and argument not in words:
            text = "\n".join(line for line in text.splitlines() if line not in lines)
    tree = ast.parse(text)
    if module != _MODULE:
        return _plain_initialisers(text, tree)
    used = [name for name in INITIALIZERS if words is None or name in words]
    tables = {name: _entries(tree, name, used) for name in _TABLES}
    lines = text.splitlines()
    for statement in reversed(tree.body):
        first, last = statement.lineno - 1, statement.end_lineno
        name = getattr(statement, "name", None) or _target(statement)
        if name in _TABLES:
            lines[first:last] = [f"{name}: dict[str, Any] = {{", *tables[name], "}"]
        elif name == "initializer":
            lines[first:last] = _initializer(used, scaled=bool(tables["_SCALED"] or tables["_MATRICES"]))
        elif name == "_initialise" and isinstance(statement, ast.FunctionDef) and not tables["_MATRICES"]:
            branches = (one for one in statement.body if isinstance(one, ast.If))
            (wide,) = (one for one in branches if "_MATRICES" in ast.unparse(one.test))
            del lines[wide.lineno - 1 : wide.end_lineno]
        elif name == "Init":
            lines[first:last] = ["Init = str | tuple[str, tuple[tuple[str, Any], ...]]"]
    return "\n".join(lines)


def _target(statement: ast.stmt) -> str | None:
    """The name that a statement assigns to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return targets[0].id if isinstance(targets[0], ast.Name) else None


def _entries(tree: ast.Module, table: str, used: list[str]) -> list[str]:
    """The lines of a table, of the names that are used."""
    (found,) = (one for one in tree.body if _target(one) == table)
    assert isinstance(found, ast.AnnAssign) and isinstance(found.value, ast.Dict)
    pairs = zip(found.value.keys, found.value.values, strict=True)
    items = {ast.literal_eval(key): ast.unparse(value) for key, value in pairs if key}
    return [f'    "{name}": {value},'.replace("'", '"') for name, value in items.items() if name in used]


def _initializer(used: list[str], *, scaled: bool) -> list[str]:
    """The function `initializer`, with the arguments that initialisers have by themselves."""
    specs = {name: INITIALIZERS[name].model_fields for name in used}
    usual = {name: {word: field.default for word, field in fields.items()} for name, fields in specs.items() if fields}
    entries = [f'    "{name}": {_quoted(values)},' for name, values in usual.items()]
    table = ["_DEFAULTS: dict[str, dict[str, Any]] = {", *entries, "}", "", ""] if entries else []
    arguments = "_DEFAULTS.get(name, {}) | dict(given)" if entries else "dict(given)"
    ending = [f"    arguments = {arguments}", *_BY_SCALE.splitlines()]
    return [*table, *_ABOUT.splitlines(), *(ending if scaled else [f"    return _FIXED[name](**({arguments}))"])]


def _plain_initialisers(text: str, tree: ast.Module) -> str:
    """The source with `Constant(value=x)` written as `("constant", (("value", x),))`."""
    imported = {
        alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == InitializerSpec.__module__
        for alias in statement.names
    }
    words = {spec.__name__: op for op, spec in INITIALIZERS.items() if spec.__name__ in imported}
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in words:
            given = [f'("{word.arg}", {ast.unparse(word.value)})' for word in node.keywords]
            made = f'("{words[node.func.id]}", ({", ".join(given)},))'
            line = lines[node.lineno - 1]
            lines[node.lineno - 1] = line[: node.col_offset] + made + line[node.end_col_offset :]
    return "\n".join(lines)


def initial(value: Any) -> Any:
    """An initialiser of a layer's schema as the script names it; anything else as it is."""
    if not isinstance(value, InitializerSpec):
        return value
    fields = type(value).model_fields
    changed = tuple((name, getattr(value, name)) for name in fields if getattr(value, name) != fields[name].default)
    return (value.op, changed) if changed else value.op


def _quoted(values: dict[str, Any]) -> str:
    inside = ", ".join(f'"{name}": {literal(value)}' for name, value in values.items())
    return f"{{{inside}}}"


def literal(value: Any) -> str:
    """A value as Python source, with double quotes."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        inside = ", ".join(literal(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)
