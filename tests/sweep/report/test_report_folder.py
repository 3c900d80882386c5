"""What `fw sweep report` leaves in the folder of a real sweep, and what it says."""

from __future__ import annotations

import csv
import json
import re
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

import framework as fw
from framework.cli.main import main
from framework.sweep.ledger import FILE, Ledger
from framework.sweep.report.gathered import gather
from framework.sweep.report.page import embedded
from framework.sweep.report.writing import write_report


def data_of(page: Path) -> dict:
    text = page.read_text("utf-8").partition('<script type="application/json" id="data">')[2]
    return json.loads(text.partition("</script>")[0])


def test_the_command_writes_the_page_the_pictures_and_the_table(copied: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["sweep", "report", str(copied)]) == 0
    said = capsys.readouterr().out
    assert "12 trials: 9 done, 3 non finite\n" in said
    assert f"report: {copied / 'report' / 'index.html'}\n" in said
    best = Ledger(copied / FILE).meta()["command"]
    assert f"best: {' '.join(best)} optimizer.learning_rate=" in said
    names = {path.name for path in (copied / "report").iterdir()}
    pictures = {f"{name}.png" for name in ("parallel", "slices", "curves", "importance", "front")}
    assert names == {"index.html", "trials.csv", *pictures}
    for path in (copied / "report").glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_page_asks_nothing_of_the_network_and_links_to_the_runs_where_they_are_now(copied: Path) -> None:
    page = write_report(copied).page
    text = page.read_text("utf-8")
    assert "default-src 'none'" in text
    assert re.findall(r'(?:src|href)="', text) == []
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    links = [trial["link"] for trial in data_of(page)["trials"]]
    assert links[3] == "../3/"
    assert (page.parent / links[3]).is_dir()


def test_the_page_and_the_table_hold_what_the_ledger_and_the_metric_logs_hold(copied: Path) -> None:
    written = write_report(copied)
    rows = Ledger(copied / FILE).trials()
    data = data_of(written.page)
    for row, trial in zip(rows, data["trials"], strict=True):
        expected = None if row.objective is None else [pytest.approx(value, rel=1e-6) for value in row.objective]
        assert trial["objective"] == expected
    assert [axis["kind"] for axis in data["axes"]] == ["log", "linear"]
    (loss,) = [metric for metric in data["curves"]["metrics"] if metric["name"] == "valid.loss"]
    steps, values = loss["lines"][0]
    assert data["curves"]["steps"][steps] == [2, 4, 6, 8]
    logged = [json.loads(line) for line in (copied / "0" / "metrics.jsonl").read_text().splitlines()]
    assert values == [pytest.approx(line["loss"], rel=1e-3) for line in logged if line["split"] == "valid"]
    with written.table.open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [line["status"] for line in table] == ["done"] * 9 + ["non_finite"] * 3
    assert float(table[4]["valid.loss"]) == rows[4].metrics["valid.loss"]
    assert float(table[4]["optimizer.learning_rate"]) == 1e-2


def test_a_killed_sweep_is_reported_with_what_there_is(copied: Path) -> None:
    gone = f"{socket.gethostname()}:999999999:1"
    with sqlite3.connect(copied / FILE) as ledger:
        ledger.execute("UPDATE trials SET objective = NULL, ended = NULL WHERE number = 4 OR number > 5")
        ledger.execute("UPDATE trials SET status = 'running', owner = ? WHERE number = 4", (gone,))
        ledger.execute("UPDATE trials SET status = 'queued', parameters = '{}', path = '' WHERE number > 5")
    ledger.close()
    written = write_report(copied)
    assert written.sweep.counts == {"done": 5, "interrupted": 1, "queued": 6}
    assert "needs 12 trials that are done; there are 5" in data_of(written.page)["importance"]["problem"]


def test_a_sweep_of_which_no_trial_has_begun_is_reported(copied: Path) -> None:
    with sqlite3.connect(copied / FILE) as ledger:
        ledger.execute("DELETE FROM trials")
    ledger.close()
    written = write_report(copied)
    assert (written.sweep.counts, written.pictures) == ({}, ())
    assert data_of(written.page)["best"] is None


def test_the_page_goes_where_it_is_asked_to_and_its_links_start_there(copied: Path, tmp_path: Path) -> None:
    page = tmp_path / "elsewhere" / "page.html"
    assert main(["sweep", "report", str(copied), "-o", str(page)]) == 0
    assert data_of(page)["trials"][0]["link"] == "../moved/0/"
    assert (copied / "report" / "trials.csv").is_file()


def test_without_matplotlib_the_rest_is_written_and_a_line_says_so(
    copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["sweep", "report", str(copied)]) == 0
    assert "pip install 'framework[figures]'" in capsys.readouterr().out
    assert {path.name for path in (copied / "report").iterdir()} == {"index.html", "trials.csv"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report"], "fw sweep report: no folder is named"),
        (["report", "a", "b"], "one word too many: 'b'"),
        (["report", "a", "--plan"], "--plan: has no meaning for a report"),
        (["report", "nowhere"], "nowhere: is no folder"),
        (["digits_mlp", "seed=1,2", "-o", "page.html"], "--output: is of `fw sweep report`"),
    ],
)
def test_a_mistake_is_told(words: list[str], said: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["sweep", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_above_a_sweep_is_told_which_one_is_below(swept: fw.SweepResult) -> None:
    with pytest.raises(fw.RunError, match=rf"holds no sweep\n.*\n  fix: +fw sweep report {swept.folder}"):
        gather(swept.folder.parent)


def test_text_of_a_recipe_cannot_end_the_script_that_holds_it() -> None:
    text = embedded({"name": "</script><!-- <script> & ]]>"})
    assert not set(text) & set("<>&")
    assert json.loads(text) == {"name": "</script><!-- <script> & ]]>"}
