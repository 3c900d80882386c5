"""The page in a real browser: it draws itself without an error, shows every trial, and takes no text for markup."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from html import unescape
from pathlib import Path

import pytest

import framework as fw
from framework.sweep.ledger import FILE
from framework.sweep.report import page as page_module
from framework.sweep.report.writing import write_report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = pytest.mark.skipif(not BROWSER, reason="Chromium is not installed: apt-get install chromium")


def browse(page: Path, *options: str) -> str:
    """What the browser prints of a page."""
    # Without a sandbox, which needs rights that a container rarely gives; the page is our own.
    command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command += ["--virtual-time-budget=4000", f"--user-data-dir={page.parent / 'profile'}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_page_draws_every_part_without_an_error(swept: fw.SweepResult, tmp_path: Path) -> None:
    page = swept.report(tmp_path / "page.html")
    dom = browse(page, "--dump-dom")
    assert '<html lang="en" data-ready="true"' in dom
    assert re.search(r'<p id="error" role="alert" hidden="">', dom)
    titles = re.findall(r"<h2>(.*?)</h2>", dom)
    assert titles == [
        "Best",
        "Trials",
        "Parallel coordinates",
        "Learning curves",
        "Slices",
        "Importance",
        "History",
        "Front",
        "Means over seeds",
        "All trials",
    ]
    assert len(re.findall(r'aria-label="parallel coordinates".*?</svg>', dom, re.DOTALL)[0].split("<path")) == 12 + 2
    means, body = re.findall(r"<tbody>(.*?)</tbody>", dom, re.DOTALL)
    assert body.count("<tr") == 12
    assert body.count(">non finite</span>") == 3
    assert (means.count("<tr"), means.count(" ± "), means.count(">0 of 3<")) == (4, 3 * 7, 1)
    assert unescape(re.findall(r'<code id="command">(.*?)</code>', dom)[0]) == swept.command


def test_markup_in_a_value_stays_text(copied: Path) -> None:
    hostile = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'
    with sqlite3.connect(copied / FILE) as ledger:
        ledger.execute("UPDATE trials SET parameters = json_set(parameters, '$.seed', ?)", (hostile,))
        ledger.execute("UPDATE trials SET error = ?", (hostile,))
        ledger.execute("UPDATE meta SET value = json_quote(?) WHERE key = 'recipe'", (hostile,))
    ledger.close()
    dom = browse(write_report(copied).page, "--dump-dom")
    assert 'data-ready="true"' in dom
    assert "<img" not in dom
    assert len(re.findall(r"<script", dom)) == 2
    assert unescape(re.findall(r"<title>(.*?)</title>", dom)[0]) == f"Sweep of {hostile}"


def test_a_page_whose_script_fails_says_so(swept: fw.SweepResult, tmp_path: Path) -> None:
    page = swept.report(tmp_path / "page.html")
    page.write_text(page.read_text("utf-8").replace('"facts":[[', '"fakts":[[', 1), "utf-8")
    dom = browse(page, "--dump-dom")
    assert 'data-ready="failed"' in dom
    assert "This page could not be drawn: " in dom


DRAG = """
window.addEventListener("load", () => {
  const svg = document.querySelector('svg[aria-label="parallel coordinates"]');
  const area = svg.getBoundingClientRect();
  const grip = svg.querySelectorAll(".grip")[1].getBoundingClientRect();
  const send = (target, type, x, y) =>
    target.dispatchEvent(new PointerEvent(type, { pointerId: 1, bubbles: true, clientX: x, clientY: area.top + y }));
  const middle = grip.left + grip.width / 2;
  const rows = () => document.querySelectorAll("#trials tbody tr").length;
  const drag = (from, to) => {
    const target = document.querySelector('svg[aria-label="parallel coordinates"]').querySelectorAll(".grip")[1];
    send(target, "pointerdown", middle, from);
    if (to !== from) send(target, "pointermove", middle, to);
    send(target, "pointerup", middle, to);
  };
  drag(30, 80);
  const picked = rows();
  drag(50, 50);
  document.title = `${picked} picked, ${rows()} let go`;
});
"""


def test_dragging_along_an_axis_picks_trials_and_a_click_lets_go(
    swept: fw.SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "drag.js"
    script.write_text(DRAG, "utf-8")
    monkeypatch.setattr(page_module, "SCRIPTS", (*page_module.SCRIPTS, str(script)))
    dom = browse(swept.report(tmp_path / "page.html"), "--window-size=1000,900", "--dump-dom")
    # The second axis is the seed, whose greatest value lies at the top: 2, which four of the twelve trials have.
    assert "<title>4 picked, 12 let go</title>" in dom


def test_the_page_is_dark_where_the_system_is_and_fits_a_phone(swept: fw.SweepResult, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install 'framework[images]'")
    page = swept.report(tmp_path / "page.html")
    shades = {}
    for name, number in (("light", 1), ("dark", 0)):
        shot = tmp_path / f"{name}.png"
        browse(
            page,
            f"--blink-settings=preferredColorScheme={number}",
            f"--screenshot={shot}",
            "--window-size=500,900",
            "--hide-scrollbars",
        )
        with image.open(shot) as picture:
            assert picture.size == (500, 900)
            shades[name] = picture.convert("L").resize((1, 1)).getpixel((0, 0))
    assert shades["dark"] < 70
    assert shades["light"] > 200
