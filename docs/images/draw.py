"""Run digits_mlp and draw the end of what it prints: `.venv/bin/python docs/images/draw.py` renews digits_mlp.svg."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMAND = ["run", "digits_mlp"]
PICTURE = Path(__file__).with_name("digits_mlp.svg")


def main() -> None:
    """Write the picture; it names no font or file of another place."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": "76"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "framework", *COMMAND],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    text = Text.from_ansi(f"$ fw {' '.join(COMMAND)}\n\x1b[2m...\x1b[0m\n{done.stdout.rstrip()}")
    width = max(len(line) for line in text.plain.splitlines()) + 1
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(text, soft_wrap=True)
    svg = console.export_svg(title="", unique_id="fw")
    svg = re.sub(r"<!--.*?-->|@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    svg = "\n".join(line.rstrip() for line in svg.splitlines() if line.strip())
    PICTURE.write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
