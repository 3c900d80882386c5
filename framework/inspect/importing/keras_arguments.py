"""The configuration of one of Keras's layers, read by name; what nobody reads, and is not neutral, is a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.core.errors import Problem

_NEUTRAL = {
    "seed": None,
    "unroll": None,
    "synchronized": None,
    "zero_output_for_mask": None,
    "renorm_momentum": None,
    "input_shape": None,
    "batch_input_shape": None,
    "sparse": (False,),
    "ragged": (False,),
    "optional": (False,),
    "renorm": (False,),
    "rms_scaling": (False,),
    "mask_zero": (False,),
    "stateful": (False,),
    "use_gate": (False,),
    "dropout": (0, 0.0),
    "recurrent_dropout": (0, 0.0),
    "data_format": ("channels_last",),
    "implementation": None,
}
"""Words that need not be read: whatever their value (None), or for these values; any word with the value null is."""

ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "softsign": ("soft_sign", {}),
    "gelu": ("gelu", {"approximate": False}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.2}),
    "swish": ("silu", {}),
    **{
        name: (name, {})
        for name in (
            *("celu", "elu", "exponential", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh"),
            *("log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink"),
            *("softmax", "softplus", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink"),
        )
    },
}
"""Keras's name of an activation -> operation and arguments of the same function."""

_INITIALIZERS: dict[str, tuple[str, dict[str, str]]] = {
    "Zeros": ("zeros", {}),
    "Ones": ("ones", {}),
    "Constant": ("constant", {"value": "value"}),
    "RandomNormal": ("normal", {"mean": "mean", "stddev": "stddev"}),
    "RandomUniform": ("uniform", {"minval": "low", "maxval": "high"}),
    "TruncatedNormal": ("truncated_normal", {"mean": "mean", "stddev": "stddev"}),
    "VarianceScaling": ("variance_scaling", {"scale": "scale", "mode": "mode", "distribution": "distribution"}),
    "GlorotNormal": ("glorot_normal", {}),
    "GlorotUniform": ("glorot_uniform", {}),
    "HeNormal": ("he_normal", {}),
    "HeUniform": ("he_uniform", {}),
    "LecunNormal": ("lecun_normal", {}),
    "LecunUniform": ("lecun_uniform", {}),
    "Orthogonal": ("orthogonal", {"gain": "gain"}),
    "OrthogonalInitializer": ("orthogonal", {"gain": "gain"}),
    "Identity": ("identity", {"gain": "gain"}),
    "IdentityInitializer": ("identity", {"gain": "gain"}),
}


@dataclass
class Arguments:
    """What a layer's `config` holds.

    Attributes:
      values: the words.
      title: what errors call the layer: its name and class.
      place: the file and the JSON path of the layer.
      problems: where mistakes are put.
      read: the words that were asked for.
    """

    values: Mapping[str, Any]
    title: str
    place: str
    problems: list[Problem]
    read: set[str] = field(default_factory=set)

    def problem(self, found: str, expected: str, word: str = "", fix: str | None = None) -> None:
        """A mistake in this layer, or in one word of it."""
        place = f"{self.place}.config.{word}" if word else self.place
        told = Problem(self.title, found, expected, place, fix)
        if told not in self.problems:
            self.problems.append(told)

    def take(self, word: str, default: Any = None) -> Any:
        """The value of a word; a value of another kind than the default's (int, float, bool) is told."""
        self.read.add(word)
        value = self.values.get(word, default)
        if default is not None and not _alike(value, default):
            self.problem(f"{word}: {value!r}", f"a value like {default!r}", word)
            return default
        return value

    def count(self, word: str) -> int:
        """A positive integer, which must be given."""
        value = self.values.get(word)
        self.read.add(word)
        if type(value) is not int or value < 1:
            self.problem(f"{word}: {value!r}", "a positive integer", word)
            return 1
        return value

    def among(self, word: str, default: Any, *allowed: Any) -> Any:
        """The value of a word of which only some values can be kept."""
        self.read.add(word)
        value = self.values.get(word, default)
        if not any(value == fine and type(value) is type(fine) for fine in allowed):
            self.problem(f"{word}: {value!r}", " or ".join(repr(fine) for fine in allowed), word)
            return default
        return value

    def sizes(self, word: str, default: Any) -> Any:
        """A size, or one for each axis; one number where all are equal."""
        value = self.take(word)
        value = default if value is None else value
        parts = list(value) if isinstance(value, list | tuple) else [value]
        if not parts or not all(type(part) is int and part > 0 for part in parts):
            self.problem(f"{word}: {value!r}", "positive integers", word)
            return 1
        return parts[0] if len(set(parts)) == 1 else parts

    def activation(self, word: str = "activation") -> tuple[str, dict[str, Any]] | None:
        """The operation and arguments of an activation; None for the linear one."""
        value = self.take(word)
        if value in (None, "linear"):
            return None
        if not isinstance(value, str) or value not in ACTIVATIONS:
            name = value.get("class_name", value) if isinstance(value, Mapping) else value
            if isinstance(value, Mapping) and isinstance(value.get("config"), str):
                name = value["config"]
            self.problem(
                f"the activation {name!r} cannot be imported", f"one of {', '.join(sorted(ACTIVATIONS))}", word
            )
            return None
        return ACTIVATIONS[value]

    def initializer(self, word: str) -> Any:
        """The initialiser in this framework's words; None where it cannot be kept."""
        value = self.take(word)
        if isinstance(value, str):
            name, config = "".join(part.capitalize() for part in value.split("_")), {}
        elif isinstance(value, Mapping):
            name, config = str(value.get("class_name")), dict(value.get("config") or {})
        else:
            name, config = str(value), {}
        if name not in _INITIALIZERS:
            self.problem(
                f"the initialiser {name} cannot be imported", f"one of {', '.join(sorted(_INITIALIZERS))}", word
            )
            return None
        op, words = _INITIALIZERS[name]
        arguments = {ours: config[theirs] for theirs, ours in words.items() if theirs in config}
        rest = [key for key, given in config.items() if key not in words and key != "seed" and given is not None]
        if arguments.get("distribution") == "untruncated_normal":
            arguments["distribution"] = "normal"
        if rest:
            self.problem(f"the initialiser {name} with {', '.join(rest)}", f"{name} without", word)
        if arguments == {"gain": 1.0} or arguments == {"value": 0.0}:
            return op if "gain" in arguments else "zeros"
        return {op: arguments} if arguments else op

    def regularizer(self, *words: str) -> dict[str, float] | None:
        """The penalty on the kernels; several words must agree, for a node's kernels have one."""
        found = [self._penalty(word) for word in words if word in self.values]
        if any(one != found[0] for one in found):
            self.problem(f"different {' and '.join(words)}", "the same for all kernels of a layer", words[0])
            return None
        return found[0] if found else None

    def _penalty(self, word: str) -> dict[str, float] | None:
        value = self.take(word)
        if value is None:
            return None
        name = value.get("class_name") if isinstance(value, Mapping) else value
        config = value.get("config") or {} if isinstance(value, Mapping) else {}
        penalties = {key: float(config[key]) for key in ("l1", "l2") if config.get(key)}
        if name not in ("L1", "L2", "L1L2") or set(config) - {"l1", "l2"}:
            self.problem(f"the regularizer {name!r} cannot be imported", "L1, L2 or L1L2", word)
        return penalties or None

    def refuse_rest(self) -> None:
        """Tell every word that nobody asked for and that is not neutral."""
        for word, value in self.values.items():
            if word in self.read or value is None:
                continue
            if word in _NEUTRAL and (_NEUTRAL[word] is None or value in (_NEUTRAL[word] or ())):
                continue
            shown = value.get("class_name", "...") if isinstance(value, Mapping) else repr(value)
            self.problem(f"{word}: {shown} cannot be imported", _expected(word), word)


def _expected(word: str) -> str:
    allowed = _NEUTRAL.get(word)
    if allowed:
        return f"{word}: {allowed[0]!r}"
    return f"{word}: null" if word.endswith(("_regularizer", "_constraint", "_config")) else f"a layer without {word}"


def _alike(value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is type(default)
