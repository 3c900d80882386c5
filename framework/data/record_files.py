"""ArrayRecord files, by the package `array_record`, which is loaded only here.

Source of the format: https://github.com/google/array_record
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from framework.core.errors import DataError, Problem
from framework.core.words import closest
from framework.data.convert import converted_spec

_DTYPES = (
    *("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64", "bool"),
)
_FORM = re.compile(r"(\w+)(?:\[([\d,\s]*)\])?")


def record_layout(arrays: Mapping[str, str]) -> np.dtype:
    """A record as a NumPy structure without padding.

    Args:
      arrays: name -> dtype and shape: `uint8[32,32,3]`, `int32`.

    Raises:
      DataError: a dtype is unknown or does not fit the array's name, or a shape is not one; all problems are told.
    """
    fields, problems = [], []
    for name, form in arrays.items():
        match = _FORM.fullmatch(form.strip())
        word = match[1] if match else form
        sizes = [part.strip() for part in (match[2] or "").split(",") if part.strip()] if match else []
        key = f"data.arrays.{name}"
        if match is None or word not in _DTYPES or not all(size.isdigit() and int(size) for size in sizes):
            near = closest(word, _DTYPES)
            fix = f"{key}='{form.replace(word, near)}'" if near and match and word not in _DTYPES else None
            problems.append(
                Problem(
                    key, f"'{form}' is no dtype and shape", f"such as uint8[32,32,3]; {', '.join(_DTYPES)}", fix=fix
                )
            )
            continue
        shape = tuple(map(int, sizes))
        try:
            converted_spec(name, shape, np.dtype(word))
        except TypeError as error:
            problems.append(Problem(key, f"'{form}' {error}", "a dtype of whole numbers", fix=f"{key}=int32"))
        fields.append((name, np.dtype(word).newbyteorder("<"), shape))
    if problems:
        raise DataError(problems)
    return np.dtype(fields)


def open_records(files: Sequence[Path]) -> list[Any]:
    """Readers of some files, each safe to use from threads.

    Raises:
      DataError: the package is not installed, or a file is no ArrayRecord file; all of them are told.
    """
    module = _module()
    readers, problems = [], []
    for file in files:
        # Reading ahead suits only one order, and examples are asked for in another.
        reader = module.ArrayRecordReader(str(file), options="readahead_buffer_size:0", file_reader_buffer_size=32768)
        if reader.ok():
            readers.append(reader)
            continue
        try:
            reader.close()
            reason = ""
        except RuntimeError as error:
            reason = str(error).partition("\n")[0].split("; ")[0]
        problems.append(
            Problem(
                "data.path",
                f"'{file}' cannot be read as ArrayRecord: {reason or 'it is damaged'}",
                "a complete file by framework.data.record_files.write_records or array_record's writer",
                fix="write or copy it again",
            )
        )
    if problems:
        raise DataError(problems)
    return readers


def write_records(path: str | Path, arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Write an ArrayRecord file of examples.

    Args:
      arrays: batch array -> values with a leading axis of examples, all of one length.

    Returns:
      The value of `data.arrays` that reads it.

    Raises:
      DataError: the package is not installed, or an array is of a dtype that records cannot hold.
      ValueError: the arrays are of different lengths.
    """
    module = _module()
    forms = {name: f"{array.dtype.name}[{','.join(map(str, array.shape[1:]))}]" for name, array in arrays.items()}
    layout = record_layout(forms)
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) != 1:
        raise ValueError(f"the arrays are of different lengths: {sorted(lengths)}")
    # One record in a group: each can be read without decoding its neighbours.
    writer = module.ArrayRecordWriter(str(path), "group_size:1")
    record = np.empty((), layout)
    for row in range(lengths.pop()):
        for name, array in arrays.items():
            record[name] = array[row]
        writer.write(record.tobytes())
    writer.close()
    return forms


def wrong_record(file: Path, row: int, size: int, layout: np.dtype) -> DataError:
    """The error for a record of another length than the recipe says."""
    each = ", ".join(f"{name} {layout[name].base.name}{list(layout[name].shape)}" for name in layout.names or ())
    return DataError(
        Problem(
            "data.arrays",
            f"'{file}' record {row} has {size:,} bytes",
            f"{layout.itemsize:,} bytes: {each}",
            fix="list the arrays as they were written, or write the file again",
        )
    )


def _module() -> Any:
    try:
        from array_record.python import array_record_module  # pyright: ignore[reportAttributeAccessIssue]
    except ImportError:
        raise DataError(
            Problem(
                key="data.type",
                found="ArrayRecord files need array_record, which is not installed",
                expected="the extra `array-record`; there are wheels for Linux and macOS",
                fix="pip install 'framework[array-record]', or data.type=npy",
            )
        ) from None
    return array_record_module
