"""The second implementation: how golden records get into HaloPSA, and how runs go.

Belongs here: the fate of each golden record, what is open, runs, credits, turns back. Does not: golden values
(second_golden.py).
Surprise: the fate is decided record by record, by plain conditions, where the SQL joins.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pandas as pd

from assets.quality.second_records import Numbers, as_of, each, frame, hours_between, rounded
from transforms.contracts import ENTITIES
from transforms.engines.port import Engine


def publishing(engine: Engine, live: dict[str, str], found: Numbers) -> None:
    """The way of each golden record into HaloPSA, and what is open."""
    now = as_of(engine)
    outbox = frame(engine, "ops.outbox", "golden_id", "entity", "seq", "state", "reason", "error_class").astype(object)
    outbox = outbox.where(outbox.notna(), None)
    committed = dict(frame(engine, "ops.commit", "seq", "commit_ts").itertuples(index=False, name=None))
    effect = frame(engine, "ops.effect", "golden_id", "entity", "resource", "halo_id", "state", "sent_at", "settled_at")
    effects: defaultdict[str, list[Any]] = defaultdict(list)
    for row in each(effect):
        effects[row.golden_id].append(row)
    read_at = {
        entity: dict(frame(engine, f"raw_halopsa.{table}", "id", "fetched_at").itertuples(index=False, name=None))
        for entity, table in (("organisation", "client"), ("contact", "user"))
    }
    rows = {row.golden_id: row for row in each(outbox)}
    steps = ("golden", "planned", "written", "acknowledged", "confirmed")
    reached: Counter[tuple[str, int]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for golden_id, entity in live.items():
        place, reason = _fate(rows.get(golden_id), effects[golden_id], read_at[entity])
        for step in range(1, place + 1):
            reached[entity, step] += 1
        if place < len(steps) - 1:
            lost[entity, f"{steps[place + 1]}: {reason}"] += 1
    for entity in ENTITIES:
        for place, name in enumerate(steps[1:], start=1):
            found[name, entity, "", ""] = (reached[entity, place], None)
    for (entity, field), n in lost.items():
        found["lost", entity, "", field] = (n, None)
    waiting: dict[tuple[str, str], int] = {}
    for row in each(outbox):
        key = (f"outbox_{row.state}", row.entity, "", row.error_class or "")
        found[key] = (found.get(key, (0, None))[0] + 1, None)
        if row.state in ("pending", "planned") and row.seq in committed:
            _oldest(waiting, row.entity, f"outbox_{row.state}", hours_between(committed[row.seq], now))
    for row in each(effect[effect["state"] != "acked"]):
        key = (f"effect_{row.state}", row.entity, "", "")
        found[key] = (found.get(key, (0, None))[0] + 1, None)
        if row.state in ("unknown", "sending"):
            _oldest(waiting, row.entity, f"effect_{row.state}", hours_between(row.sent_at, now))
    for (entity, field), hours in waiting.items():
        found["backlog_hours", entity, "", field] = (hours, None)


def _oldest(waiting: dict[tuple[str, str], int], entity: str, field: str, hours: int) -> None:
    waiting[entity, field] = max(waiting.get((entity, field), hours), hours)


def _fate(row: Any, effects: list[Any], read_at: dict[str, Any]) -> tuple[int, str]:
    """How many steps beyond golden, and why no further."""
    if row is None:
        return 0, "not in the outbox yet"
    if row.state == "pending":
        return 0, "waits for the next publishing"
    if row.state in ("held", "suppressed"):
        return 0, f"{row.state}: {(row.reason or 'no reason noted').split(' [')[0]}"
    states = {effect.state for effect in effects}
    if not effects:
        return 1, "HaloPSA had it already" if row.state == "published" else "not written yet"
    if "unknown" in states:
        return 2, "outcome unknown"
    if "sending" in states:
        return 2, "no answer yet"
    if row.state == "rejected":
        return 2, f"rejected: {row.error_class or 'no class noted'}"
    if "acked" not in states:
        return 2, "not acknowledged"
    acked = [effect for effect in effects if effect.state == "acked"]
    ids = [effect.halo_id for effect in acked if effect.resource in ("Client", "Users") and pd.notna(effect.halo_id)]
    read = read_at.get(str(int(max(ids)))) if ids else None
    if read is None or read < max(effect.settled_at for effect in acked):
        return 3, "not read back yet"
    return 4, ""


def operations(engine: Engine, found: Numbers) -> None:
    """Work items, runs, credits."""
    now = as_of(engine)
    oldest: dict[tuple[str, str], int] = {}
    items = frame(engine, "ops.work_item where state in ('open', 'restoring')", "kind", "resource", "opened_at")
    for row in each(items):
        entity = "" if pd.isna(row.resource) else "contact" if row.resource == "Users" else "organisation"
        key = (f"work_{row.kind}", entity, "", "")
        found[key] = (found.get(key, (0, None))[0] + 1, None)
        _oldest(oldest, entity, f"work_{row.kind}", hours_between(row.opened_at, now))
    for (entity, field), hours in oldest.items():
        found["work_hours", entity, "", field] = (hours, None)
    runs = frame(engine, "ops.run", "kind", "state", "started_at")
    ages: dict[str, int] = {}
    for row in each(runs):
        began = pd.Timestamp(row.started_at).tz_convert("UTC").tz_localize(None)
        if row.kind == "full_sync":
            ages[row.kind] = min(ages.get(row.kind, hours_between(began, now)), hours_between(began, now))
        if began > now - pd.Timedelta(hours=24):
            key = ("runs", "", "", f"{row.kind} {row.state}")
            found[key] = (found.get(key, (0, None))[0] + 1, None)
    for kind, hours in ages.items():
        found["run_age_hours", "", "", kind] = (hours, None)
    credits = frame(engine, "ops.credit", "source", "credits").groupby("source")["credits"].sum()
    for source, spent in credits.items():
        found["credits", "", str(source), ""] = (rounded(spent), None)
    seen: defaultdict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for row in each(frame(engine, "ops.feed", "golden_id", "entity", "version", "change_kind", "content_hash")):
        if row.change_kind != "retired":
            seen[row.golden_id].append((row.version, row.content_hash, row.entity))
    flapping: Counter[str] = Counter()
    for versions in seen.values():
        last: dict[str, int] = {}
        for version, content_hash, entity in sorted(versions):
            if version > last.setdefault(content_hash, version) + 1:
                flapping[entity] += 1
                break
    for entity, n in flapping.items():
        found["flapping", entity, "", ""] = (n, None)
