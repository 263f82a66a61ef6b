"""The inbox: hints from webhooks, durable before anybody is told that they were accepted.

Belongs here: taking a delivery in once, what waits, settling it after a run, forgetting old ones.
Does not: who may deliver (orchestration/service), what a payload names (sources/hints.py).
Surprise: no payload is kept. A webhook only says where to look; values come from the vendor's own answer, and what is
not kept need never be erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sources.clock import Clock
from sources.hints import Hint

from assets.publishing.ledger import Ledger
from assets.publishing.tables import inbox

WAITING_MAX = 10_000  # beyond it senders are asked to come back: a full walk would be cheaper than so many hints
MEMORY = timedelta(days=30)  # a delivery id is known for so long (docs/feed.md)


class InboxFull(Exception):
    """Too much waits; nothing was taken in."""


@dataclass(frozen=True)
class Delivery:
    """One delivery that waits for a run."""

    inbox_id: int
    source: str
    hints: tuple[Hint, ...]
    received_at: datetime


def accept(ledger: Ledger, clock: Clock, *, source: str, delivery_id: str, hints: tuple[Hint, ...]) -> bool:
    """Take a delivery in; False where that id was taken in before. Durable when this returns.

    Raises:
        InboxFull: WAITING_MAX deliveries wait already.
    """
    same = sa.select(inbox.c.inbox_id).where(inbox.c.source == source, inbox.c.delivery_id == delivery_id)
    waiting_rows = sa.select(sa.func.count()).where(inbox.c.settled_at.is_(None))
    row = {
        "source": source,
        "delivery_id": delivery_id,
        "hints": [[hint.kind, hint.record_id] for hint in hints],
        "received_at": clock.now(),
    }
    with ledger.transaction() as connection:
        if connection.scalar(same) is not None:
            return False
        if (connection.scalar(waiting_rows) or 0) >= WAITING_MAX:
            raise InboxFull
        connection.execute(sa.insert(inbox).values(row))
    return True


def waiting(ledger: Ledger) -> list[Delivery]:
    """What no run has looked after yet, the oldest first."""
    query = sa.select(inbox).where(inbox.c.settled_at.is_(None)).order_by(inbox.c.inbox_id)
    with ledger.read() as connection:
        return [
            Delivery(row.inbox_id, row.source, tuple(Hint(*hint) for hint in row.hints), row.received_at)
            for row in connection.execute(query)
        ]


def newest_waiting(ledger: Ledger) -> int:
    """Id of the last delivery that waits, 0 where none does."""
    with ledger.read() as connection:
        return connection.scalar(sa.select(sa.func.max(inbox.c.inbox_id)).where(inbox.c.settled_at.is_(None))) or 0


def sources_waiting(ledger: Ledger, up_to: int) -> list[str]:
    """Who sent what waits, up to that inbox id."""
    is_waiting = sa.and_(inbox.c.settled_at.is_(None), inbox.c.inbox_id <= up_to)
    with ledger.read() as connection:
        return list(connection.scalars(sa.select(inbox.c.source).distinct().where(is_waiting).order_by(inbox.c.source)))


def settle(ledger: Ledger, clock: Clock, *, run_id: str, up_to: int) -> int:
    """Close what was there before a run began to read its sources, up to that inbox id; returns how many."""
    is_seen = sa.and_(inbox.c.settled_at.is_(None), inbox.c.inbox_id <= up_to)
    with ledger.transaction() as connection:
        connection.execute(sa.delete(inbox).where(inbox.c.received_at < clock.now() - MEMORY))
        statement = sa.update(inbox).where(is_seen).values(settled_at=clock.now(), run_id=run_id)
        return connection.execute(statement).rowcount
