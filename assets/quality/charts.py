"""The pictures of the report: SVG that stands inside the page, in the page's own colours, with a text for each.

Belongs here: drawing, and saying in words what was drawn. Does not: which picture stands where (document.py).
Surprise: matplotlib draws in placeholder colours that are then replaced by the page's CSS variables, so that one
picture serves light and dark; its ids come from a fixed salt, so that the same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.dates
import matplotlib.ticker

matplotlib.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Placeholder -> CSS variable of page.html.
COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--soft)",
    "#030303": "var(--one)",
    "#040404": "var(--two)",
    "#050505": "var(--three)",
    "#060606": "var(--four)",
}
INK, SOFT, ONE, TWO, THREE, FOUR = COLOURS
SERIES = (ONE, TWO, THREE, FOUR)
WIDTH_IN = 7.6
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": SOFT,
    "grid.linewidth": 0.4,
    "legend.frameon": False,
}
Told = tuple[str, str]  # the text alternative, the SVG


def funnel(stands: Mapping[str, Mapping[str, int]]) -> Told:
    """entity -> step -> rows."""

    def draw(figure: Figure) -> None:
        for axes, (entity, steps) in zip(_row(figure, len(stands)), sorted(stands.items()), strict=True):
            names, values = list(steps), list(steps.values())
            bars = axes.barh(names, values, color=ONE, height=0.66)
            axes.bar_label(bars, labels=[f"{value:,}" for value in values], padding=4)
            axes.invert_yaxis()
            axes.set_title(entity, loc="left")
            axes.grid(axis="y", visible=False)
            axes.set_xlim(0, max([*values, 1]) * 1.22)

    told = "; ".join(
        f"{entity}: " + ", ".join(f"{step} {n:,}" for step, n in steps.items())
        for entity, steps in sorted(stands.items())
    )
    return f"Bars of rows by step. {told}.", _svg("funnel", draw, height_in=2.7)


def accuracy(rows: Sequence[Mapping[str, Any]]) -> Told:
    """Rows of quality.source_accuracy: dots with their intervals, a line per field."""
    sources = sorted({row["source"] for row in rows})
    names = list(dict.fromkeys(f"{row['entity']} {row['field'].replace('_', ' ')}" for row in rows))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for index, source in enumerate(sources):
            own = [row for row in rows if row["source"] == source]
            at = [names.index(f"{row['entity']} {row['field'].replace('_', ' ')}") + (index - 1) * 0.22 for row in own]
            middle = [row["accuracy"] * 100 for row in own]
            reach = [
                [max(0.0, (row["accuracy"] - row["low"]) * 100) for row in own],
                [max(0.0, (row["high"] - row["accuracy"]) * 100) for row in own],
            ]
            colour = SERIES[index % len(SERIES)]
            axes.errorbar(middle, at, xerr=reach, fmt="o", markersize=4, linewidth=1.4, color=colour, label=source)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("estimated share of right values, %, with 95 % interval")
        axes.legend(loc="lower left", ncols=len(sources), bbox_to_anchor=(0, 1))

    lowest = min(rows, key=lambda row: (row["accuracy"], row["field"], row["source"]))
    alt = (
        f"Dots with intervals, {len(names)} fields, {len(sources)} sources. Lowest: {lowest['source']} "
        f"{lowest['field'].replace('_', ' ')} of {lowest['entity']}, {lowest['accuracy']:.1%}. "
        "All figures are in the table."
    )
    return alt, _svg("accuracy", draw, height_in=0.9 + 0.34 * len(names))


def histogram(bins: Sequence[Mapping[str, Any]]) -> Told:
    """Rows of quality.weight_histogram: pairs inside and outside of golden records."""
    entities = sorted({row["entity"] for row in bins})

    def draw(figure: Figure) -> None:
        for axes, entity in zip(_row(figure, len(entities)), entities, strict=True):
            own = [row for row in bins if row["entity"] == entity]
            at = [row["bits_low"] + 1.5 for row in own]
            inside = [row["inside"] for row in own]
            axes.bar(at, inside, width=2.6, color=ONE, label="in one golden record")
            axes.bar(
                at, [row["pairs"] - row["inside"] for row in own], width=2.6, bottom=inside, color=TWO, label="apart"
            )
            axes.axvline(0, color=INK, linewidth=1)
            axes.set_title(entity, loc="left")
            axes.set_xlabel("weight, bits over the cut")
            axes.grid(axis="x", visible=False)
        figure.axes[0].legend(loc="upper left")

    told = "; ".join(
        f"{entity}: {sum(row['pairs'] for row in bins if row['entity'] == entity):,} pairs, "
        f"{sum(row['at_the_cut'] for row in bins if row['entity'] == entity):,} within one bit of the cut"
        for entity in entities
    )
    return f"Histogram of compared pairs by weight. {told}.", _svg("histogram", draw, height_in=2.7)


AGES = ("0-30 days", "31-90 days", "91-180 days", "181-365 days", "over a year", "unknown")


def ages(rows: Sequence[Mapping[str, Any]]) -> Told:
    """Rows of quality.age_curve: a stacked bar a source, contacts and organisations together."""
    sources = sorted({row["source"] for row in rows})
    count = {(source, age): 0 for source in sources for age in AGES}
    for row in rows:
        count[row["source"], row["age"]] += row["records"]
    total = {source: sum(count[source, age] for age in AGES) for source in sources}
    shades = ((ONE, 1.0), (ONE, 0.75), (ONE, 0.5), (ONE, 0.3), (TWO, 1.0), (SOFT, 1.0))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        left = [0.0] * len(sources)
        for index, age in enumerate(AGES):
            share = [count[source, age] / total[source] * 100 for source in sources]
            colour, alpha = shades[index]
            axes.barh(sources, share, left=left, color=colour, alpha=alpha, label=age, height=0.6)
            left = [one + two for one, two in zip(left, share, strict=True)]
        axes.set_xlabel("share of records, %")
        axes.set_xlim(0, 100)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=6, fontsize=8, columnspacing=0.9, handlelength=1)

    told = "; ".join(
        f"{source}: {(count[source, AGES[0]] + count[source, AGES[1]]) / total[source]:.0%} within 90 days, "
        f"{count[source, AGES[4]] / total[source]:.0%} over a year, "
        f"{count[source, AGES[5]] / total[source]:.0%} unknown"
        for source in sources
    )
    return f"Stacked bars of record age by source. {told}.", _svg("ages", draw, height_in=0.9 + 0.42 * len(sources))


def trends(series: Mapping[str, Sequence[tuple[Any, int]]]) -> Told:
    """name -> (night, number), nights ascending: a small line each."""

    def draw(figure: Figure) -> None:
        grid = figure.subplots(-(-len(series) // 2), 2, squeeze=False).ravel()
        for axes, (name, points) in zip(grid, series.items(), strict=False):
            axes.plot(
                [night for night, _ in points], [value for _, value in points], color=ONE, marker="o", markersize=2.5
            )
            axes.set_title(name, loc="left")
            axes.set_ylim(0, max([value for _, value in points] + [1]) * 1.15)
            axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
            axes.xaxis.set_major_formatter(matplotlib.dates.DateFormatter("%d %b"))
        for axes in grid[len(series) :]:
            axes.set_axis_off()

    told = "; ".join(f"{name}: from {points[0][1]:,} to {points[-1][1]:,}" for name, points in series.items())
    return f"Lines over the nights. {told}.", _svg("trends", draw, height_in=1.7 * -(-len(series) // 2))


def _row(figure: Figure, count: int) -> Sequence[Axes]:
    return list(figure.subplots(1, count, squeeze=False).ravel())


def _svg(name: str, draw: Callable[[Figure], None], *, height_in: float) -> str:
    """`name` salts the ids, so that those of two pictures on one page differ."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": f"halosync {name}"}):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        draw(figure)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(
        r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true" focusable="false">', text, count=1
    )
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Matplotlib names every group; only what is referred to needs a name. The salt keeps those of two pictures apart.
    needed = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in needed else "", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]+", r"font-size: \1px", text)
    for placeholder, variable in COLOURS.items():
        text = text.replace(placeholder, variable)
    return text
