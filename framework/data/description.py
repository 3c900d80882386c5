"""What a recipe's data looks like, told without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.data.protocol import ArraySpec
from framework.data.registry import call, describer
from framework.data.splits import split_names

_CLASS = ArraySpec((), "int32")
"""One class for each example, which a split can be stratified by."""


@dataclass(frozen=True)
class DataSpec:
    """The outside of a data set.

    Attributes:
      arrays: batch array name -> shape and dtype of one example, without the batch axis.
      splits: the names of its splits, `train` first.
      classes: how many classes the labels have, or None.
      class_names: their names, or None where they have none or only reading the data tells.
      vocabulary: how many different tokens there are, or None.
      examples: how many examples there are in all splits, or None where only reading the data tells.
    """

    arrays: Mapping[str, ArraySpec]
    splits: tuple[str, ...]
    classes: int | None = None
    class_names: tuple[str, ...] | None = None
    vocabulary: int | None = None
    examples: int | None = None


def describe(section: Any) -> DataSpec:
    """The outside of the data that the section `data` of a recipe declares.

    At most headers, file names and the schema are read; only a table's categorical column that declares no categories
    is read for them.

    Raises:
      DataError: a file or a column is missing, or contradicts the section.
    """
    outline = call(describer(section.type), section)
    labelled = outline.arrays.get("label") == _CLASS
    return DataSpec(
        arrays=dict(outline.arrays),
        splits=split_names(section.split, outline.own, labelled=labelled, ordered=outline.ordered),
        classes=outline.classes,
        class_names=outline.class_names,
        vocabulary=outline.vocabulary,
        examples=outline.examples,
    )
