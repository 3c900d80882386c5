"""The page: one HTML file that holds its data, its style and its scripts, and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    "failing.js",
    "drawing.js",
    "theme.js",
    "tooltip.js",
    "summary.js",
    "history.js",
    "parallel.js",
    "slices.js",
    "importance.js",
    "curves.js",
    "pareto.js",
    "table.js",
    "means.js",
    "trials.js",
    "main.js",
)
"""In the order in which they build on each other."""


def page(data: Mapping[str, Any]) -> str:
    """The HTML of a report.

    Args:
      data: see `framework.sweep.report.payload`.
    """
    scripts = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{scripts}}})();\n'
    parts = {
        "title": escape(f"Sweep of {data['recipe']}"),
        # The page runs this very script and no other, so that a name out of a recipe could not become one.
        "digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "style": (ASSETS / "page.css").read_text(encoding="utf-8"),
        "data": embedded(data),
        "script": script,
    }
    template = (ASSETS / "page.html").read_text(encoding="utf-8")
    # Cut, not replaced: what is filled in may hold anything, also what looks like the next mark.
    pieces = template.split("@@")
    return "".join(piece if index % 2 == 0 else parts[piece] for index, piece in enumerate(pieces))


def embedded(data: Mapping[str, Any]) -> str:
    """JSON that may stand within a script element: it holds nothing that could end one or begin a comment."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
