"""A user's own module in the graph: Flax Linen, Flax NNX, a pure `(init, apply)` pair, or a plain function.

Whether an import path may be imported at all is decided where the recipe is composed (`--trust`), before this room.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from flax import linen as nn
from flax.core import FrozenDict

from framework.config.language.frozen import FrozenMapping
from framework.config.language.graph import Node, Target
from framework.core.errors import ConfigError, Problem
from framework.core.importing import found_at
from framework.network.context import Context

_TRAIN_WORDS = ("train", "training", "is_training")
_EVALUATE_WORDS = ("deterministic", "use_running_average")


def foreign(target: Target, node: Node, name: str | None) -> nn.Module:
    """The Flax module that stands for a user's module.

    Raises:
      ConfigError: it cannot be imported or called so, or is none of the kinds that are known.
    """
    found = _imported(target, node)
    arguments = target.arguments.as_dict()
    if target.partial:
        made = partial(found, **arguments) if arguments else found
    elif _is_nnx(found):
        return _Nnx(found, target.arguments, target.keywords, name=name)
    else:
        try:
            made = found(**arguments)
        except Exception as error:
            raise ConfigError(
                Problem(
                    f"{node.key}.module",
                    f"{target.title} cannot be made: {type(error).__name__}: {error}",
                    f"arguments: {_signature(found)}",
                )
            ) from error
    return _wrapped(made, target, node, name)


def _is_nnx(found: Any) -> bool:
    """Whether it is an NNX module class; NNX is loaded only where one is used, since it takes a while."""
    return inspect.isclass(found) and any(base.__module__.startswith("flax.nnx.") for base in found.__mro__)


def _imported(target: Target, node: Node) -> Any:
    if not isinstance(target.target, str):
        return target.target
    return found_at(target.target, f"{node.key}.module._target_")


def _wrapped(made: Any, target: Target, node: Node, name: str | None) -> nn.Module:
    if isinstance(made, nn.Module):
        return _Linen(made.clone(parent=None, name=None), target.keywords, name=name)
    if isinstance(made, tuple) and len(made) == 2 and all(callable(item) for item in made):
        return _Pair(made[0], made[1], target.keywords, name=name)
    init, apply = getattr(made, "init", None), getattr(made, "apply", None)
    if callable(init) and callable(apply):
        return _Pair(init, apply, target.keywords, name=name)
    if callable(made):
        return _Function(made, target.keywords, name=name)
    raise ConfigError(
        Problem(
            f"{node.key}.module",
            f"{target.title} gives {type(made).__name__}",
            "a Flax Linen or NNX module, a pair (init, apply) of functions, or with _partial_: true a plain function",
        )
    )


def _signature(found: Any) -> str:
    try:
        return str(inspect.signature(found))
    except (TypeError, ValueError):
        return "unknown"


def _options(function: Callable[..., Any], context: Context) -> dict[str, Any]:
    """What a call takes besides its inputs: whether it trains, the mask, the context."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    offered = dict.fromkeys(_TRAIN_WORDS, context.train) | dict.fromkeys(_EVALUATE_WORDS, not context.train)
    offered |= {"mask": context.mask, "context": context}
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {word: value for word, value in offered.items() if word in known and known[word].kind in named}


def _called(function: Callable[..., Any], inputs: tuple[Any, ...], keywords: tuple[str, ...], context: Context) -> Any:
    options = _options(function, context)
    if keywords:
        return function(**options | dict(zip(keywords, inputs, strict=True)))
    return function(*inputs, **options)


class _Linen(nn.Module):
    """A Flax Linen module. Its parameters stand directly under the node's name."""

    module: nn.Module
    keywords: tuple[str, ...]

    def setup(self) -> None:
        nn.share_scope(self, self.module)

    def __call__(self, *inputs: Any, context: Context) -> Any:
        return _called(self.module.__call__, inputs, self.keywords, context)


class _Nnx(nn.Module):
    """A Flax NNX module, made anew in each trace with the state that the variables hold."""

    module: Callable[..., Any]
    arguments: FrozenMapping
    keywords: tuple[str, ...]

    def setup(self) -> None:
        from flax import nnx

        self.bridge = nnx.bridge.ToLinen(
            self.module,
            kwargs=FrozenDict(self.arguments.as_dict()),
            skip_rng="rngs" not in inspect.signature(self.module.__init__).parameters,
            metadata_fn=None,
        )
        nn.share_scope(self, self.bridge)

    def __call__(self, *inputs: Any, context: Context) -> Any:
        def run(module: Any, *arrays: Any) -> Any:
            module.train() if context.train else module.eval()
            return _called(module, arrays, self.keywords, context)

        return self.bridge(*inputs, nnx_method=run)


class _Pair(nn.Module):
    """A pure pair: init(key, *inputs) -> parameters, apply(parameters, *inputs) -> array."""

    init_function: Callable[..., Any]
    apply_function: Callable[..., Any]
    keywords: tuple[str, ...]

    @nn.compact
    def __call__(self, *inputs: Any, context: Context) -> Any:
        named = dict(zip(self.keywords, inputs, strict=True)) if self.keywords else {}
        ordered = () if self.keywords else inputs

        parameters = self.param("pair", lambda key: self.init_function(key, *ordered, **named))
        return self.apply_function(parameters, *ordered, **named, **_options(self.apply_function, context))


class _Function(nn.Module):
    """A function of arrays without parameters."""

    function: Callable[..., Any]
    keywords: tuple[str, ...]

    @nn.compact
    def __call__(self, *inputs: Any, context: Context) -> Any:
        return _called(self.function, inputs, self.keywords, context)
