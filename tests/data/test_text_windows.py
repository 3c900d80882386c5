"""Windows of text, alphabets, and the standard library as a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_cases import section, write_text

import framework.data as data
from framework.core.errors import DataError
from framework.data.alphabets import PRINTABLE, Alphabet, code_points
from framework.data.sources.stdlib import _modules
from framework.data.windows import cut_windows

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def text(path: Path, **fields: Any) -> Any:
    return section("text", **({"path": str(path), "context": 4} | fields))


def test_targets_are_the_characters_that_follow(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt")
    dataset = data.load(text(path))
    alphabet = Alphabet(dataset.facts()["learned"]["alphabet"])
    original = path.read_text()
    for row, number in enumerate(dataset.splits["valid"].indices):
        example = dataset.splits["valid"].take(np.array([row]))
        assert alphabet.decode(example["tokens"]) == original[4 * number : 4 * number + 4]
        assert alphabet.decode(example["targets"]) == original[4 * number + 1 : 4 * number + 5]


@pytest.mark.parametrize(("stride", "starts"), [(None, [0, 4, 8]), (4, [0, 4, 8]), (3, [0, 3, 6, 9]), (9, [0, 9])])
def test_windows_start_every_stride_and_end_within_the_text(stride: int | None, starts: list[int]) -> None:
    windows, own = cut_windows({None: code_points(LETTERS[:14])}, 4, stride)
    assert own is None
    assert windows.starts.tolist() == starts


def test_a_window_needs_one_character_more_than_its_context() -> None:
    assert len(cut_windows({None: code_points("abcde")}, 4, None)[0]) == 1
    with pytest.raises(
        DataError, match=r"the text has 4 characters, which do not fill one window of 4(.|\n)*data.context=3"
    ):
        cut_windows({None: code_points("abcd")}, 4, None)


def test_no_window_runs_from_one_splits_file_into_anothers(tmp_path: Path) -> None:
    paths = {"train": "a" * 50, "valid": "b" * 20, "test": "c" * 30}
    for name, letters in paths.items():
        write_text(tmp_path / name, letters)
    files = {name: str(tmp_path / name) for name in paths}
    dataset = data.load(section("text", path=files, context=4, alphabet="abc", vocabulary=4))
    for number, name in enumerate(("train", "valid", "test")):
        arrays = dataset.arrays(name)
        assert set(arrays["tokens"].ravel().tolist()) | set(arrays["targets"].ravel().tolist()) == {number}


def test_an_automatic_alphabet_is_that_of_the_training_split(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", "ba" * 100 + "xy" * 20)
    dataset = data.load(text(path, alphabet="auto", vocabulary=3))
    assert dataset.facts()["learned"]["alphabet"] == "ab"
    assert set(dataset.arrays("test")["tokens"].ravel().tolist()) == {2}


def test_an_automatic_alphabet_that_outgrows_its_vocabulary_is_told_with_its_size(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", LETTERS * 10)
    with pytest.raises(
        DataError, match=r"a vocabulary of 20 cannot hold the alphabet's 26 characters(.|\n)*data.vocabulary=27"
    ):
        data.load(text(path, alphabet="auto", vocabulary=20))


def test_bytes_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    dataset = data.load(text(tmp_path / "a.bin", alphabet="bytes", vocabulary=256, split={"type": "contiguous"}))
    assert dataset.arrays("train")["tokens"].ravel().tolist() == list(range(200))


def test_line_ends_become_newlines_and_a_byte_order_mark_goes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfa\r\nb\rc\nd" * 1)
    dataset = data.load(text(tmp_path / "a.txt", context=6, split={"type": "contiguous", "valid": 0, "test": 0}))
    letters = Alphabet(dataset.facts()["learned"]["alphabet"])
    assert letters.decode(dataset.arrays("train")["tokens"]) == "a\nb\nc\n"


def test_text_that_is_not_utf_8_is_told_with_its_offset(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9" * 50)
    with pytest.raises(DataError, match=r"a.txt' is not UTF-8 text: byte 0xe9 at offset 3(.|\n)*data.alphabet=bytes"):
        data.load(text(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"vocabulary": 96},
            r"a vocabulary of 96 cannot hold the alphabet's 96 characters and one(.|\n)*data.vocabulary=97",
        ),
        ({"alphabet": "bytes"}, r"a vocabulary of 97 cannot hold the alphabet's 256 bytes(.|\n)*data.vocabulary=256"),
        ({"alphabet": "abca"}, "data.alphabet: the alphabet names 'a' more than once"),
    ],
)
def test_a_mistake_in_the_alphabet_is_told_without_reading(tmp_path: Path, fields: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        data.describe(text(write_text(tmp_path / "a.txt"), **fields))


def test_an_alphabet_encodes_and_decodes_every_character() -> None:
    alphabet = Alphabet("zaé🙂")
    codes = alphabet.encode(code_points("aé🙂z?\U0010ffff"))
    assert codes.tolist() == [1, 2, 3, 0, 4, 4]
    assert alphabet.decode(codes) == "aé🙂z\ufffd\ufffd"
    assert alphabet.size == 5


def test_printable_is_ascii_from_space_to_tilde_and_newline() -> None:
    assert len(PRINTABLE) == 96
    assert set(PRINTABLE) == {chr(code) for code in range(128) if chr(code).isprintable()} | {"\n"}


def test_the_standard_library_is_real_python_of_the_asked_length() -> None:
    dataset = data.load(section("stdlib", max_characters=50_000, context=100, split={"type": "contiguous"}))
    alphabet = Alphabet(dataset.facts()["learned"]["alphabet"])
    train = alphabet.decode(dataset.arrays("train")["tokens"])
    assert "def " in train and "import " in train
    total = sum(len(view) for view in dataset.splits.values())
    # 499 whole windows, of which one can lie across each of the two cuts.
    assert 497 <= total <= 499


def test_only_what_every_installation_has_is_read_from_the_standard_library(tmp_path: Path) -> None:
    for name in ("ast.py", "json/decoder.py", "test/test_ast.py", "site-packages/numpy.py", "json/__pycache__/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("pass\n")
    (tmp_path / "_sysconfigdata__linux.py").write_text("pass\n")
    assert sorted(_modules(tmp_path)) == ["ast.py", "json/decoder.py"]


def test_an_installation_without_its_source_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(DataError, match="the standard library's source is not installed in"):
        data.load(section("stdlib"))
