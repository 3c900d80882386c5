"""`fw import`: another framework's file as the YAML of a network, checked as any other network is."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from framework.config.language import elaborate
from framework.core.errors import ConfigError, Problem
from framework.inspect.importing.caffe import read_caffe
from framework.inspect.importing.draft import Draft
from framework.inspect.importing.keras import read_keras
from framework.inspect.importing.writing import declaration, text

_LARGEST = 64 * 2**20  # bytes of a declaration; weights are not read


def imported(kind: str, file: Path, *, inputs: Mapping[str, Sequence[int]] | None = None, phase: str = "train") -> str:
    """The YAML of the network that a file declares, with its count of parameters in the header.

    Args:
      kind: `caffe` (a prototxt) or `keras` (the JSON of `to_json`, or a `.keras` archive).
      inputs: Caffe's blob -> shape of one example, channels first, where the file does not say it.
      phase: of Caffe, `train` or `test`.

    Raises:
      ConfigError: the file cannot be read, or holds what cannot be kept; all of it is told.
    """
    if kind == "caffe":
        draft = read_caffe(_content(file), file.name, inputs=inputs, phase=phase)
        source = f"Imported from Caffe: {file.name}, phase {phase}."
    else:
        draft = read_keras(_json(file), file.name)
        source = f"Imported from Keras: {file.name}."
    graph = elaborate(declaration(draft))
    return text(draft, source, _parameters(draft, graph))


def _parameters(draft: Draft, graph: object) -> int | None:
    """How many parameters the network has; None where a size of an input is left open."""
    import jax

    from framework.config.language import Graph
    from framework.network import Network

    assert isinstance(graph, Graph)
    if any(size is None for given in draft.inputs.values() for size in given.shape):
        return None
    shapes = {
        name: jax.ShapeDtypeStruct((1, *(size or 1 for size in given.shape)), given.dtype)
        for name, given in draft.inputs.items()
    }
    spec = shapes if len(shapes) > 1 else next(iter(shapes.values()))
    return sum(row.parameters for row in Network(graph).check(spec) if row.depth == 0)


def _content(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST:
            raise _unreadable(file, f"holds {file.stat().st_size:,} bytes", f"a declaration of at most {_LARGEST:,}")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(file, "is no text", "a text file: a declaration, not weights") from error
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error), "a file that can be read") from error


def _json(file: Path) -> object:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info.file_size for info in archive.infolist()}
            if members.get("config.json", _LARGEST + 1) > _LARGEST:
                raise _unreadable(file, "is an archive without config.json", "what `model.save` of Keras 3 writes")
            content = archive.read("config.json").decode("utf-8", errors="replace")
    else:
        content = _content(file)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unreadable(file, f"is no JSON ({error})", "what `model.to_json()` gives, or a .keras archive") from error


def _unreadable(file: Path, found: str, expected: str) -> ConfigError:
    return ConfigError(Problem("FILE", f"{file} {found}", expected, fix="check the path"))
