"""Caffe's network definitions (`.prototxt`): layers with named blobs, channels before space.

Blobs keep Caffe's shapes here (channels first) and are computed channels last; `caffe_layers.order` tells where
the order of numbers matters. Source: caffe.proto of Caffe 1.0 (BVLC), and the layers' SetUp and Reshape functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from framework.core.errors import ConfigError, Problem
from framework.core.words import closest, listed
from framework.inspect.importing.caffe_fields import Fields
from framework.inspect.importing.caffe_layers.catalogue import LAYERS
from framework.inspect.importing.caffe_layers.layer import Blob, Layer
from framework.inspect.importing.draft import Draft, Drafted, Input, Sources, node_name
from framework.inspect.importing.text_format import Message, Word, parse

DATA = ("Data", "ImageData", "HDF5Data", "MemoryData", "WindowData", "DummyData", "Input")
_LEFT_OUT = ("Accuracy", "Silence", "HDF5Output")
_V1 = {
    "ABSVAL": "AbsVal",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONVOLUTION": "Convolution",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "IMAGE_DATA": "ImageData",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "WINDOW_DATA": "WindowData",
    "DATA": "Data",
    "ACCURACY": "Accuracy",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "HINGE_LOSS": "HingeLoss",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "INFOGAIN_LOSS": "InfogainLoss",
    "ARGMAX": "ArgMax",
    "IM2COL": "Im2col",
    "MVN": "MVN",
    "THRESHOLD": "Threshold",
}
"""The type of a `layers` entry -> that of a `layer` entry of the same meaning."""


def read_caffe(
    content: str, file: str, *, inputs: Mapping[str, Sequence[int]] | None = None, phase: str = "train"
) -> Draft:
    """The network that a prototxt declares.

    Args:
      content: the text.
      file: what errors call it.
      inputs: blob -> shape of one example, channels first, where the file does not say it.
      phase: `train` or `test`: which layers count.

    Raises:
      ConfigError: with one problem for each thing that cannot be kept.
    """
    net = parse(content, file)
    reading = _Reading(file, {name: tuple(shape) for name, shape in (inputs or {}).items()}, phase.upper())
    reading.net(net)
    if reading.draft.problems:
        raise ConfigError(reading.draft.problems, file)
    return reading.draft


@dataclass
class _Reading:
    file: str
    shapes: dict[str, tuple[int, ...]]
    phase: str
    draft: Draft = field(default_factory=Draft)
    blobs: dict[str, Blob] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    shared: dict[tuple[str, ...], tuple[str, str, Any]] = field(default_factory=dict)

    def net(self, net: Message) -> None:
        fields = Fields(net, "the network", self.file, self.draft.problems)
        self._declared_inputs(fields)
        for unread in ("name", "force_backward", "debug_info", "state"):
            fields.many(unread)
        old, new = fields.messages("layers"), fields.messages("layer")
        fields.refuse_rest()
        if not old and not new and not self.draft.problems:
            self.draft.problems.append(
                Problem(self.file, "no layers", "`layer { ... }` entries", f"{self.file}:{net.line}")
            )
        for message in (*old, *new):
            self._read(message, old=message in old)
        self.layers = self._merged(self.layers)
        for layer in self.layers:
            self._convert(layer)
        self._finish()

    def _declared_inputs(self, fields: Fields) -> None:
        names = [str(name) for name in fields.many("input")]
        shapes = [Fields(one, "input_shape", self.file, self.draft.problems) for one in fields.messages("input_shape")]
        sizes = [[int(size) for size in shape.many("dim")] for shape in shapes]
        flat = [int(size) for size in fields.many("input_dim")]
        sizes = sizes or [flat[start : start + 4] for start in range(0, len(flat), 4)]
        for position, name in enumerate(names):
            self._given(name, tuple(sizes[position][1:]) if position < len(sizes) else None)

    def _given(self, name: str, shape: tuple[int, ...] | None) -> None:
        self.blobs[name] = Blob("", self.shapes.get(name, shape), name)

    def _read(self, message: Message, *, old: bool) -> None:
        fields = Fields(message, "a layer", self.file, self.draft.problems)
        if fields.messages("layer"):
            fields.problem("a `layers` entry with a `layer` inside", "the format since 2014", "upgrade_net_proto_text")
            return
        kind = fields.one("type", "")
        name = str(fields.one("name", str(kind)))
        if old:
            kind = _V1.get(str(kind), str(kind)) if isinstance(kind, Word) else ""
        fields.title = f"{name} ({kind})"
        if not kind:
            fields.problem("no type", "type: CONVOLUTION" if old else 'type: "Convolution"')
            return
        if not self._counts(fields):
            self.draft.remark(f"{fields.title} is left out: it is of another phase than {self.phase}.")
            return
        bottoms = [str(blob) for blob in fields.many("bottom")]
        tops = [str(blob) for blob in fields.many("top")]
        self.layers.append(Layer(name, str(kind), bottoms, tops, fields, self.draft, self.shared))

    def _counts(self, fields: Fields) -> bool:
        """Whether the layer is one of this phase: at level 0 and without stages, as Caffe does by default."""
        only = fields.one("phase", self.phase)
        include, exclude = fields.messages("include"), fields.messages("exclude")
        met = [self._meets(rule) for rule in include]
        return only == self.phase and (not include or any(met)) and not any(self._meets(rule) for rule in exclude)

    def _meets(self, rule: Message) -> bool:
        fields = Fields(rule, "a rule", self.file, self.draft.problems)
        fits = fields.one("phase", self.phase) == self.phase
        fits &= int(fields.one("min_level", 0)) <= 0 <= int(fields.one("max_level", 0))
        fits &= not fields.many("stage")
        fields.many("not_stage")
        fields.refuse_rest()
        return fits

    def _merged(self, layers: list[Layer]) -> list[Layer]:
        """BatchNorm and the Scale that alone reads it as one layer."""
        merged: list[Layer] = []
        for place, layer in enumerate(layers):
            before = next((other for other in reversed(merged) if set(layer.bottoms) & set(other.tops)), None)
            if layer.kind == "Scale" and len(layer.bottoms) == 1 and before is not None and before.kind == "BatchNorm":
                blob = layer.bottoms[0]
                others = [
                    other
                    for other in layers[layers.index(before) + 1 :]
                    if other is not layer and blob in other.bottoms
                ]
                in_place = layer.tops == layer.bottoms
                earlier = [other for other in others if layers.index(other) < place]
                if not earlier if in_place else not others:
                    before.affine, before.tops = layer, layer.tops
                    continue
            merged.append(layer)
        return merged

    def _convert(self, layer: Layer) -> None:
        if layer.kind in DATA:
            self._data(layer)
            return
        blobs = [self.blobs.get(name) for name in layer.bottoms]
        lost = [name for name, blob in zip(layer.bottoms, blobs, strict=True) if blob is None]
        for name in lost:
            near = closest(name, self.blobs)
            layer.fields.problem(f"nothing gives the blob '{name}'", "the top of an earlier layer, or an input", near)
        if layer.kind.endswith("Loss") or layer.kind in _LEFT_OUT:
            self._ending(layer, [blob for blob in blobs if blob is not None])
            return
        if layer.kind not in LAYERS:
            near = closest(layer.kind, LAYERS)
            layer.fields.problem(
                f"the layer '{layer.kind}' cannot be imported" + (f" (did you mean '{near}'?)" if near else ""),
                f"one of {listed(sorted(LAYERS), limit=30)}",
            )
            self._unknown(layer)
            return
        if lost or any(blob is None or self._without_shape(blob, layer) for blob in blobs):
            self._unknown(layer)
            return
        layer.blobs = [self._fed(blob) for blob in blobs if blob is not None]
        given = LAYERS[layer.kind](layer) if len(layer.blobs) else None
        layer.fields.ignore()
        layer.fields.refuse_rest()
        if given is None or len(given) != len(layer.tops):
            if given is not None or not layer.blobs:
                layer.fields.problem(
                    f"{len(layer.bottoms)} bottoms and {len(layer.tops)} tops", "as many as the layer has in Caffe"
                )
            self._unknown(layer)
            return
        for top, blob in zip(layer.tops, given, strict=True):
            self.blobs[top] = blob

    def _unknown(self, layer: Layer) -> None:
        """Something is wrong with this layer: what reads it is not blamed for that."""
        layer.fields.ignore_all()
        for top in layer.tops:
            self.blobs[top] = Blob("", None, top, broken=True)

    def _without_shape(self, blob: Blob, layer: Layer) -> bool:
        if blob.broken:
            return True
        if blob.shape is None:
            layer.fields.problem(
                f"the file does not say the shape of the input '{blob.given}'",
                "the sizes of one example: channels, height, width",
                f"--input {blob.given}=CHANNELS,HEIGHT,WIDTH",
            )
            self.blobs[blob.given] = Blob("", None, blob.given, broken=True)
            return True
        return False

    def _fed(self, blob: Blob) -> Blob:
        """The blob, which becomes an input of the network where it is one of the file's."""
        if blob.given and not blob.broken and blob.shape is not None:
            self.draft.inputs.setdefault(blob.given, Input(blob.channels_last()))
            return Blob(f"input:{blob.given}", blob.shape)
        return blob

    def _data(self, layer: Layer) -> None:
        """A layer that reads data gives inputs; what it does to them is the recipe's affair."""
        shapes = _data_shapes(layer)
        for position, top in enumerate(layer.tops):
            self._given(top, shapes[position] if position < len(shapes) else None)
        if layer.kind != "Input":
            self.draft.remark(
                f"{layer.fields.title} is left out: reading, scaling and cropping are declared in the section `data`."
            )
        layer.fields.ignore_all()

    def _ending(self, layer: Layer, blobs: list[Blob]) -> None:
        layer.fields.ignore_all()
        for top in layer.tops:
            self.blobs[top] = Blob("", None, top, broken=True)
        if layer.kind == "Silence":
            return
        heads = [blob.node for blob in blobs if blob.node and not blob.node.startswith("input:")]
        if layer.kind.endswith("Loss"):
            what = "`losses`"
            for node in heads:
                self.draft.outputs.setdefault(node, node)
        else:
            what = "`metrics`"
        reads = ", ".join(f"outputs.{node}" for node in dict.fromkeys(heads)) or "the data"
        self.draft.remark(f"{layer.fields.title}, which reads {reads}, is left out: it belongs to the section {what}.")

    def _finish(self) -> None:
        draft = self.draft
        multiple = [layer.name for layer in self.layers if layer.multiplied]
        if multiple:
            draft.remark(
                f"lr_mult and decay_mult other than 1 ({', '.join(multiple)}) are left out: one learning rate and one "
                "weight decay hold for all; the optimizer's decay_mask chooses what decays."
            )
        _without_softmax(draft)
        unread = [name for name in draft.nodes if name not in draft.read_by_others()]
        for name in unread:
            draft.outputs.setdefault(name, name)
        if not draft.nodes and not draft.problems:
            draft.problems.append(Problem(self.file, "no layer that computes anything", "a network", self.file))
        _rename_inputs(draft)


def _data_shapes(layer: Layer) -> list[tuple[int, ...] | None]:
    fields = layer.fields
    if layer.kind in ("Input", "DummyData"):
        word = "input_param" if layer.kind == "Input" else "dummy_data_param"
        parameters = fields.message(word)
        shapes = [tuple(int(size) for size in shape.many("dim"))[1:] for shape in parameters.submessages("shape")]
        return [*(shapes * len(layer.tops) if len(shapes) == 1 else shapes)]
    if layer.kind == "MemoryData":
        parameters = fields.message("memory_data_param")
        sizes = [int(parameters.one(word, 0)) for word in ("channels", "height", "width")]
        return [tuple(sizes)] if all(sizes) else [None]
    return [None]


def _without_softmax(draft: Draft) -> None:
    """A softmax at the end goes: losses and metrics of classes take logits."""
    for name in [name for name, node in draft.nodes.items() if node.op == "softmax"]:
        node = draft.nodes[name]
        if name in draft.read_by_others() or name in draft.outputs or not isinstance(node.sources, str):
            continue
        del draft.nodes[name]
        draft.outputs.setdefault(node.sources, node.sources)
        draft.remark(f"{name} (Softmax) at the end is left out: the output is logits, which losses and metrics take.")


def _rename_inputs(draft: Draft) -> None:
    """What nodes call the inputs: `input` where there is one, else their own names."""
    names = {given: node_name(given, ()) for given in draft.inputs}
    single = len(names) == 1
    draft.inputs = {names[given]: spec for given, spec in draft.inputs.items()}
    called = {f"input:{given}": "input" if single else name for given, name in names.items()}

    for name, node in draft.nodes.items():
        given = node.sources
        if isinstance(given, str):
            sources: Sources = called.get(given, given)
        elif isinstance(given, dict):
            sources = {word: called.get(source, source) for word, source in given.items()}
        else:
            sources = [called.get(source, source) for source in given]
        draft.nodes[name] = Drafted(node.op, node.arguments, sources, node.words)
