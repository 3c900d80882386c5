"""What every source promises, whichever it is."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import CASES

import framework.data as data
from framework.config.schema.data import DataSource
from framework.core.errors import DataError
from framework.data.registry import OWN, SOURCES, call, describer, loader


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return CASES[request.param](tmp_path)


def test_every_source_is_in_the_battery() -> None:
    kinds = {
        "row_groups": "parquet",
        "own": OWN,
        "blobs": "synthetic",
        "regression": "synthetic",
        "pictures": "synthetic",
        "copy": "synthetic",
    }
    assert {kinds.get(name, name) for name in CASES} == {*SOURCES, OWN}


def test_examples_have_the_promised_arrays_shapes_and_types(case: Any) -> None:
    dataset = data.load(case)
    for source in dataset.splits.values():
        batch = source.take(np.array([0, 0, len(source) - 1]))
        told = {name: ((3, *spec.shape), spec.dtype) for name, spec in source.spec.items()}
        assert {name: (array.shape, array.dtype.name) for name, array in batch.items()} == told
        for name in batch:
            np.testing.assert_array_equal(batch[name][0], batch[name][1])


def test_the_description_agrees_with_the_loaded_data(case: Any) -> None:
    described, dataset = data.describe(case), data.load(case)
    assert dict(described.arrays) == dataset.spec
    assert described.splits == tuple(dataset.splits)
    if described.class_names is not None:
        assert described.class_names == dataset.classes
    if described.examples is not None:
        assert described.examples == sum(map(len, dataset.splits.values()))
    if described.classes is not None:
        labels = np.concatenate([dataset.arrays(split)["label"] for split in dataset.splits])
        assert set(labels.tolist()) == set(range(described.classes))
    if described.vocabulary is not None:
        tokens = dataset.arrays("train")["tokens"]
        assert tokens.min() >= 0 and tokens.max() < described.vocabulary


def test_loading_twice_gives_the_same_bits(case: Any) -> None:
    first, second = data.load(case), data.load(case)
    assert first.facts() == second.facts()
    for split in first.splits:
        for name, array in first.arrays(split).items():
            assert array.tobytes() == second.arrays(split)[name].tobytes()


def test_facts_survive_json_and_reproduce_the_same_bits(case: Any) -> None:
    first = data.load(case)
    second = data.load(case, facts=json.loads(json.dumps(first.facts())))
    assert second.facts() == first.facts()
    for name, array in first.arrays("train").items():
        assert array.tobytes() == second.arrays("train")[name].tobytes()


def test_splits_are_disjoint_and_independent_examples_are_all_used(case: Any) -> None:
    dataset = data.load(case)
    used = np.concatenate([view.indices for view in dataset.splits.values()])
    assert len(used) == len(set(used.tolist()))
    if case.type not in ("text", "stdlib", "tokens"):
        total = len(call(loader(case.type), case))
        assert sorted(used.tolist()) == list(range(total))


@pytest.mark.parametrize("index", [-1, 10**6])
def test_an_index_out_of_range_is_refused(case: Any, index: int) -> None:
    source = data.load(case).splits["train"]
    with pytest.raises(
        IndexError, match=rf"example {index} is asked for, but there are examples 0 to {len(source) - 1}"
    ):
        source.take(np.array([0, index]))


def test_an_index_out_of_range_is_refused_before_the_split_too(case: Any) -> None:
    collection = call(loader(case.type), case)
    with pytest.raises(IndexError, match=f"example {len(collection)} is asked for"):
        collection.take(np.array([len(collection)]))


def test_resident_arrays_are_the_examples_in_order_and_nbytes_is_their_size(case: Any) -> None:
    dataset = data.load(case)
    arrays = dataset.arrays("train")
    assert dataset.nbytes("train") == sum(array.nbytes for array in arrays.values())
    source = dataset.splits["train"]
    last = source.take(np.array([len(source) - 1]))
    for name, array in arrays.items():
        np.testing.assert_array_equal(array[-1], last[name][0])


def test_a_limit_keeps_so_many_examples_of_each_split(case: Any) -> None:
    limited = data.load(case.model_copy(update={"limit": 2}))
    whole = data.load(case)
    for split, view in limited.splits.items():
        assert len(view) == 2
        assert set(view.indices.tolist()) <= set(whole.splits[split].indices.tolist())


def test_the_schema_and_the_function_have_the_same_arguments(case: Any) -> None:
    common = set(DataSource.model_fields) | {"split", "normalize", "normalize_target", "statistics_examples"}
    own = set(type(case).model_fields) - common
    assert set(inspect.signature(loader(case.type)).parameters) == own
    assert set(inspect.signature(describer(case.type)).parameters) <= own


def test_describing_reads_no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {name: make(tmp_path) for name, make in CASES.items()}
    # Every way to the contents of a data set is shut; headers, names and schemas stay open.
    cases["csv"] = cases["csv"].model_copy(update={"categorical": {"colour": ("red", "blue")}})

    def shut(*arguments: Any, **keywords: Any) -> Any:
        raise AssertionError("data was read")

    for place in (
        "framework.data.bundled.read_table",
        "framework.data.sources.digits.read_table",
        "framework.data.sources.diabetes.read_table",
        "framework.data.disk.rows.DiskRows.read",
        "framework.data.sources.npz.read_arrays",
        "framework.data.sources.csv.read_csv",
        "framework.data.sources.parquet.read_parquet",
        "framework.data.tables.stream.read_parquet",
        "framework.data.sources.array_record.open_records",
        "framework.data.sources.arrays.find",
        "data_cases.read_rows",
        "framework.data.sources.images.read_picture",
        "framework.data.sources.text.read_characters",
        "framework.data.sources.stdlib._read",
        "framework.data.sources.tokens._mapped",
        "framework.data.sources.synthetic.normal",
    ):
        monkeypatch.setattr(place, shut)
    for name, case in cases.items():
        assert data.describe(case).arrays, name
        if name != "copy":
            # What fails in a user's own code is told as a mistake in the data.
            with pytest.raises((AssertionError, DataError), match="data was read"):
                data.load(case).arrays("train")


def test_an_unknown_source_is_refused_with_the_closest_name() -> None:
    with pytest.raises(
        DataError, match=r"data.type: unknown value 'digit'\n.*digits, iris(.|\n)*fix: +data.type=digits"
    ):
        loader("digit")


def test_the_room_loads_neither_jax_nor_the_optional_libraries() -> None:
    code = (
        "import sys, framework.data as d; from framework.data.registry import loader, SOURCES;"
        "[loader(s) for s in SOURCES]; loader('digits')(classes=10);"
        "print(sorted({'jax', 'sklearn', 'scipy', 'pyarrow', 'array_record', 'PIL', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
