"""What `bench resolve` found, as a table on the terminal and as a section of docs/benchmarks.md.

Belongs here: columns, their order, how a figure is written. Does not: any figure, the drawing (peers/draw.py).
Surprise: docs are written from receipts alone, so a table can be made again without running anything.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration.bench import environments
from orchestration.settings import PROJECT_ROOT

DOCS = PROJECT_ROOT / "docs" / "benchmarks.md"
PICTURE = PROJECT_ROOT / "docs" / "benchmarks-resolve.svg"
BEGIN, END = "<!-- bench resolve: begin -->", "<!-- bench resolve: end -->"
HEADINGS = (
    "set",
    "records",
    "tool",
    "P",
    "R",
    "F1",
    "best F1",
    "B3 F1",
    "exact",
    "over-merged",
    "mixed",
    "largest",
    "wall s",
    "CPU s",
    "peak MB",
)
# The hardest phenomena of the world; all of them are in the receipts.
HARD = (
    *("namesake", "relative", "father_son", "guessed_mailbox", "swapped_name", "job_change"),
    *("shared_domain", "similar_name", "subsidiary", "rebrand"),
)


def show(results: Sequence[dict[str, Any]], console: Console) -> None:
    """The figures of every run, then what only our own runs tell."""
    table = Table(title="bench resolve", title_justify="left", show_edge=False, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("set", "tool") else "right", no_wrap=True)
    for row in rows(results):
        table.add_row(*row)
    console.print(table)
    for line in notes(results):
        console.print(line, highlight=False, soft_wrap=True)


def rows(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """One line a run, in the order of HEADINGS; a set is named once."""
    lines, last = [], None
    for result in results:
        cost, figures = result["cost"], result["figures"]
        head = [result["set"], f"{result['rows']:,}"] if result["set"] != last else ["", ""]
        last = result["set"]
        tail = [f"{cost['wall_s']:.1f}", f"{cost['cpu_s']:.1f}", f"{cost['peak_mb']:,.0f}"]
        if figures is None:
            lines.append([*head, result["contestant"], f"stopped: {cost['stopped']}", *[""] * 8, *tail])
            continue
        best = figures.get("best")
        shares = ("precision", "recall", "f1"), ("b3_f1", "exact_entities", "over_merged", "mixed_clusters")
        lines.append(
            [
                *head,
                result["contestant"],
                *(_share(figures[name]) for name in shares[0]),
                f"{_share(best['f1'])} at {best['threshold']:g}" if best else "",
                *(_share(figures[name]) for name in shares[1]),
                f"{figures['largest_cluster']} / {figures['largest_entity']}",
                *tail,
            ]
        )
    return lines


def notes(results: Sequence[dict[str, Any]]) -> list[str]:
    """Blocking, calibration and hard cases, for the runs that tell them."""
    lines = []
    for result in results:
        figures = result["figures"] or {}
        name = f"{result['set']}, {result['contestant']}"
        if blocking := figures.get("blocking"):
            promised, unsure = figures["promised"], figures["calibration_unsure"]
            recalls = (
                f"blocking recall {_share(blocking['recall'])} of all true pairs, "
                f"{_share(blocking['recall_sharing'])} of those that share a rare value; "
                if "recall" in blocking
                else ""
            )
            lines.append(
                f"{name}: {blocking['candidates']:,} candidates, {recalls}"
                f"calibration error {_share(figures['calibration']['mean_absolute_error'])} "
                f"(pairs between .01 and .99: {_share(unsure['mean_absolute_error'])}); promised precision "
                f"{_share(promised['precision'])} and recall {_share(promised['recall'])}"
            )
        if phenomena := figures.get("phenomena"):
            hard = ((tag.replace("_", " "), phenomena[tag]) for tag in HARD if tag in phenomena)
            told = (f"{tag} {_share(value['over_merged'])} / {_share(value['b3_recall'])}" for tag, value in hard)
            lines.append(f"{name}: over-merged / found, of {', '.join(told)}")
    busy = [result for result in results if result["cost"]["load"] >= result["machine"]["cores"]]
    if busy:
        lines.append(
            f"{len(busy)} of {len(results)} runs began while other programs kept every core busy: "
            "their wall seconds are too long, their CPU seconds somewhat."
        )
    return lines


def write_docs(results: Sequence[dict[str, Any]], *, peers: Path) -> list[str]:
    """Render the section between the markers and the picture beside it. Returns what could not be done."""
    problems = []
    try:
        _draw(results, peers)
    except environments.NotInstalled as problem:
        problems.append(f"picture: {problem}")
    DOCS.write_text(with_section(DOCS.read_text("utf-8"), results), "utf-8")
    return problems


def with_section(text: str, results: Sequence[dict[str, Any]]) -> str:
    """The page with what stands between the markers replaced, and nothing else."""
    before, _, rest = text.partition(BEGIN)
    _, marker, after = rest.partition(END)
    assert marker, "the page has lost the markers of the section"
    return f"{before}{BEGIN}\n{section(results)}\n{END}{after}"


def section(results: Sequence[dict[str, Any]]) -> str:
    """Markdown: picture, table, notes."""
    commits = sorted({str(result["commit"]) for result in results if result["contestant"] == "halosync"})
    versions = sorted(
        {f"{result['key']['package']} {result['key']['version']}" for result in results if "package" in result["key"]}
    )
    lines = [
        f"halosync at {', '.join(commits) or 'no commit'}; {', '.join(versions)}. Each run in a process of its own, "
        "one at a time.",
        "",
        f"![F1 by set and tool]({PICTURE.name})",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---|--:|---" + "|--:" * (len(HEADINGS) - 3) + "|",
        *(f"| {' | '.join(row)} |" for row in rows(results)),
        "",
        *(f"- {line}" for line in notes(results)),
    ]
    return "\n".join(lines)


def _draw(results: Sequence[dict[str, Any]], peers: Path) -> None:
    """Raises: NotInstalled."""
    python = environments.interpreter("matplotlib", peers)
    points = [
        {
            "set": result["set"],
            "contestant": result["contestant"],
            "f1": result["figures"]["f1"],
            "best_f1": result["figures"].get("best", {}).get("f1"),
        }
        for result in results
        if result["figures"]
    ]
    job = json.dumps({"points": points, "out": str(PICTURE)})
    done = subprocess.run(
        [python, environments.PEERS / "draw.py"], input=job, text=True, capture_output=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise environments.NotInstalled(f"matplotlib is installed but drew nothing: {last}")


def _share(value: float) -> str:
    text = f"{value:.4f}".removeprefix("0")
    return {"1.0000": "1", ".0000": "0"}.get(text, text)
