"""What decides the programs of a recipe: all but the values that a program takes as inputs. Never imports JAX."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from framework.config.language import Graph, elaborate
from framework.config.schema.base import traced_values
from framework.config.schema.layers.base import LayerSpec
from framework.config.schema.root import Config
from framework.core.keypaths import flatten

_TRACED_SECTIONS = ("losses", "optimizer", "trainer")
_WRITTEN = ("report.", "run.", "sweep.")
OWN_KEYS = ("name", "seed", "run.dir")
"""What recipes of one program never share a value of, or that reaches no program."""


def signature(config: Config) -> Hashable:
    """What decides the program of a recipe: equal for two recipes only if they compile to the same one."""
    plain = config.model_dump(mode="json", exclude={"network"})
    traced = _traced(config)
    leaves = {
        key: json.dumps("traced" if key in traced else value, sort_keys=True, default=repr)
        for key, value in flatten(plain).items()
        if key not in OWN_KEYS
    }
    return frozenset(leaves.items()), _structure(_network_text(config))


def signature_text(config: Config) -> str:
    """The signature as a text, the same in every process, without what is written where and when."""
    leaves, graph = cast("tuple[frozenset[tuple[str, str]], Graph]", signature(config))
    return f"{sorted(leaf for leaf in leaves if not leaf[0].startswith(_WRITTEN))} {graph!r}"


def traced_keys(config: Config) -> frozenset[str]:
    """The config keys of a recipe that its program takes as inputs."""
    graph = _graph(_network_text(config))
    return frozenset({*_traced(config), *graph.traced, "seed"})


def _traced(config: Config) -> frozenset[str]:
    return frozenset(key for name in _TRACED_SECTIONS for key in traced_values(getattr(config, name), name))


def _network_text(config: Config) -> str:
    return json.dumps(config.network.model_dump(mode="json"), default=repr)


@lru_cache(maxsize=4096)
def _graph(text: str) -> Graph:
    return elaborate(json.loads(text), key="network")


@lru_cache(maxsize=4096)
def _structure(text: str) -> Graph:
    """The graph of a network with every traced value blanked."""
    return _blank(_graph(text))


def _blank(graph: Graph) -> Graph:
    nodes = []
    for node in graph.nodes:
        body: Any = node.body
        names = [name for name, _, _ in node.traced]
        if isinstance(body, Graph):
            body = _blank(body)
        elif isinstance(body, LayerSpec) and names:
            body = body.model_copy(update=dict.fromkeys(names, 0.5))
        traced = tuple((name, key, 0.0) for name, key, _ in node.traced)
        nodes.append(replace(node, body=body, traced=traced))
    return replace(graph, nodes=tuple(nodes))
