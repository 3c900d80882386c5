"""The charts of the report as PNG files, for papers and slides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.report.figures import new_figure, save, tidy
from framework.sweep.report.axes import Axis
from framework.sweep.report.curves import Curves, band
from framework.sweep.report.gathered import Gathered
from framework.sweep.report.groupings import Grouping
from framework.sweep.report.importance import Importance
from framework.sweep.report.pareto import front
from framework.sweep.report.payload import BANDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart with every kind of colour vision; the yellow is darkened for white paper.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#9c7a00", "#3f9fd6", "#5b4fa2", "#3d3d3d")
_SHADES = ("#d3d8df", "#a3bdd9", "#5f96cb", "#2265ab", "#0a2f63")
_LINE, _INK, _GREY, _REST = "#b3540c", "#222222", "#8a8a8a", "#c3c8cf"
_LOG_SPAN = 20.0


def draw(sweep: Gathered, curves: Curves, grouping: Grouping, weights: Importance, folder: Path) -> tuple[Path, ...]:
    """Draw what there is to draw, and give the files."""
    metric = next(iter([name for name in sweep.objectives if name in curves] or curves), None)
    drawn: dict[str, Callable[[Path], None]] = {}
    if _good(sweep):
        drawn["parallel"] = lambda path: draw_parallel(sweep, path)
        drawn["slices"] = lambda path: draw_slices(sweep, path)
    if metric is not None:
        drawn["curves"] = lambda path: draw_curves(metric, curves, grouping, path)
    if weights.shares:
        drawn["importance"] = lambda path: draw_importance(sweep, weights, path)
    if len(sweep.objectives) > 1 and _good(sweep):
        drawn["front"] = lambda path: draw_front(sweep, path)
    for name in ("parallel", "slices", "curves", "importance", "front"):
        if name not in drawn:
            (folder / f"{name}.png").unlink(missing_ok=True)
    for name, paint in drawn.items():
        paint(folder / f"{name}.png")
    return tuple(folder / f"{name}.png" for name in drawn)


def draw_parallel(sweep: Gathered, path: Path) -> None:
    """A line for each trial across all swept keys and objectives, coloured by the rank of the first objective."""
    good = _good(sweep)
    # Each column: its name, where each trial lies on it in [0, 1], and its ticks.
    columns = [_key_column(sweep, axis) for axis in sorted(sweep.axes, key=lambda axis: axis.seed)]
    columns += [_objective_column(sweep, index) for index in range(len(sweep.objectives))]
    figure = new_figure(max(6.4, 1.9 * len(columns)), 4.4)
    axes = figure.add_subplot()
    for index in sorted(range(len(sweep.rows)), key=lambda place: good.get(place, -1.0)):
        heights = [np.nan_to_num(column[1][index], nan=-0.09) for column in columns]
        known = index in good
        axes.plot(
            range(len(columns)),
            heights,
            color=_shade(good[index]) if known else _REST,
            linewidth=0.9 + good.get(index, 0.0),
            linestyle="-" if known else (0, (4, 3)),
            alpha=0.9 if known else 0.7,
        )
    for place, (_, heights, ticks) in enumerate(columns):
        axes.plot([place, place], [0, 1], color=_INK, linewidth=0.9)
        side = -1 if place < len(columns) - 1 else 1
        for at, text in [*ticks, *([(-0.09, "none")] if np.isnan(heights).any() else [])]:
            axes.annotate(
                text,
                (place, at),
                xytext=(5 * side, 0),
                textcoords="offset points",
                ha="right" if side < 0 else "left",
                va="center",
                fontsize=8,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
            )
    axes.set_xticks(range(len(columns)), [name for name, _, _ in columns], fontsize=9.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set(xlim=(-0.35, len(columns) - 0.65), ylim=(-0.14, 1.03))
    _shade_bar(figure, axes, f"rank of {sweep.objectives[0]}")
    save(figure, path)


def draw_slices(sweep: Gathered, path: Path) -> None:
    """The first objective over each swept key; trials that differ in seeds alone are one dot, with their quartiles."""
    good = _good(sweep)
    shown = [axis for axis in sweep.axes if len({repr(row.parameters.get(axis.key)) for row in sweep.rows}) > 1]
    columns = min(3, max(1, len(shown)))
    rows = -(-len(shown) // columns) or 1
    figure = new_figure(4.3 * columns, 3.4 * rows)
    for place, axis in enumerate(shown):
        axes = figure.add_subplot(rows, columns, place + 1)
        groups = sweep.repeats() if not axis.seed else [[index] for index in range(len(sweep.rows))]
        by_value: dict[float, list[float]] = {}
        for group in groups:
            members = [index for index in group if index in good]
            at = axis.number(sweep.rows[members[0]].parameters.get(axis.key)) if members else np.nan
            if np.isnan(at):
                continue
            at = 10**at if axis.kind == "log" else at
            values = [_objective(sweep, index) for index in members]
            low, middle, high = np.percentile(values, (25, 50, 75))
            by_value.setdefault(float(f"{at:.10g}"), []).append(float(middle))
            if len(values) > 1:
                axes.plot([at, at], [low, high], color=_GREY, linewidth=1.3, zorder=2)
            shade = _shade(float(np.mean([good[index] for index in members])))
            axes.plot([at], [middle], "o", color=shade, markeredgecolor=_GREY, markeredgewidth=0.5, zorder=3)
        if len(by_value) <= 12:
            ordered = sorted(by_value)
            medians = [float(np.median(by_value[at])) for at in ordered]
            line = {"linestyle": "", "marker": "_", "markersize": 22} if axis.kind == "words" else {}
            axes.plot(ordered, medians, color=_LINE, linewidth=1.6, zorder=2.5, **line)
        _scales(axes, axis, sorted(by_value))
        if _spans([_objective(sweep, index) for index in good]):
            _logarithmic(axes, "y")
        axes.set_title(axis.label + (" (repeats)" if axis.seed else ""), loc="left", fontsize=10.5)
        if place % columns == 0:
            axes.set_ylabel(sweep.objectives[0])
        tidy(axes)
    save(figure, path)


def draw_curves(metric: str, curves: Curves, grouping: Grouping, path: Path) -> None:
    """A metric of all members over their steps; groups as medians with bands of quartiles."""
    figure = new_figure(7.6, 4.6)
    axes = figure.add_subplot()
    members = curves[metric]
    lasting: list[float] = []
    for place, (label, group) in reversed(list(enumerate(grouping.groups))):
        color = PALETTE[place] if place < BANDS else _REST
        there = [curve for index in group if (curve := members[index]) is not None]
        single = len(group) == 1
        for curve in there:
            lasting += [value for value in curve.values.tolist() if np.isfinite(value)]
            axes.plot(
                curve.steps,
                curve.values,
                color=color,
                linewidth=1.5 if single and place < BANDS else 0.7,
                alpha=1 if single and place < BANDS else 0.4,
                label=label if single and place < BANDS else None,
            )
        if there and not single and place < BANDS:
            found = band(there)
            axes.fill_between(found.steps, found.low, found.high, color=color, alpha=0.17, linewidth=0)
            axes.plot(found.steps, found.median, color=color, linewidth=2.2, label=f"{label} ({len(group)})")
    if _spans(lasting):
        _logarithmic(axes, "y")
    axes.set(xlabel="step", ylabel=metric)
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        more = len(grouping.groups) - BANDS
        title = f"medians and quartiles{f'; {more} more groups in grey' if more > 0 else ''}"
        # The best group was drawn last, so that it lies on top, and is named first.
        figure.legend(
            handles[::-1],
            labels[::-1],
            loc="outside lower center",
            ncols=2,
            frameon=False,
            fontsize=8.5,
            title=title,
            title_fontsize=8.5,
        )
    tidy(axes)
    save(figure, path)


def draw_importance(sweep: Gathered, weights: Importance, path: Path) -> None:
    """What each swept key explains alone of the first objective's ranks."""
    labels = {axis.key: axis.label for axis in sweep.axes}
    keys = list(weights.shares)[::-1]
    shares = [100 * weights.shares[key] for key in keys]
    figure = new_figure(6.4, 1.3 + 0.36 * len(keys))
    axes = figure.add_subplot()
    bars = axes.barh([labels[key] for key in keys], shares, color=PALETTE[0], height=0.62)
    axes.bar_label(bars, [f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %" for share in shares], padding=4)
    axes.set(xlim=(0, max(100.0, *shares) * 1.1), xlabel="variance that the key explains alone, %")
    axes.set_title(f"{sweep.objectives[0]}: {weights.trials} trials, R² {weights.score:.2f}", loc="left", fontsize=10)
    tidy(axes)
    axes.grid(axis="y", visible=False)
    save(figure, path)


def draw_front(sweep: Gathered, path: Path) -> None:
    """The first two objectives against each other, with the trials that no other one beats."""
    good, best = _good(sweep), set(front(sweep))
    figure = new_figure(5.6, 4.4)
    axes = figure.add_subplot()
    points = {index: (sweep.rows[index].objective or ())[:2] for index in good}
    for index, point in points.items():
        chosen = index in best
        axes.plot(
            *[[value] for value in point], "o", color=_LINE if chosen else "#5f96cb", markersize=7 if chosen else 5
        )
    line = sorted(points[index] for index in best)
    axes.plot(*zip(*line, strict=True), color=_LINE, linewidth=1.3, linestyle="--", zorder=1)
    for number, name in enumerate("xy"):
        if _spans([point[number] for point in points.values()]):
            _logarithmic(axes, name)
    words = [f"{name} ({way})" for name, way in zip(sweep.objectives, sweep.section.directions, strict=True)]
    axes.set(xlabel=words[0], ylabel=words[1])
    tidy(axes)
    save(figure, path)


def _good(sweep: Gathered) -> dict[int, float]:
    """Place of each trial that is done -> its rank by the first objective, from 0, the worst, to 1."""
    places = {row.number: index for index, row in enumerate(sweep.rows)}
    done = [places[row.number] for row in sweep.ranked if row.status == "done" and row.objective is not None]
    return {index: 1 - rank / max(1, len(done) - 1) for rank, index in enumerate(done)}


def _objective(sweep: Gathered, index: int, which: int = 0) -> float:
    return (sweep.rows[index].objective or ())[which]


def _key_column(sweep: Gathered, axis: Axis) -> tuple[str, np.ndarray, list[tuple[float, str]]]:
    numbers = np.array([axis.number(row.parameters.get(axis.key)) for row in sweep.rows])
    if axis.kind == "words":
        count = len(axis.words)
        return (
            axis.label,
            (numbers + 0.5) / count,
            [((at + 0.5) / count, word[:18]) for at, word in enumerate(axis.words)],
        )
    return axis.label, *_placed(numbers, axis.kind == "log")


def _objective_column(sweep: Gathered, which: int) -> tuple[str, np.ndarray, list[tuple[float, str]]]:
    good = _good(sweep)
    values = np.array([_objective(sweep, i, which) if i in good else np.nan for i in range(len(sweep.rows))])
    log = _spans(values[np.isfinite(values)].tolist())
    arrow = "↓ better" if sweep.section.directions[which] == "minimize" else "↑ better"
    return f"{sweep.objectives[which]}\n{arrow}", *_placed(np.log10(values) if log else values, log)


def _placed(numbers: np.ndarray, log: bool) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Numbers, logarithms where `log`, in [0, 1] with a margin, and the ticks that go with them."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    margin = 0.05 * (high - low) or 1.0
    low, high = low - margin, high + margin
    few = np.unique(numbers[~np.isnan(numbers)])
    if 1 < len(few) <= 10 and float(np.diff(few).min()) > 0.045 * (high - low):
        ticks = few
    elif log:
        subs = (1.0,) if high - low > 2 else (1.0, 2.0, 5.0)
        ticks = np.log10(LogLocator(subs=subs).tick_values(10**low, 10**high))
    else:
        ticks = np.array(MaxNLocator(6).tick_values(low, high))
    inside = [float(tick) for tick in ticks if low <= tick <= high]
    shown = [f"{10**tick if log else tick:.4g}" for tick in inside]
    return (numbers - low) / (high - low), [
        ((tick - low) / (high - low), text) for tick, text in zip(inside, shown, strict=True)
    ]


def _scales(axes: Axes, axis: Axis, values: Sequence[float]) -> None:
    if axis.kind == "words":
        axes.set_xticks(range(len(axis.words)), [word[:14] for word in axis.words])
        axes.set_xlim(-0.6, len(axis.words) - 0.4)
        return
    if axis.kind == "log":
        _logarithmic(axes, "x")
    elif 1 < len(values) <= 6:
        axes.set_xticks(values)


def _logarithmic(axes: Axes, which: str) -> None:
    """A log scale whose ticks are written out: 0.05, 0.1, 0.2."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < (20 if which == "x" else 1e3) * low else (1,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _spans(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) >= _LOG_SPAN * min(values)


@cache
def _colors() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("rank", _SHADES)


def _shade(share: float) -> Any:
    """The colour of a rank, from the worst, 0, to the best, 1."""
    return _colors()(share)


def _shade_bar(figure: Figure, axes: Axes, label: str) -> None:
    from matplotlib.cm import ScalarMappable

    scale = ScalarMappable(cmap=_colors())
    bar: Any = figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.35, aspect=30, pad=0.02)
    bar.set_ticks([0, 1], labels=["worst", "best"])
    bar.set_label(label, color=_GREY, fontsize=8.5)
    bar.ax.tick_params(length=0, labelsize=8.5)
    bar.outline.set_visible(False)
