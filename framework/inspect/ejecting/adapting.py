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

_MODULE = "framework.network.layers.initialization"

_INITIALIZER = '''def initializer(
    init: Init, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Sequence[int] = ()
) -> initializers.Initializer:
    """The initialiser of a name, or of a name with arguments, such as ("normal", (("stddev", 0.02),)).

    A scaled one counts inputs along `in_axis`, outputs along `out_axis` and takes each index of `batch_axis` for a
    kernel of its own; the remaining axes are the space that a convolution kernel covers.
    """
    name, given = (init, ()) if isinstance(init, str) else init
    arguments = _DEFAULTS.get(name, {}) | dict(given)
    if name in _FIXED:
        return _FIXED[name](**arguments)
    return partial(_initialise, name, tuple(arguments.items()), in_axis, out_axis, batch_axis)'''


def adapted(module: str, text: str) -> str:
    """The source of a file as it is taken from."""
    if module != _MODULE:
        return text
    tree = ast.parse(text)
    lines = text.splitlines()
    defaults = {
        name: {word: field.default for word, field in spec.model_fields.items()}
        for name, spec in INITIALIZERS.items()
        if spec.model_fields
    }
    entries = "".join(f'    "{name}": {_quoted(values)},\n' for name, values in defaults.items())
    table = f"_DEFAULTS: dict[str, dict[str, Any]] = {{\n{entries}}}"
    for statement in reversed(tree.body):
        if isinstance(statement, ast.FunctionDef) and statement.name == "initializer":
            lines[statement.lineno - 1 : statement.end_lineno] = [
                *table.splitlines(),
                "",
                "",
                *_INITIALIZER.splitlines(),
            ]
        elif isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "Init":
            lines[statement.lineno - 1 : statement.end_lineno] = [
                "Init = str | tuple[str, tuple[tuple[str, Any], ...]]"
            ]
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
