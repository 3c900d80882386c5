"""What of a recipe a script cannot have."""

from __future__ import annotations

from framework.config.language.graph import Graph
from framework.core.errors import Problem
from framework.train.feed import is_resident
from framework.train.setup import Setup


def refusals(setup: Setup) -> list[Problem]:
    """What of the recipe a script cannot have, its network left out."""
    experiment, config = setup.experiment, setup.config
    problems = []
    if config.parallel.type not in ("auto", "single"):
        problems.append(
            Problem(
                "parallel.type",
                f"the layout '{config.parallel.type}' over devices",
                "one device, which a script is for",
                fix="parallel=single",
            )
        )
    problems += [
        Problem(bound.key, f"{bound.target} is code of yours, which a script does not copy", "a loss of the framework")
        for bound in experiment.losses.values()
        if bound.target is not None
    ]
    if config.trainer.mix is not None:
        problems.append(
            Problem(
                "trainer.mix",
                f"examples that are mixed with each other by {config.trainer.mix.type}",
                "batches as the data has them",
                fix="trainer.mix=null",
            )
        )
    if not is_resident(config.data.resident, setup.dataset.nbytes("train")):
        problems.append(
            Problem(
                "data.resident",
                "data that is read while training",
                "data that a script can hold whole",
                fix="data.resident=true",
            )
        )
    if config.data.shuffle and getattr(setup.dataset.splits["train"], "blocks", None) is not None:
        problems.append(
            Problem(
                "data.stream",
                "rows that are mixed group by group, as their file holds them",
                "a table that is read whole, whose order follows from the seed alone",
                fix="data.stream=false",
            )
        )
    shared = {node.path for node in experiment.network.graph.walk() if node.share and isinstance(node.body, Graph)}
    for name, bound in experiment.losses.items():
        for word, path in bound.wires.items():
            node = path.removeprefix("intermediates.")
            if node != path and any(node.startswith(f"{other}.") for other in shared):
                problems.append(
                    Problem(
                        f"losses.{name}.{word}",
                        f"reads {path}, which lies inside of a node that shares its weights",
                        "a node outside of it",
                        fix=f"~losses.{name}",
                    )
                )
    return problems
