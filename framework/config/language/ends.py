"""The ends of a graph: what it gives, and what in it nothing reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.config.language.nodes import RawNode
from framework.config.language.report import Report
from framework.config.language.wiring import Siblings, Source

Ends = tuple[tuple[str, str], ...]


def outputs_of(
    nodes: Sequence[RawNode], siblings: Siblings, declared: Mapping[str, str], key: str, report: Report
) -> Ends:
    """(output name, what gives it); where none is declared, the last node under its own name, or each of its outputs.

    Args:
      key: the config key of the declared outputs.
    """
    if declared:
        found = {name: siblings.reference(word, f"{key}.{name}", len(nodes), report) for name, word in declared.items()}
        return tuple((name, reference) for name, reference in found.items() if reference is not None)
    if not nodes:
        return ()
    for node in nodes if siblings.branches else nodes[-1:]:
        if node.name in siblings.numbered:
            where = "in a `sequential` with it" if siblings.branches else "behind it"
            report.problem(
                node.key,
                f"'{node.name}' gives several outputs, and nothing says which of them goes on",
                f"a node {where} that reads {node.name}.0, or outputs that name them",
            )
    last = nodes[-1].name
    several = siblings.several.get(last)
    return tuple((item, f"{last}.{item}") for item in several) if several else ((last, last),)


def warn_unused(
    nodes: Sequence[RawNode], found: Mapping[str, Source], ends: Ends, siblings: Siblings, report: Report
) -> None:
    """Warn of nodes and inputs that nothing reads: most likely a name in some `from` is not the one that was meant."""
    read = {reference.partition(".")[0] for source in found.values() for reference in source.references}
    read |= {reference.partition(".")[0] for _, reference in ends}
    read |= {node.share for node in nodes if node.share}
    for node in nodes:
        if node.name not in read:
            report.warn(
                node.key, f"nothing reads the output of '{node.name}'; name it in a `from`, or take it out: ~{node.key}"
            )
    for name in siblings.inputs:
        if name not in read:
            report.warn(siblings.key, f"nothing reads the input '{name}'; name it in a `from`, or take it out")
