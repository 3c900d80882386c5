"""Numbers with units, read and shown."""

from __future__ import annotations

import pytest

from framework.core.errors import ConfigError
from framework.inspect.plan.quantities import parse_bytes, parse_rate, show_bytes, show_count, show_time


@pytest.mark.parametrize(
    ("text", "value"),
    [("141GiB", 141 * 2**30), ("80 GB", 80e9), ("1e9", 1e9), ("0.5MiB", 2**19), ("3.2e1kB", 32e3), ("7B", 7)],
)
def test_bytes_are_read_with_their_unit(text: str, value: float) -> None:
    assert parse_bytes("--hbm", text) == value


@pytest.mark.parametrize(
    ("text", "found", "fix"),
    [
        ("141GIB", "unknown unit 'GIB'", "--hbm 141GiB"),
        ("141G", "unknown unit 'G'", "--hbm 141GB"),
        ("2 parsec", "unknown unit 'parsec'", "--hbm 2GiB"),
        ("0GiB", "'0GiB'", "--hbm 141GiB"),
        ("-1GiB", "'-1GiB'", "--hbm 141GiB"),
        ("much", "'much'", "--hbm 141GiB"),
        ("1e999", "'1e999'", "--hbm 141GiB"),
    ],
)
def test_what_is_no_size_is_told_with_the_fix(text: str, found: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_bytes("--hbm", text)
    (problem,) = caught.value.problems
    assert (problem.found.startswith(found), problem.fix) == (True, fix)


def test_a_rate_has_no_unit() -> None:
    assert parse_rate("--flops", "990e12") == 990e12
    with pytest.raises(ConfigError, match=r"--flops: a unit, 'TFLOPS', in '990TFLOPS'"):
        parse_rate("--flops", "990TFLOPS")


def test_numbers_are_shown_with_three_digits() -> None:
    assert [show_bytes(value) for value in (0, 1023, 2**20, 1.5 * 2**30)] == ["0 B", "1023 B", "1 MiB", "1.5 GiB"]
    assert [show_count(value) for value in (12, 1.37e9, 4e15)] == ["12", "1.37 G", "4 P"]
    assert [show_time(value) for value in (2.0, 3.21e-3, 5e-9)] == ["2 s", "3.21 ms", "5 ns"]
