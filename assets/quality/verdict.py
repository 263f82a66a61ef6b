"""R0: can tonight's data be trusted, in words; three reasons; what changed since the last good night; what did not run.

Belongs here: sentences made of judged numbers. Does not: limits (metrics.toml, transforms/sql/quality/judged.sql).
Surprise: a good night is one without an error. Warnings do not end it, or a single odd vendor would leave nothing to
compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transforms.engines.port import Engine

VERDICTS = {
    "ok": "Yes: tonight's data can be trusted.",
    "warning": "Mostly: look at the warnings below before you rely on what they name.",
    "error": "No: do not rely on tonight's data before the errors below are settled.",
}
EXPECTED_SOURCES = ("apollo", "zoominfo", "uplead")
REASONS = 3
CHANGES = 8
# What the front page compares with the last good night; the rest is in the trends.
HEADLINES = (
    *("fetched", "golden", "outbox_held", "outbox_rejected", "outbox_pending", "confirmed", "quarantined"),
    *("duplicate", "overmerge", "undermerge", "lineage"),
)


@dataclass(frozen=True)
class Verdict:
    """`severity` is ok, warning or error; the rest are sentences without a value of any record."""

    severity: str
    words: str
    reasons: tuple[str, ...]
    changes: tuple[str, ...]
    not_run: tuple[str, ...]
    good_night: str | None


def verdict(engine: Engine, judged: list[dict[str, Any]]) -> Verdict:
    """`judged` are the rows of quality.judged."""
    bad = sorted(
        (row for row in judged if row["severity"] != "ok"),
        key=lambda row: (row["severity"] != "error", -abs(row["value"]), row["number_id"]),
    )
    severity = bad[0]["severity"] if bad else "ok"
    reasons = [f"{row['severity'].capitalize()}: {sentence(row)}." for row in bad[:REASONS]]
    reasons += _reassuring(judged)[: REASONS - len(reasons)]
    good, changes = _changes(engine, judged)
    return Verdict(severity, VERDICTS[severity], tuple(reasons), changes, _not_run(judged), good)


def sentence(row: dict[str, Any]) -> str:
    """A judged number in words."""
    return f"{row['section']} {named(row)}: {row['value']:,} {row['unit']}, {row['reason']}"


def named(row: dict[str, Any]) -> str:
    parts = [row["metric"], row["entity"], row["source"], row["field"]]
    return " · ".join(part.replace("_", " ") for part in parts if part)


def _reassuring(judged: list[dict[str, Any]]) -> list[str]:
    steps = [row for row in judged if row["metric"] == "unexplained"]
    checked = [row for row in judged if row["metric"] == "self_check"]
    found = []
    if steps and not any(row["value"] for row in steps):
        found.append(f"The funnel adds up to the row in all {len(steps)} places.")
    if checked and not checked[0]["value"]:
        found.append(f"A second implementation agrees on all {checked[0]['total']:,} numbers.")
    controlled = [row for row in judged if row["limit_high"] is not None]
    quiet = sum(row["severity"] == "ok" for row in controlled)
    if controlled and quiet == len(controlled):
        found.append(f"All {quiet:,} numbers with a history lie where they usually are.")
    elif not controlled:
        found.append("Limits from history begin after seven nights; until then only fixed limits speak.")
    return found


def _changes(engine: Engine, judged: list[dict[str, Any]]) -> tuple[str | None, tuple[str, ...]]:
    """The last night before this one without an error, and what has moved since."""
    night = engine.fetch("quality.night")["night"][0].as_py()
    nights: dict[Any, bool] = {}
    for row in engine.fetch("quality.history", ("night", "severity")).to_pylist():
        nights[row["night"]] = nights.get(row["night"], True) and row["severity"] != "error"
    good = max((one for one, is_good in nights.items() if is_good and one < night), default=None)
    if good is None:
        return None, ()
    rows = engine.fetch(f"quality.history where night = date '{good}'", ("number_id", "value")).to_pylist()
    before = {row["number_id"]: row["value"] for row in rows}
    moved = [
        (row["value"] - before.get(row["number_id"], 0), row)
        for row in judged
        if row["metric"] in HEADLINES and row["value"] != before.get(row["number_id"], 0)
    ]
    moved.sort(key=lambda pair: (-abs(pair[0]), pair[1]["number_id"]))
    return str(good), tuple(f"{named(row)}: {row['value']:,} ({delta:+,})" for delta, row in moved[:CHANGES])


def _not_run(judged: list[dict[str, Any]]) -> tuple[str, ...]:
    """A run that is due, and sources that were not read."""
    told = {(row["metric"], row["source"]): row["value"] for row in judged if row["metric"].endswith("age_hours")}
    found = []
    if ("run_age_hours", "") not in told:
        found.append("No full sync is on record: halosync run.")
    elif told["run_age_hours", ""] > 24:
        found.append(f"The last full sync began {told['run_age_hours', '']:,} hours ago: halosync run.")
    for source in EXPECTED_SOURCES:
        hours = told.get(("age_hours", source))
        if hours is None:
            found.append(
                f"{source} was never read without trouble; if it is configured: halosync run --source {source}."
            )
        elif hours > 48:
            found.append(f"{source} was last read {hours:,} hours ago: halosync run --source {source}.")
    return tuple(found)
