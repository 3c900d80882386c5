"""Data: sources, splits, scaling by the training split, the batch schedule and prefetch. NumPy only, never JAX."""

from framework.data.dataset import Dataset, load
from framework.data.description import DataSpec, describe
from framework.data.given import given_examples, given_inputs
from framework.data.input_files import read_inputs
from framework.data.inputs import denormalize, normalize_inputs
from framework.data.protocol import ArraySpec, Source

__all__ = [
    "ArraySpec",
    "DataSpec",
    "Dataset",
    "Source",
    "denormalize",
    "describe",
    "given_examples",
    "given_inputs",
    "load",
    "normalize_inputs",
    "read_inputs",
]
