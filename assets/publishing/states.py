"""The state of each golden record towards HaloPSA: exactly one of eight, derived from head, outbox and effect.

Belongs here: the one query that says it, the tally. Does not: changing a state (outbox.py, effects.py).
Surprise: nothing stores `sending`; it is an effect that left and has no outcome, whatever the outbox says meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from assets.publishing.ledger import IDS_PER_QUERY, Ledger, chunked
from assets.publishing.tables import effect, head, outbox

STATES = ("unpublished", "planned", "sending", "unknown", "published", "rejected", "held", "suppressed")


@dataclass(frozen=True)
class RecordState:
    """`reason` and `remedy` are sentences without personal data, None where there is nothing to say; `attempts` counts
    the failures that speak against the record since its data last changed."""

    entity: str
    state: str
    reason: str | None
    error_class: str | None
    remedy: str | None
    attempts: int


def tally(ledger: Ledger) -> dict[str, Counter[str]]:
    """entity -> state -> golden records. Retired ones count while HaloPSA has not been told."""
    view = _view().subquery()
    query = sa.select(view.c.entity, view.c.state, sa.func.count()).group_by(view.c.entity, view.c.state)
    found: dict[str, Counter[str]] = {"organisation": Counter(), "contact": Counter()}
    with ledger.read() as connection:
        for entity, state, count in connection.execute(query):
            found[entity][state] = count
    return found


def by_ids(connection: sa.Connection, golden_ids: Sequence[str]) -> Mapping[str, RecordState]:
    """golden id -> its state; an id that never was, or that ended and is settled, is missing from the answer."""
    found: dict[str, RecordState] = {}
    for some in chunked(golden_ids, IDS_PER_QUERY):
        for row in connection.execute(_view().where(head.c.golden_id.in_(some))):
            found[row.golden_id] = RecordState(*row[1:])
    return found


def _view() -> sa.Select[Any]:
    def has(state: str) -> sa.ColumnElement[bool]:
        return sa.exists().where(effect.c.golden_id == head.c.golden_id, effect.c.state == state)

    state = sa.case(
        (has("sending"), "sending"),
        (has("unknown"), "unknown"),
        (sa.func.coalesce(outbox.c.state, "pending") == "pending", "unpublished"),
        else_=outbox.c.state,
    )
    is_over = sa.and_(sa.not_(head.c.is_live), state == "published")
    return (
        sa.select(
            head.c.golden_id,
            head.c.entity,
            state.label("state"),
            outbox.c.reason,
            outbox.c.error_class,
            outbox.c.remedy,
            sa.func.coalesce(outbox.c.attempts, 0).label("attempts"),
        )
        .select_from(head.outerjoin(outbox, outbox.c.golden_id == head.c.golden_id))
        .where(sa.not_(is_over))
    )
