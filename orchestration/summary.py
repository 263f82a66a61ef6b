"""What a run did, as one object and as one screen.

Belongs here: collecting the counts that the steps left in their metadata, and printing them.
Does not: counting anything itself. The keys are pinned by docs/interface.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import dagster as dg
from assets.common import COUNTS
from rich.console import Console
from rich.markup import escape
from rich.table import Table

SCHEMA_VERSION = 1


Counts = dict[str, Any]  # what one step left in its metadata


def collect(counts_of_steps: Iterable[Counts]) -> dict[str, Any]:
    """The pinned keys that come from the steps' metadata."""
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "fetched": {},
        "quarantined": 0,
        "standardised": {},
        "pairs": {},
        "golden": {"organisation": 0, "contact": 0},
        "changes": {"organisation": 0, "contact": 0},
        "halo": dict.fromkeys(("created", "updated", "unchanged", "held", "rejected"), 0),
        "held_by_reason": {},
        "feed": {"records": 0},
        "credits": {},
        "problems": [],
        "notes": [],
    }
    for counts in counts_of_steps:
        if "source" in counts:
            source = counts["source"]
            summary["fetched"][source] = sum(counts["fetched"].values())
            summary["credits"][source] = counts["credits"]
            summary["quarantined"] += counts["quarantined"]
        for key in ("standardised", "pairs", "golden", "changes", "halo", "held_by_reason", "feed"):
            summary[key] |= counts.get(key, {})
        summary["problems"] += counts.get("problems", []) + counts.get("held_back", []) + counts.get("waiting", [])
        summary["notes"] += counts.get("notes", [])
    return summary


def is_partial(counts_of_steps: Iterable[Counts]) -> bool:
    """Whether a source or HaloPSA could not be served whole. Records that wait for a person are no such thing."""
    return any(counts.get("problems") for counts in counts_of_steps)


def counts_of(events: Iterable[dg.DagsterEvent]) -> list[Counts]:
    """What each step of a run counted."""
    found: list[Counts] = []
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            value = event.step_materialization_data.materialization.metadata.get(COUNTS)
            if value is not None:
                found.append(dict(value.value))  # type: ignore[arg-type]
    return found


def show(summary: dict[str, Any], console: Console) -> None:
    """Print the funnel, the effects and where to look."""
    funnel = Table(title="From vendors to HaloPSA", title_justify="left", show_edge=False, pad_edge=False)
    funnel.add_column("step", style="bold")
    funnel.add_column("organisations", justify="right")
    funnel.add_column("contacts", justify="right")
    funnel.add_column("")
    fetched = ", ".join(f"{source} {count:,}" for source, count in summary["fetched"].items() if count)
    funnel.add_row("fetched", "", f"{sum(summary['fetched'].values()):,}", fetched)
    for step in ("standardised", "pairs", "golden", "changes"):
        funnel.add_row(step, *(f"{summary[step].get(entity, 0):,}" for entity in ("organisation", "contact")), "")
    for measure in ("precision", "recall"):
        if measure in summary:
            values = (f"{summary[measure][entity]:.4f}" for entity in ("organisation", "contact"))
            funnel.add_row(measure, *values, "against the simulated truth")
    console.print(funnel)
    halo = ", ".join(f"{count:,} {state}" for state, count in summary["halo"].items())
    console.print(f"\n[bold]HaloPSA[/bold]      {halo}")
    console.print(f"[bold]Feed[/bold]         {summary['feed']['records']:,} records")
    credits = ", ".join(f"{source} {amount:g}" for source, amount in summary["credits"].items() if amount) or "none"
    console.print(f"[bold]Credits[/bold]      {credits}")
    if summary["quarantined"]:
        console.print(f"[bold]Quarantine[/bold]   {summary['quarantined']:,} rows; see raw_<source>.quarantine")
    virtual = summary.get("virtual_seconds")
    wall = f"{summary['seconds']:.1f} s" + (f" (on the simulated clock {virtual:,.0f} s)" if virtual else "")
    console.print(f"[bold]Took[/bold]         {wall}, peak memory {summary['peak_mb']:,} MB")
    for note in summary["notes"]:
        console.print(f"[dim]- {escape(note)}[/dim]", highlight=False)
    for problem, times in Counter(summary["problems"]).items():
        console.print(
            f"[yellow]![/yellow] {escape(problem)}" + (f" ({times} times)" if times > 1 else ""), highlight=False
        )


def dump(summary: dict[str, Any]) -> str:
    """The object for `--json`."""
    return json.dumps(summary, ensure_ascii=False, sort_keys=False)
