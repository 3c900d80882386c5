"""The page on data is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from framework.config.schema.data import Split
from framework.data.registry import SOURCES

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs() -> None:
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(source, "docs/data.md", "exec"), {"__name__": "docs.data"})


def test_the_page_names_every_source_and_every_rule_of_splitting() -> None:
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    assert [name for name in SOURCES if f"`{name}`" not in rows] == []
    rules = {get_args(cls.model_fields["type"].annotation)[0] for cls in get_args(get_args(Split)[0])}
    assert [name for name in rules if f"| `{name}` |" not in rows] == []
