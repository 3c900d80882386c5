"""The final tables are readable on a terminal of 100 columns, with and without colour."""

from __future__ import annotations

import io
import re

from rich.console import Console

from framework.report.tables import class_names, confusion_table, metrics_table, results

ANIMALS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def printed(item: object, width: int = 100, color: bool = False) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=color, color_system="standard" if color else None).print(item)
    return "\n".join(line.rstrip() for line in file.getvalue().replace("\N{NO-BREAK SPACE}", " ").splitlines())


def diagonal(classes: int, count: int = 30) -> list[list[int]]:
    return [[count if row == column else 0 for column in range(classes)] for row in range(classes)]


def test_metrics_stand_in_rows_and_splits_in_columns() -> None:
    table = metrics_table({"valid": {"loss": 0.1, "accuracy": 0.98}, "test": {"loss": 0.0512345, "count": 360}})
    assert printed(table) == (
        "metric      valid      test\nloss       0.1000   0.05123\naccuracy   0.9800\ncount                   360"
    )


def test_a_confusion_matrix_has_its_diagonal_in_brackets_and_dots_for_zero() -> None:
    table = confusion_table(
        [[9, 1, 0], [0, 10, 0], [0, 0, 0]], ["setosa", "versicolor", "virginica"], title="test confusion"
    )
    assert printed(table) == (
        "test confusion: true classes in rows, predicted ones in columns\n"
        "            setosa  versicolor  virginica  found\n"
        "setosa         [9]           1          ·  90.0%\n"
        "versicolor       ·        [10]          · 100.0%\n"
        "virginica        ·           ·        [0]      -"
    )


def test_right_and_wrong_differ_in_colour_where_there_is_any() -> None:
    text = printed(confusion_table([[9, 1], [0, 10]]), color=True)
    assert "\x1b[1;32m[9]\x1b[0m" in text
    assert re.search(r"\x1b\[31m +1\s*\x1b\[0m", text)


def test_ten_named_classes_fit_into_a_hundred_columns_unabridged() -> None:
    text = printed(confusion_table(diagonal(10, 1000), ANIMALS))
    assert all(name in text.splitlines()[1] for name in ANIMALS)
    assert text.count("[1000]") == 10
    assert "…" not in text


def test_on_a_narrow_terminal_names_are_cut_and_then_numbered() -> None:
    cut = printed(confusion_table(diagonal(10), ANIMALS, width=78), width=78)
    assert "aut…" in cut.splitlines()[1]
    assert "automobile" not in cut.splitlines()[1]
    assert max(map(len, cut.splitlines())) <= 78
    numbered = printed(confusion_table(diagonal(10), ANIMALS, width=70), width=70)
    assert numbered.splitlines()[1].split() == [*"0123456789", "found"]
    assert numbered.splitlines()[2].startswith("0 airplane")
    assert cut.count("[30]") == numbered.count("[30]") == 10


def test_many_classes_are_told_by_their_most_frequent_mistakes() -> None:
    matrix = diagonal(100)
    matrix[3][7], matrix[8][2] = 4, 9
    text = printed(confusion_table(matrix, title="test confusion"))
    assert text == (
        "test confusion: the most frequent mistakes among 100 classes\n"
        "true   predicted   times\n"
        "8      2               9\n"
        "3      7               4"
    )


def test_names_that_do_not_fit_the_matrix_are_not_used() -> None:
    assert class_names([[1, 0], [0, 1]], ["only one"]) == ["0", "1"]
    assert class_names([[1, 0], [0, 1]], ["a", "b"]) == ["a", "b"]


def test_results_print_metrics_and_every_matrix() -> None:
    text = printed(results({"test": {"accuracy": 1.0, "confusion": [[1, 0], [0, 1]]}}, ["no", "yes"]))
    assert text.startswith("metric      test\naccuracy   1.000\n\ntest confusion: ")
    assert printed(results({"test": {"confusion": [[1]]}})).lstrip().startswith("test confusion")


def test_a_name_with_markup_is_printed_as_it_stands() -> None:
    assert "[red]x" in printed(confusion_table([[1, 0], [0, 1]], ["[red]x", "y"]))
