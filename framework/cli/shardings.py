"""`fw shardings`: which parameter of a recipe is laid out how over devices."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from framework.cli.arguments import VerbParser
from framework.cli.options import add_recipe
from framework.core.errors import ConfigError, Problem

if TYPE_CHECKING:
    from framework.inspect.shardings import Shardings


def parser() -> VerbParser:
    """The words of `fw shardings`."""
    words = VerbParser(
        "shardings",
        usage="RECIPE [OVERRIDE ...]",
        about="""Print a line for each parameter: its shape, the mesh axis that divides each dimension, the bytes that
        each device holds, and the rule that decided. Below, the same for the whole state. The devices of
        `parallel.devices` need not be present: no data is read and nothing is compiled.""",
        examples=(
            "fw shardings stdlib_gpt parallel=fsdp parallel.devices=8",
            "fw shardings stdlib_gpt parallel=mesh 'parallel.axes={data: 8, fsdp: 8, tensor: 2}' -o layout.png",
        ),
    )
    add_recipe(words)
    words.option("-o", "--output", metavar="FILE", type=Path, help="also draw which device holds what, as a PNG")
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the table, and draw it."""
    from framework.cli.loading import load

    loaded = load(options)
    if options.output is not None:
        _require_drawing(options.output)
    from framework.inspect.shardings import shardings

    found = shardings(loaded)
    _print(loaded.subject, found)
    if options.output is not None:
        from framework.cli.printing import say
        from framework.inspect.shardings_figure import draw

        draw(found, options.output, title=f"{loaded.config.name}, {found.layout}")
        say(f"drawn: {options.output}", style="bold")
    return 0


def _print(subject: str, found: Shardings) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.core.axes import product
    from framework.inspect.plan.quantities import show_bytes

    say(f"{subject}, {found.layout}: {product(found.axes) if found.axes else 'one device'}", style="bold")
    rows = [
        (row.path, str(list(row.shape)), _divided(row.spec), show_bytes(row.device_bytes), row.rule or "-")
        for row in found.rows
    ]
    columns = ("parameter", "shape", "divided over", "each device", "rule")
    table(columns, rows, right=("each device",), fold_piped=False)
    say()
    parts = [(part, show_bytes(whole), show_bytes(each)) for part, (whole, each) in found.parts.items()]
    whole, each = (sum(part[side] for part in found.parts.values()) for side in (0, 1))
    parts.append(("total", show_bytes(whole), show_bytes(each)))
    table(("state", "whole", "each device"), parts, right=("whole", "each device"))
    for warning in found.warnings:
        say(f"warning: {warning}", style="yellow")


def _divided(spec: tuple[str | None, ...]) -> str:
    return f"[{', '.join(axis or '-' for axis in spec)}]" if any(spec) else "whole"


def _require_drawing(path: Path) -> None:
    from framework.report.figures import missing

    if path.suffix.lower() != ".png":
        raise ConfigError(Problem("--output", f"'{path}' is no PNG", "a file ending in .png", fix=f"-o {path}.png"))
    if reason := missing():
        raise ConfigError(Problem("--output", reason.partition(";")[0], fix="pip install 'framework[figures]'"))
