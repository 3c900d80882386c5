"""`fw plan`: memory, work and time of a recipe on devices that are not here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from framework.cli.arguments import VerbParser, positive
from framework.cli.options import add_recipe
from framework.inspect.plan.quantities import parse_bytes, parse_rate

if TYPE_CHECKING:
    from framework.inspect.plan.planning import Outcome, Plan


def parser() -> VerbParser:
    """The words of `fw plan`."""
    words = VerbParser(
        "plan",
        usage="RECIPE [OVERRIDE ...] parallel.devices=N[,N ...]",
        about="""Tell what one training step needs on each of so many devices, without having any: XLA compiles and
        partitions the program for simulated ones, from shapes alone. Memory is XLA's own analysis, collectives are
        those of the program. Where it does not fit --hbm, the cheapest change that makes it fit is sought and compiled
        too. data.batch_size is of all devices together and stays as it is.""",
        examples=(
            "fw plan stdlib_gpt parallel=data parallel.devices=2,8",
            "fw plan stdlib_gpt parallel=fsdp parallel.devices=8 --hbm 80GiB --flops 990e12 --bandwidth 450e9",
        ),
    )
    add_recipe(words)
    words.option("--hbm", metavar="BYTES", help="memory of a device, e.g. 141GiB")
    words.option(
        "--flops", metavar="N", help="peak FLOPs per second of a device at the recipe's precision, e.g. 990e12"
    )
    words.option("--bandwidth", metavar="N", help="bytes per second that a device sends to others, e.g. 450e9")
    words.option("--memory-bandwidth", metavar="N", help="bytes per second of a device's memory, e.g. 4.8e12")
    words.option(
        "--patience",
        metavar="SECONDS",
        type=positive("--patience"),
        default=120,
        help="after so long, a smaller mesh is compiled instead (default: 120)",
    )
    words.option("--json", action="store_true", help="print everything as JSON")
    return words


def execute(options: argparse.Namespace) -> int:
    """Print the plan."""
    from framework.cli.loading import check_words

    check_words(options)
    rates = {name: getattr(options, name) for name in ("flops", "bandwidth", "memory_bandwidth")}
    numbers = {
        name: parse_rate(f"--{name.replace('_', '-')}", text) for name, text in rates.items() if text is not None
    }
    hbm = None if options.hbm is None else parse_bytes("--hbm", options.hbm)
    from framework.inspect.plan.planning import plan, split_devices
    from framework.inspect.plan.process import Request
    from framework.inspect.plan.roofline import Hardware

    split_devices(options.overrides)
    request = Request(options.recipe, tuple(options.overrides), 1, hbm, tuple(options.config_dir), tuple(options.trust))
    made = plan(request, Hardware(hbm=hbm, **numbers), patience_s=options.patience)
    if options.json:
        import json

        from framework.inspect.plan.telling import as_json

        print(json.dumps(as_json(made), indent=2))
        return 0
    _print(made)
    return 0


def _print(made: Plan) -> None:
    from framework.cli.printing import console, say
    from framework.cli.tables import table
    from framework.inspect.plan import telling

    say(f"{made.subject}: one training step, on each device", style="bold")
    heads = ("", *(telling.heading(one.found) for one in made.outcomes))
    table(heads, telling.rows(made), right=heads[1:])
    for outcome in made.outcomes:
        _print_collectives(outcome)
    for outcome in made.outcomes:
        for line in telling.advice(outcome, made.hardware):
            console().print(line, soft_wrap=True)
    say()
    for line in telling.notes(made):
        say(line, style="dim")


def _print_collectives(outcome: Outcome) -> None:
    from framework.cli.printing import say
    from framework.cli.tables import table
    from framework.inspect.plan import telling

    found = telling.collective_rows(outcome.found)
    if found:
        say()
        say(f"collectives of a step on {outcome.found.devices} devices", style="bold")
        columns = ("kind", "among", "times", "arrays", "sent by each")
        table(columns, found, right=columns[1:])
