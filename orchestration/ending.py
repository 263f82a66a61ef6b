"""How a run ended, read from the events it left: state, summary, what held it.

Belongs here: that reading, for a run of this process (full_path.py) and for one that the daemon started
(automation.py). Does not: counting (the steps leave their counts in their metadata), the screen (summary.py).
Surprise: a run that a blocking check stopped has failed for Dagster; here it is `held`, for nothing broke.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import dagster as dg
from assets.halopsa import GUARD

from orchestration import summary as summaries


class Ending(NamedTuple):
    """`state` is one of runs.END_STATES; `held` the lines of what held it."""

    state: str
    summary: dict[str, Any]
    held: list[str]


def of(events: Iterable[dg.DagsterEvent], *, success: bool) -> Ending:
    """Judge a finished run by its events."""
    events = list(events)
    counts = summaries.counts_of(events)
    summary = summaries.collect(counts)
    held = _held_by(events)
    summary["problems"] += held
    if held:
        return Ending("held", summary, held)
    if not success:
        return Ending("failed", {}, [])
    kept_out = [line for told in counts for line in told.get("held_back", [])]
    if kept_out:  # by a rule about drift or volume; everything else was done
        return Ending("held", summary, kept_out)
    return Ending("partial" if summaries.is_partial(counts) else "done", summary, [])


def _held_by(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """One line per blocking check that failed, and what the guard of publishing said."""
    lines = []
    for event in events:
        if event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        check = event.asset_check_evaluation_data
        if not check.passed and check.check_name == GUARD:
            lines.append(str(check.metadata["found"].value))
        elif not check.passed and check.blocking:
            table = ".".join(check.asset_key.path)
            text = check.metadata["found"].value if "found" in check.metadata else "failed"
            lines.append(f"Held before publishing: check {check.check_name} of {table}: {text}. Nothing was sent.")
    return lines
