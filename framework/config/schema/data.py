"""The section `data`: where examples come from, how they are split, scaled and cut into batches."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from framework.config.schema.base import Component, Number, Spec
from framework.config.schema.own import Own, or_own

Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[int, Field(ge=0)]
Fraction = Annotated[Number, Field(ge=0, lt=1)]
Classes = Annotated[int, Field(ge=2)]
ClassNames = Annotated[tuple[str, ...], Field(strict=False, min_length=2)]
Words = Annotated[tuple[str, ...], Field(strict=False)]
SomeWords = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class FilesBySplit(Spec):
    """The files of each split."""

    train: str | SomeWords
    valid: str | SomeWords | None = None
    test: str | SomeWords | None = None


class ArraysBySplit(Spec):
    """Batch array -> array in the file, for each split."""

    train: dict[str, str]
    valid: dict[str, str] | None = None
    test: dict[str, str] | None = None


Files = str | SomeWords | FilesBySplit
"""One file, several read one after another, or the files of each split."""


class SplitSpec(Spec):
    """How examples are shared out among train, valid and test."""

    train: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        default=None, description="share; null: what the others leave"
    )
    valid: Fraction = Field(default=0.1, description="share of examples for validation; 0: no such split")
    test: Fraction = Field(default=0.1, description="share of examples for the final test; 0: no such split")

    @model_validator(mode="after")
    def _within_one(self) -> Self:
        total = (self.train or 0.0) + self.valid + self.test
        if total > 1 + 1e-9 or (self.train is None and total >= 1):
            raise ValueError(f"the shares of train, valid and test add up to {total:g}; at most 1 can be given out")
        return self


class AutoSplit(SplitSpec):
    """The source's own splits where it has some, else stratified by label, else shuffled; text stays in order.

    Shares are of all examples; where the source names its own splits, of its train, for those it does not name.
    """

    type: Literal["auto"]


class NamedSplit(SplitSpec):
    """The source's own splits; valid and test are shares of its train, for those that it does not name."""

    type: Literal["named"]
    valid: Fraction = Field(default=0.0, description="share of the source's train, if the source names no valid")
    test: Fraction = Field(default=0.0, description="share of the source's train, if the source names no test")


class FractionSplit(SplitSpec):
    """Shuffled by `split_seed`, then cut."""

    type: Literal["fraction"]


class StratifiedSplit(SplitSpec):
    """Shuffled by `split_seed`, then cut so that every split holds each class in the same proportion."""

    type: Literal["stratified"]


class HashSplit(SplitSpec):
    """By a hash of each example's contents, so that adding examples moves none of the others."""

    type: Literal["hash"]


class ContiguousSplit(SplitSpec):
    """In the order of the source: first train, then valid, then test."""

    type: Literal["contiguous"]


Split = Annotated[
    AutoSplit | NamedSplit | FractionSplit | StratifiedSplit | HashSplit | ContiguousSplit,
    Field(discriminator="type"),
]
TextSplit = Annotated[AutoSplit | NamedSplit | ContiguousSplit, Field(discriminator="type")]
"""Windows of text overlap their neighbours, so they are never shuffled before they are split."""


class DataSource(Component):
    """What every source has: batches and splits."""

    family: ClassVar[str] = "data"

    batch_size: Positive = Field(128, description="examples per optimizer step")
    eval_batch_size: Positive | None = Field(None, description="examples per evaluation step; null: batch_size")
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="of the shuffle before the split")
    shuffle: bool = Field(True, description="a new order of the training split each epoch")
    last_batch: Literal["mask", "drop"] = Field("mask", description="what becomes of an epoch's last, short batch")
    resident: bool | Literal["auto"] = Field("auto", description="keep the data on the device")
    limit: Positive | None = Field(None, description="use only so many examples of each split, for quick tries")


class Independent(DataSource):
    """What sources have whose examples do not depend on each other: any split, and scaling."""

    split: Split = AutoSplit(type="auto")
    normalize: Literal["standard", "minmax", "none"] = Field(
        "standard", description="scale each feature or channel by statistics of the training split"
    )


class Targeted(Independent):
    """What sources with real-valued targets have."""

    normalize_target: Literal["standard", "minmax", "none"] = Field(
        "none", description="scale the target likewise; losses and metrics are then in scaled units"
    )


class Digits(Independent):
    """Handwritten digits: 1797 grey images of 8 x 8 pixels in ten classes."""

    type: Literal["digits"]
    classes: Classes = 10


class Iris(Independent):
    """Iris flowers: 150 examples of four lengths in three classes."""

    type: Literal["iris"]
    classes: Classes = 3


class Wine(Independent):
    """Wines: 178 chemical analyses of 13 features in three classes."""

    type: Literal["wine"]
    classes: Classes = 3


class BreastCancer(Independent):
    """Breast tumours: 569 examples of 30 features, malignant or benign."""

    type: Literal["breast_cancer"]
    classes: Classes = 2


class Diabetes(Targeted):
    """Diabetes: 442 patients of ten features, and how far the disease had gone a year later (25 to 346)."""

    type: Literal["diabetes"]


class Declared(Targeted):
    """What sources have whose classes the user declares."""

    classes: Classes | None = Field(None, description="how many classes; null: a real-valued target, or none")
    class_names: ClassNames | None = Field(
        None, description="names of the classes in order; null: as found in the data"
    )

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        if self.class_names is not None and len(self.class_names) != self.classes:
            raise ValueError(f"class_names has {len(self.class_names)} names, but classes is {self.classes}")
        return self


class OnDisk(Spec):
    """What sources have whose examples stay on the disk."""

    statistics_examples: Positive | None = Field(
        65536, description="how many examples of the training split `normalize` learns from, evenly spread; null: all"
    )


class Npy(Declared, OnDisk):
    """Arrays in NPY files, read row by row when they are asked for: data may be larger than memory."""

    type: Literal["npy"]
    path: Files = Field(description="the folder of the files, or several folders, or those of each split")
    arrays: dict[str, str] | None = Field(
        None,
        description="batch array -> its file below `path`, or a folder or pattern (x-*.npy) of parts in the order of "
        "their names; null: every file and every folder of parts, by its own name",
    )


class Npz(Declared):
    """Arrays in NPZ files; an array `label` holds classes, one called `target` real numbers."""

    type: Literal["npz"]
    path: Files
    arrays: dict[str, str] | ArraysBySplit | None = Field(
        None, description="batch array -> array in the file, or that for each split; null: all, by their own names"
    )
    mapped: bool | Literal["auto"] = Field(
        "auto",
        description="read rows from the disk when they are asked for; auto: from 1 GiB on, where nothing is compressed",
    )


class Table(Declared):
    """What tables have: columns for the features, and columns for the answer."""

    path: Files
    target: str | SomeWords = Field(description="column of the class, or column(s) of the real-valued target")
    features: SomeWords | None = Field(None, description="feature columns; null: all others")
    exclude: Words = Field((), description="columns left out, such as an id")
    categorical: dict[str, SomeWords | None] = Field(
        default_factory=dict,
        description="feature column -> its categories (one 0/1 feature each); null: as found",
    )
    missing: Literal["error", "mean", "zero", "drop"] = Field(
        "error", description="what becomes of a missing feature: refused, training mean, 0, or its row is dropped"
    )


def _tab(text: object) -> object:
    """A backslash and a t, which is all that a command line can say of a tab, as one."""
    return "\t" if text == "\\t" else text


class Csv(Table):
    """A table in CSV files with a header line."""

    type: Literal["csv"]
    delimiter: Annotated[str, BeforeValidator(_tab), Field(min_length=1, max_length=1)] = Field(
        ",", description="what parts the columns; \\t is a tab"
    )


class Parquet(Table):
    """A table in Parquet files (needs the extra `parquet`)."""

    type: Literal["parquet"]
    stream: bool = Field(False, description="read row groups when they are asked for: the table need not fit in memory")
    cache_mib: Positive = Field(
        512, description="stream: how much memory decoded row groups may take; half of it is mixed with each other"
    )
    statistics_examples: Positive | None = Field(
        65536, description="stream: how many examples of the training split are learned from, evenly spread; null: all"
    )

    @model_validator(mode="after")
    def _rows_stay(self) -> Self:
        if self.stream and self.missing == "drop":
            raise ValueError("missing=drop reads the whole table first; with stream, missing is error, mean or zero")
        return self


class ArrayRecord(Declared, OnDisk):
    """Arrays of each example in ArrayRecord files, their bytes one after another (needs the extra `array-record`)."""

    type: Literal["array_record"]
    path: Files
    arrays: Annotated[dict[str, str], Field(min_length=1)] = Field(
        description="batch array -> its dtype and shape in a record, in this order: 'uint8[32,32,3]', 'int32'"
    )


class Arrays(Declared):
    """Arrays in the memory of a Python program, given to `fw.load(recipe, data=...)`, which writes what they are."""

    type: Literal["arrays"]
    arrays: dict[str, str] = Field(
        default_factory=dict, description="batch array -> dtype and shape of one example as given: uint8[8,8], int64"
    )
    examples: dict[str, NonNegative] = Field(
        default_factory=dict, description="split -> how many examples it holds; `all` where they are not split"
    )
    fingerprint: str | None = Field(None, description="SHA-256 of the arrays, by which they are found in the process")
    vocabulary: Positive | None = Field(None, description="how many different tokens; null: no tokens")
    context: Positive | None = Field(None, description="tokens in one example; null: no tokens")
    missing: Literal["error", "mean", "zero"] = Field(
        "error", description="what becomes of NaN in an input: refused, training mean, or 0"
    )


class Images(Independent):
    """Images in one folder per class, or in such folders below train, valid and test (needs the extra `images`)."""

    type: Literal["images"]
    path: Annotated[str, Field(min_length=1)]
    classes: Classes
    class_names: ClassNames | None = Field(None, description="class folders in order; null: sorted by name")
    size: Positive | Annotated[tuple[Positive, Positive], Field(strict=False)] | None = Field(
        None, description="pixels: one number, or height and width; null: that of the first image"
    )
    mode: Literal["rgb", "grey"] = "rgb"
    fit: Literal["stretch", "crop"] = Field("stretch", description="how an image of another aspect ratio is resized")
    cache_mib: NonNegative = Field(1024, description="keep decoded images in memory if all of them fit into this")
    workers: NonNegative = Field(0, description="processes that decode; 0: the threads that make the batches do")

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        if self.class_names is not None and len(self.class_names) != self.classes:
            raise ValueError(f"class_names has {len(self.class_names)} names, but classes is {self.classes}")
        return self


class Windows(DataSource):
    """What text has: windows of characters, and a vocabulary."""

    context: Positive = Field(128, description="characters in one example")
    stride: Positive | None = Field(None, description="characters from one window's start to the next; null: context")
    split: TextSplit = AutoSplit(type="auto")


class Text(Windows):
    """Characters of text files: each window's tokens, and the characters that follow them as targets."""

    type: Literal["text"]
    path: Files
    alphabet: Annotated[str, Field(min_length=1)] = Field(
        "printable", description="printable (ASCII), bytes, auto (as found in the training split), or the characters"
    )
    vocabulary: Annotated[int, Field(ge=2)] = Field(97, description="size of the alphabet and one for all others")


class Stdlib(Windows):
    """The Python standard library's own source: real text on every machine, 97 characters."""

    type: Literal["stdlib"]
    max_characters: Positive = Field(2_000_000, description="how much of it is used")
    vocabulary: Annotated[int, Field(ge=2)] = Field(97, description="printable ASCII, newline, and one for all others")


class Tokens(Windows):
    """Token ids in files, as a tokenizer wrote them: windows of tokens, and the tokens that follow as targets."""

    type: Literal["tokens"]
    path: Files
    vocabulary: Annotated[int, Field(ge=2)] = Field(description="number of different tokens; the largest is one less")
    dtype: Literal["uint16", "uint32", "int32"] = Field(
        "uint16", description="number format of a raw file, little-endian; an .npy file tells its own"
    )
    context: Positive = Field(1024, description="tokens in one example")
    stride: Positive | None = Field(None, description="tokens from one window's start to the next; null: context")


class Synthetic(Targeted):
    """Made-up examples: blobs, regression, images, or copying a sequence; each kind has fields of its own."""

    type: Literal["synthetic"]
    kind: Literal["blobs", "regression", "images", "copy"] = "blobs"
    examples: Positive = 1024
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="of the examples")
    features: Positive | None = Field(None, description="blobs, regression: numbers in one example")
    classes: Classes | None = Field(None, description="blobs, images: how many classes")
    size: Positive | None = Field(None, description="images: height and width in pixels")
    channels: Positive | None = Field(None, description="images: numbers per pixel")
    noise: Annotated[Number, Field(ge=0)] | None = Field(
        None, description="blobs, regression, images: standard deviation of the noise"
    )
    context: Annotated[int, Field(ge=2, multiple_of=2)] | None = Field(None, description="copy: tokens in one example")
    vocabulary: Annotated[int, Field(ge=3)] | None = Field(None, description="copy: how many different tokens")

    reads: ClassVar[dict[str, tuple[str, ...]]] = {
        "blobs": ("features", "classes", "noise"),
        "regression": ("features", "noise"),
        "images": ("classes", "size", "channels", "noise"),
        "copy": ("context", "vocabulary"),
    }
    """The fields of each kind; those of other kinds must be null, because nothing would read them."""

    @model_validator(mode="after")
    def _fields_of_its_kind(self) -> Self:
        own = self.reads[self.kind]
        others = {name for names in self.reads.values() for name in names} - set(own)
        lacking = [name for name in own if getattr(self, name) is None]
        unread = [name for name in sorted(others) if getattr(self, name) is not None]
        if lacking or unread:
            mistakes = [f"{name} must be set" for name in lacking] + [f"{name} must be null" for name in unread]
            raise ValueError(f"for kind={self.kind}, {', '.join(mistakes)}")
        return self


class OwnData(Own, Declared, OnDisk):
    """A function or class of the user's own that gives arrays, or an object with `spec`, `len()` and `take`."""

    type: Literal["_target_"] = "_target_"
    vocabulary: Positive | None = Field(None, description="how many different tokens; null: no tokens")
    context: Positive | None = Field(None, description="tokens in one example; null: no tokens")
    missing: Literal["error", "mean", "zero"] = Field(
        "error", description="what becomes of NaN in an input: refused, training mean, or 0"
    )


DataSection = Annotated[
    Digits
    | Iris
    | Wine
    | BreastCancer
    | Diabetes
    | Npy
    | Npz
    | Csv
    | Parquet
    | ArrayRecord
    | Arrays
    | Images
    | Text
    | Stdlib
    | Tokens
    | Synthetic,
    Field(discriminator="type"),
    *or_own(OwnData),
]
