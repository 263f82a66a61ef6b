"""One small picture of F1 by set and tool, readable on a light and on a dark page.

Belongs here: drawing what stdin says. Does not: any figure. Run by an interpreter that has matplotlib.
Surprise: everything that is not data is mid grey on no background, which reads on white and on black alike.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

GREY = "#808080"
LOOKS = {
    "halosync": ("o", "#e8590c"),
    "splink": ("s", "#4c8dd6"),
    "splink-tuned": ("D", "#2f9e6e"),
    "goldenmatch": ("^", "#b07cc6"),
}


def main(job: dict[str, Any]) -> None:
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9, "text.color": GREY})
    sets = list(dict.fromkeys(point["set"] for point in job["points"]))
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.28 * len(sets)))
    for name, (marker, colour) in LOOKS.items():
        points = [point for point in job["points"] if point["contestant"] == name]
        rows = [sets.index(point["set"]) for point in points]
        order = 3 if name == "halosync" else 2  # on top where others are equal
        axes.plot([point["f1"] for point in points], rows, marker, color=colour, label=name, markersize=5, zorder=order)
        best = [(point["best_f1"], row) for point, row in zip(points, rows, strict=True) if point["best_f1"]]
        if best:
            axes.plot(*zip(*best, strict=True), marker, color=colour, fillstyle="none", markersize=5)
    axes.set_yticks(range(len(sets)), sets)
    axes.invert_yaxis()
    axes.set_xlim(0.5, 1.005)
    axes.set_xlabel("pairwise F1 (hollow: Splink at the threshold that the labels like best; below .5 not shown)")
    axes.grid(color=GREY, alpha=0.25)
    axes.tick_params(colors=GREY)
    axes.xaxis.label.set_color(GREY)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=4, frameon=False, labelcolor=GREY)
    figure.savefig(job["out"], transparent=True, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main(json.load(sys.stdin))
