"""Draws what benchmarks/peers.py measured: for each model, one bar for each library.

python benchmarks/chart.py FILE.json -o docs/images/performance.png
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

HEADINGS = {
    "mlp": ("Perceptron", "64-128-128-10, batch 64"),
    "cnn": ("Convolutions", "32-64-128, batch norm, batch 64"),
    "gpt": ("Transformer", "4 layers, width 128, batch 32"),
}
ROWS = {
    "fw": ("fw",),
    "fw, bfloat16": ("fw16",),
    "JAX by hand": ("flax",),
    "Keras, JAX": ("keras", "keras20", "keras50"),
    "Keras, TensorFlow": ("tensorflow", "tensorflow20"),
    "PyTorch": ("torch",),
    "PyTorch, compiled": ("compiled",),
    "Lightning": ("lightning",),
    "PyTorch, bfloat16": ("torch16", "medium"),
    "Lightning, bfloat16": ("lightning16",),
    "Keras, bfloat16": ("keras16",),
}
"""Label -> sides; where there are several, each model shows the fastest."""

OURS, THEIRS, INK, FAINT = "#c2410c", "#b6bcc6", "#1f2430", "#6b7280"


@dataclass(frozen=True)
class Bar:
    """One bar: steps per second, None where the library was not measured on the model."""

    label: str
    rate: float | None


def bars(model: Mapping[str, Any]) -> list[Bar]:
    """The bars of one model; a label of several sides has the rate of the fastest."""
    medians = {name: statistics.median(rates) for name, rates in model["rates"].items()}
    made = []
    for label, names in ROWS.items():
        present = [medians[name] for name in names if name in medians]
        made.append(Bar(label, max(present) if present else None))
    return made


def spoken(rate: float) -> str:
    """A rate in three digits: 12.3, 123, 1,230."""
    if rate >= 1000:
        return f"{round(rate, -1):,.0f}"
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}"


def draw(content: Mapping[str, Any], path: Path, note: str = "") -> None:
    """Draw all models side by side, each on a scale of its own."""
    models = {name: bars(model) for name, model in content["models"].items()}
    shown = [place for place in range(len(ROWS)) if any(found[place].rate for found in models.values())]
    style: Any = {"font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.labelcolor": INK}
    with pyplot.rc_context(style):
        height = 1.63 + 0.34 * len(shown)
        figure, axes = pyplot.subplots(1, len(models), figsize=(10, height), squeeze=False, facecolor="white")
        for place, (axis, (name, found)) in enumerate(zip(axes[0], models.items(), strict=True)):
            _panel(axis, name, [found[row] for row in shown], labelled=place == 0)
        figure.suptitle("Training steps per second (longer is faster)", x=0.012, y=0.985, ha="left", weight="bold")
        where = content["machine"]
        machine = f"{where['processor']}, {where['cpus']} cores, {where['date']}"
        words = f"{machine}; float32 where not told otherwise, Adam, two threads"
        meaning = "Medians of interleaved rounds; in brackets how many times as fast fw is, bfloat16 beside bfloat16."
        below = f"{meaning}\n{words}{f'; {note}' if note else ''}."
        figure.text(0.012, 0.02, below, color=FAINT, fontsize=8, linespacing=1.4)
        figure.subplots_adjust(left=0.145, right=0.985, top=1 - 0.78 / height, bottom=0.6 / height, wspace=0.12)
        figure.savefig(path, dpi=200, facecolor="white", metadata={"Software": None})
        pyplot.close(figure)


def _panel(axis: Axes, name: str, found: Sequence[Bar], *, labelled: bool) -> None:
    ours = {bar.label: bar.rate for bar in found if bar.label.startswith("fw")}
    most = max((bar.rate for bar in found if bar.rate), default=1.0)
    for row, bar in enumerate(found):
        first = bar.label.startswith("fw")
        axis.barh(row, bar.rate or 0, height=0.66, color=OURS if first else THEIRS, linewidth=0)
        text = spoken(bar.rate) if bar.rate else "not measured"
        beside = ours.get("fw, bfloat16" if "bfloat16" in bar.label else "fw")
        if bar.rate and beside and not first:
            text += f"  ({beside / bar.rate:.1f}×)"
        color = FAINT if not bar.rate else INK
        axis.text((bar.rate or 0) + 0.015 * most, row, text, va="center", color=color, weight="bold" if first else None)
    heading, details = HEADINGS[name]
    axis.set_title(heading, loc="left", fontsize=10.5, weight="bold", pad=19, color=INK)
    axis.text(0, 1.02, details, transform=axis.transAxes, fontsize=8.5, color=FAINT, va="bottom")
    axis.set(xlim=(0, 1.45 * most), ylim=(len(found) - 0.5, -0.5), xticks=[])
    axis.set_yticks(range(len(found)), [bar.label for bar in found] if labelled else [])
    axis.tick_params(length=0)
    for side in ("top", "right", "bottom"):
        axis.spines[side].set_visible(False)
    axis.spines["left"].set_color(FAINT)


def main(words: Sequence[str] | None = None) -> None:
    """Read the file and draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="what benchmarks/peers.py --json wrote")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="PNG")
    parser.add_argument("--note", default="", help="said beside machine and date")
    options = parser.parse_args(words)
    draw(json.loads(options.file.read_text(encoding="utf-8")), options.out, options.note)


if __name__ == "__main__":
    main()
