"""Keras 3's models as JSON: sequential and functional ones, models within models, layers that are called several times.

Source: `to_json` and `from_config` of Keras 3 (keras/src/models/functional.py and sequential.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.config.language.nodes import SPECIAL
from framework.config.schema.layers import LAYERS as OPERATIONS
from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.inspect.importing.draft import Draft, Input, node_name
from framework.inspect.importing.keras_arguments import Arguments
from framework.inspect.importing.keras_call import Call, Tensor
from framework.inspect.importing.keras_layers import LAYERS
from framework.inspect.importing.keras_sequences import SEQUENCES, wrapped

_CONVERT = {**LAYERS, **SEQUENCES}
_MODELS = ("Sequential", "Functional", "Model")
_WRAPPERS = ("Bidirectional", "TimeDistributed")
_KNOWN = sorted({*_CONVERT, *_MODELS[:2], *_WRAPPERS})
_PROBABILITIES = ("softmax", "sigmoid")
_DEEPEST = 32  # models and wrappers within each other

Entry = Mapping[str, Any]


def read_keras(tree: object, file: str) -> Draft:
    """The network that the JSON of a model declares.

    Args:
      tree: the parsed JSON.
      file: what errors call it.

    Raises:
      ConfigError: with one problem for each thing that cannot be kept.
    """
    if not isinstance(tree, Mapping) or tree.get("class_name") not in _MODELS or not _layers(tree):
        found = f"'{tree.get('class_name')}'" if isinstance(tree, Mapping) else "no mapping"
        raise ConfigError(
            Problem(file, f"is not a model with layers but {found}", "model.to_json() of a Sequential or Functional")
        )
    draft = Draft()
    _Model(tree, f"{file}: ", draft, draft, {}).read()
    if draft.problems:
        raise ConfigError(draft.problems, file)
    for name, node in draft.outputs.items():
        drafted = draft.nodes.get(node.partition(".")[0])
        if drafted is not None and drafted.op in _PROBABILITIES and isinstance(drafted.sources, str):
            draft.remark(
                f"outputs.{name} gives probabilities, as in Keras. Losses and metrics of classes take logits: what "
                f"'{drafted.sources}' gives; let that be the output for them."
            )
    return draft


def _layers(tree: Entry) -> list[Entry]:
    config = tree.get("config")
    found = config.get("layers") if isinstance(config, Mapping) else None
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


@dataclass
class _Model:
    """A model on its way to a draft.

    Attributes:
      tree: the model's entry.
      place: the file and the JSON path, to which `config` is added.
      draft: where nodes are put.
      root: the whole network's draft.
      seen: layer's name -> the path of the model that has it.
      tensors: (layer, call, output) -> what it gave.
      owners: layer -> the node of its first call.
    """

    tree: Entry
    place: str
    draft: Draft
    root: Draft
    seen: dict[str, str]
    depth: int = 0
    tensors: dict[tuple[str, int, int], Tensor] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def read(self) -> None:
        if self.depth > _DEEPEST:
            self._problem("the model", f"more than {_DEEPEST} models within each other", "fewer")
            return
        if self.tree.get("class_name") == "Sequential":
            self._sequential()
        else:
            self._functional()

    def _problem(self, title: str, found: str, expected: str, where: str = "config") -> None:
        self.root.problems.append(Problem(title, found, expected, self.place + where))

    def _entries(self) -> Iterator[tuple[Entry, str]]:
        """The layers and their paths."""
        for position, entry in enumerate(_layers(self.tree)):
            place = f"{self.place}config.layers[{position}]"
            name = str((entry.get("config") or {}).get("name", entry.get("name")))
            other = self.seen.setdefault(name, self.place)
            if other != self.place:
                self.root.remark(
                    f"'{name}' is the name of a layer in two models; they have weights of their own here. Where it is "
                    "one layer that both use, the count of parameters tells."
                )
            yield entry, place

    def _sequential(self) -> None:
        tensor: Tensor | None = None
        for entry, place in self._entries():
            if entry.get("class_name") == "InputLayer":
                tensor = self._input(entry, place)
                continue
            if tensor is None:
                config = self.tree.get("config") or {}
                shape = config.get("build_input_shape") or (self.tree.get("build_config") or {}).get("input_shape")
                if not isinstance(shape, list):
                    self._problem("the model", "a Sequential that was never built", "an Input, or model.build(shape)")
                    return
                dtype = "int32" if entry.get("class_name") == "Embedding" else "float32"
                tensor = self._given("input", shape, dtype, place)
            build = entry.get("build_config") or {}
            known = build.get("input_shape") if isinstance(build, Mapping) else None
            if isinstance(known, list) and not any(isinstance(size, list) for size in known):
                tensor = Tensor(tensor.node, tuple(known))
            given = self._convert(entry, place, [tensor], self.draft, self.root)
            if len(given) != 1:
                self._problem(str(entry.get("class_name")), f"{len(given)} outputs", "one, in a Sequential")
                return
            tensor = given[0]
        if tensor is not None:
            self.draft.outputs[tensor.node] = tensor.node

    def _functional(self) -> None:
        waiting: list[tuple[Entry, str, int]] = []
        for entry, place in self._entries():
            if entry.get("class_name") == "InputLayer":
                self.tensors[str(entry.get("name")), 0, 0] = self._input(entry, place)
            else:
                calls = entry.get("inbound_nodes")
                waiting += [(entry, place, call) for call in range(len(calls) if isinstance(calls, list) else 0)]
        while waiting:
            later = [item for item in waiting if not self._called(*item)]
            if len(later) == len(waiting):
                for entry, place, _ in later:
                    self._problem(str(entry.get("name")), "reads what no layer gives", "earlier layers", place)
                return
            waiting = later
        self._outputs()

    def _called(self, entry: Entry, place: str, position: int) -> bool:
        """Convert one call of a layer, if all that it reads is there."""
        name, node = str(entry.get("name")), entry["inbound_nodes"][position]
        if position and (name, position - 1, 0) not in self.tensors:
            return False
        arguments, named = node.get("args") or [], node.get("kwargs") or {}
        if any(key not in self.tensors for key in _references([arguments, named])):
            return False
        listed = len(arguments) == 1 and isinstance(arguments[0], list)
        flat = arguments[0] if listed else arguments
        path = f"{place}.inbound_nodes[{position}]"
        if not flat or not all(_reference(item) for item in flat):
            self._problem(f"{name} ({entry.get('class_name')})", "called with what is no tensor", "tensors", path)
            flat = [item for item in flat if _reference(item)]
        given = self._convert(
            entry,
            place,
            [self._tensor(item) for item in flat],
            self.draft,
            self.root,
            named={word: value for word, value in named.items() if not _neutral(value)},
            owner=self.owners.get(name),
            record=name,
        )
        for index, tensor in enumerate(given):
            self.tensors[name, position, index] = tensor
        return True

    def _tensor(self, item: Entry) -> Tensor:
        key = _reference(item)
        assert key is not None
        shape = item["config"].get("shape")
        return Tensor(self.tensors[key].node, tuple(shape) if isinstance(shape, list) else None)

    def _input(self, entry: Entry, place: str) -> Tensor:
        config = entry.get("config") or {}
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        name = str(config.get("name") or entry.get("name"))
        return self._given(name, shape, config.get("dtype"), place)

    def _given(self, name: str, shape: Any, dtype: Any, place: str) -> Tensor:
        dtype = (dtype.get("config") or {}).get("name") if isinstance(dtype, Mapping) else dtype
        kind = str(dtype or "float32")
        if not isinstance(shape, list) or not (kind == "float32" or kind.startswith(("int", "uint"))):
            self._problem(name, f"an input {shape} of {kind}", "a shape, and float32 or integers", f"{place}.config")
            shape, kind = [None], "float32"
        ours = node_name(name, {*self.draft.inputs, *(["input"] if name != "input" else [])})
        self.draft.inputs[ours] = Input(tuple(shape[1:]), "float32" if kind == "float32" else "int32")
        several = sum(entry.get("class_name") == "InputLayer" for entry in _layers(self.tree)) > 1
        return Tensor(ours if several else "input", tuple(shape))

    def _outputs(self) -> None:
        config = self.tree.get("config") or {}
        declared = config.get("output_layers")
        named = isinstance(declared, Mapping)
        found = list(declared.items()) if isinstance(declared, Mapping) else [("", one) for one in _each(declared)]
        for name, one in found:
            key = (str(one[0]), one[1], one[2]) if isinstance(one, list) and len(one) == 3 else None
            if key is None or key not in self.tensors:
                self._problem("the model", f"the output {one}", "what a layer gives", "config.output_layers")
                continue
            node = self.tensors[key].node
            wanted = str(name) if named else node.partition(".")[0]
            self.draft.outputs[node_name(wanted, self.draft.outputs)] = node

    def _convert(
        self,
        entry: Entry,
        place: str,
        given: list[Tensor],
        draft: Draft,
        root: Draft,
        *,
        named: Mapping[str, Any] | None = None,
        owner: str | None = None,
        record: str = "",
    ) -> list[Tensor]:
        """The nodes of one call of a layer, and what they give."""
        kind, config = str(entry.get("class_name")), entry.get("config") or {}
        name = str(config.get("name") or entry.get("name") or kind)
        arguments = Arguments(config, f"{name} ({kind})", place, root.problems)
        arguments.take("name")
        call = Call(name, kind, arguments, given, draft, root, owner=owner)
        self._sort(call, dict(named or {}))
        _require_float32(arguments)
        if kind in _MODELS and _layers(entry):
            nodes = self._nested(entry, call)
        elif kind in _WRAPPERS and isinstance(config.get("layer"), Mapping):
            arguments.take("layer")
            nodes = wrapped(call, self._convert, config["layer"], f"{place}.config.layer")
            arguments.refuse_rest()
        elif kind in _CONVERT and str(entry.get("module", "keras.layers")).startswith("keras.layers"):
            nodes = _CONVERT[kind](call)
            arguments.take("trainable")
            arguments.refuse_rest()
        else:
            near = closest(kind, _KNOWN)
            module = entry.get("module")
            told = f"{kind} of {module}" if module not in (None, "keras.layers") else kind
            arguments.problem(
                f"{told} cannot be imported" + (f" (did you mean '{near}'?)" if near and near != kind else ""),
                f"a layer of keras.layers: {listed(_KNOWN)}",
            )
            nodes = call.plain("identity", sources=given[0].node if given else "input")
        self._refuse_call(call)
        if record and call.weights is not None:
            self.owners.setdefault(record, call.weights)
        return [Tensor(node) for node in ([nodes] if isinstance(nodes, str) else nodes)]

    def _sort(self, call: Call, named: dict[str, Any]) -> None:
        """Words of a call that are tensors, and the others."""
        for word, value in named.items():
            if _reference(value):
                call.named[word] = self._tensor(value)
            elif isinstance(value, list) and value and all(_reference(item) for item in value):
                call.named[word] = [self._tensor(item) for item in value]
            else:
                call.options[word] = value
        inputs = call.named.pop("inputs", None)
        call.given += [inputs] if isinstance(inputs, Tensor) else inputs or []

    def _refuse_call(self, call: Call) -> None:
        for word in (*call.named, *call.options):
            shown = "a tensor" if word in call.named else repr(call.options[word])
            call.arguments.problem(f"called with {word}: {shown}", f"a call without {word}")

    def _nested(self, entry: Entry, call: Call) -> list[str]:
        """A model within the model: a block, used once or several times."""
        inner = Draft(problems=self.root.problems, remarks=self.root.remarks)
        name = call.name
        if call.owner is not None:
            block = self.draft.nodes[call.owner].op
            inner = self.root.blocks[block]
        else:
            block = node_name(name, {*self.root.blocks, *OPERATIONS, *SPECIAL})
            self.root.blocks[block] = inner  # before what is inside of it, so that no other takes the name
            place = f"{call.arguments.place}."
            _Model(entry, place, inner, self.root, self.seen, self.depth + 1).read()
        names = list(inner.inputs)
        if len(names) != len(call.given):
            call.arguments.problem(f"called with {len(call.given)} tensors", f"{len(names)}: {', '.join(names)}")
        sources = {own: tensor.node for own, tensor in zip(names, call.given, strict=False)}
        given = next(iter(sources.values()), "input") if len(names) == 1 else sources
        node = call.weighted(block, {}, given)
        ends = list(inner.outputs)
        return [node] if len(ends) == 1 else [f"{node}.{end}" for end in ends]


def _require_float32(arguments: Arguments) -> None:
    dtype = arguments.take("dtype")
    name = (dtype.get("config") or {}).get("name") if isinstance(dtype, Mapping) else dtype
    if name not in (None, "float32"):
        arguments.problem(
            f"dtype: {name}", "float32; this framework's precision is set by the recipe (trainer.precision)", "dtype"
        )


def _neutral(value: Any) -> bool:
    """Whether a word of a call says nothing: no mask, no training."""
    if isinstance(value, list):
        return all(_neutral(item) for item in value)
    return value is None or value is False


def _reference(item: Any) -> tuple[str, int, int] | None:
    """(layer, call, output) of a tensor in the JSON."""
    if not isinstance(item, Mapping) or item.get("class_name") != "__keras_tensor__":
        return None
    history = (item.get("config") or {}).get("keras_history")
    if not isinstance(history, list) or len(history) != 3:
        return None
    return str(history[0]), int(history[1]), int(history[2])


def _references(value: Any) -> Iterator[tuple[str, int, int]]:
    found = _reference(value)
    if found is not None:
        yield found
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _references(item)


def _each(declared: Any) -> list[Any]:
    """The outputs of a model: one reference, or a list of them."""
    if isinstance(declared, list) and len(declared) == 3 and isinstance(declared[0], str):
        return [declared]
    return declared if isinstance(declared, list) else []
