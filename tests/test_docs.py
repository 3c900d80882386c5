"""The documentation is true: its Python runs, its walk-through works, its commands and links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from framework.cli.main import main
from framework.cli.verbs import VERBS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language, in order."""
    return [text for name, text in FENCE.findall(page.read_text(encoding="utf-8")) if name == language]


def commands(page: Path) -> list[str]:
    """Every `fw` command on a page: the lines behind a `$` in console blocks, and what stands in backticks."""
    typed = [line[2:] for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")]
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    quoted = re.findall(r"`([^`\n]+)`", prose)
    return [text for text in typed + quoted if text.startswith("fw ")]


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown page has for its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_names_a_verb(page: Path) -> None:
    words = {command: shlex.split(command, comments=True)[1] for command in commands(page)}
    unknown = {command for command, verb in words.items() if verb not in {*VERBS, "VERB", "--help", "--version"}}
    assert unknown == set()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text(encoding="utf-8")))
    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(target)
    assert broken == []


LOOKING = sorted(
    {
        command
        for page in PAGES
        for command in commands(page)
        if re.match(r"fw (list\b|schema\b|show .|explain .)", command) and not re.search(r"[A-Z]{3}|flowers", command)
    }
)


@pytest.mark.parametrize("command", LOOKING)
def test_every_command_that_only_looks_is_right(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(command, comments=True)[1:]) == 0
    assert capsys.readouterr().out


def test_every_page_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page_id(page) for page in PAGES if page.parent.name == "docs" and page_id(page) not in readme] == []


def test_the_readme_lists_every_verb() -> None:
    table = re.findall(r"^\| `fw (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert table == list(VERBS)


def test_the_readme_shows_the_recipe_as_it_is() -> None:
    (shown,) = [text for text in blocks(ROOT / "README.md", "yaml") if "digits_mlp.yaml" in text]
    recipe = (ROOT / "recipes" / "vision" / "digits_mlp.yaml").read_text(encoding="utf-8")
    body = "\n".join(line for line in recipe.splitlines() if not line.startswith("#"))
    assert shown.partition("\n")[2].strip() == body.strip()


@pytest.mark.slow
def test_the_python_of_the_library_page_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "library.md"
    names: dict[str, object] = {"__name__": "docs.library"}
    for number, source in enumerate(blocks(page, "python"), start=1):
        exec(compile(source, f"docs/library.md, block {number}", "exec"), names)
    assert (tmp_path / "runs" / "first" / "metrics.jsonl").is_file()
    assert "fix:" in capsys.readouterr().out


def _write_file(folder: Path, block: str) -> None:
    name, _, content = block.partition("\n")
    path = folder / name.removeprefix("# ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if path.suffix == ".csv" else block, encoding="utf-8")


def _run_console(folder: Path, block: str) -> None:
    """Run the commands of a block; lines below one must be in what it prints, and a fix means that it is refused."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = part.strip().splitlines()
        program, *words = shlex.split(command)
        start = [sys.executable, "-m", "framework"] if program == "fw" else [sys.executable]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [*start, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        printed = done.stdout + done.stderr
        refused = any(line.strip().startswith("fix:") for line in expected)
        assert done.returncode == (2 if refused else 0), f"{command}\n{printed}"
        assert [line for line in expected if line not in printed] == [], f"{command}\n{printed}"


@pytest.mark.slow
def test_getting_started_works_as_it_stands(tmp_path: Path) -> None:
    for language, block in FENCE.findall((ROOT / "docs" / "getting_started.md").read_text(encoding="utf-8")):
        if language == "console":
            _run_console(tmp_path, block)
        elif block.startswith("# "):
            _write_file(tmp_path, block)
    assert len((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()) == 3
