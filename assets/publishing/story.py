"""The publishing story of one golden record: where it stands towards HaloPSA, why, and everything that was sent.

Belongs here: reading it from the ledger, by index only, so that it takes milliseconds on millions of records.
Does not: showing it (orchestration/why_*.py), the evidence for its members (transforms/explain*.py).
Surprise: it names the fields that were sent and never their values; those are HaloPSA's and golden's to show.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from assets.publishing import reasons, states, work
from assets.publishing.ledger import Ledger
from assets.publishing.tables import crosswalk, effect, effect_event, outbox

EFFECTS_MAX = 50  # the newest; a record that was written more often has its whole list in ops.effect


def story_of(ledger: Ledger, golden_id: str) -> dict[str, Any] | None:
    """State, reason, remedy, HaloPSA records, effects with their events, work items; None where publishing never heard
    of it. Moments are aware datetimes."""
    with ledger.read() as connection:
        row = connection.execute(sa.select(outbox).where(outbox.c.golden_id == golden_id)).mappings().first()
        if row is None:
            return None
        known = states.by_ids(connection, [golden_id]).get(golden_id)
        return {
            "state": known.state if known else "retired",
            "version": row["version"],
            "action": row["action"],
            "reason": row["reason"],
            "why": reasons.sentence_of(row["reason"]) if row["reason"] else None,
            "error_class": row["error_class"],
            "remedy": row["remedy"],
            "attempts": row["attempts"],
            "settled_at": row["settled_at"],
            "records": _records(connection, golden_id),
            "effects": _effects(connection, golden_id),
            "work": [
                {
                    **{name: item[name] for name in ("kind", "resource", "halo_id", "other_halo_id", "field", "state")},
                    "remedy": work.REMEDIES.get(item["kind"], ""),
                    "opened_at": item["opened_at"],
                    "closed_at": item["closed_at"],
                }
                for item in work.of_golden(connection, golden_id)
            ],
        }


def _records(connection: sa.Connection, golden_id: str) -> list[dict[str, Any]]:
    query = sa.select(crosswalk).where(crosswalk.c.golden_id == golden_id).order_by(crosswalk.c.resource)
    return [
        {
            "resource": row.resource,
            "halo_id": row.halo_id,
            "origin": row.origin,
            "is_retired_by_us": row.is_retired_by_us,
            "is_stamped": row.is_stamped,
            "linked_at": row.linked_at,
            "published": sorted(row.published),
        }
        for row in connection.execute(query)
    ]


def _effects(connection: sa.Connection, golden_id: str) -> list[dict[str, Any]]:
    """The newest first."""
    query = (
        sa.select(effect).where(effect.c.golden_id == golden_id).order_by(effect.c.effect_id.desc()).limit(EFFECTS_MAX)
    )
    rows = connection.execute(query).all()
    events: dict[int, list[dict[str, Any]]] = {row.effect_id: [] for row in rows}
    ordered = (
        sa.select(effect_event.c.effect_id, effect_event.c.state, effect_event.c.at)
        .where(effect_event.c.effect_id.in_(list(events)))
        .order_by(effect_event.c.event_id)
    )
    for event in connection.execute(ordered):
        events[event.effect_id].append({"state": event.state, "at": event.at})
    return [
        {
            "effect_id": row.effect_id,
            "operation": row.operation,
            "resource": row.resource,
            "halo_id": row.halo_id,
            "version": row.version,
            "fields": sorted(row.fields),
            "state": row.state,
            "status": row.status,
            "sent_at": row.sent_at,
            "settled_at": row.settled_at,
            "run_id": row.run_id,
            "events": events[row.effect_id],
        }
        for row in rows
    ]
