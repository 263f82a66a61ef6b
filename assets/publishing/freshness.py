"""Freshness: when each source was last read without trouble, told with every page of the feed.

Belongs here: noting and reading it. Does not: how a source is read (sources), runs (runs.py).
Surprise: a source that is down or not configured keeps its old moment, so a poller sees its data grow old.
"""

from __future__ import annotations

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing.ledger import Ledger, upsert
from assets.publishing.place import on_the_wire
from assets.publishing.snapshot import Snapshot
from assets.publishing.tables import freshness, from_micros, stored


def note(ledger: Ledger, clock: Clock, source: str) -> None:
    """`source` was read to its end just now."""
    with ledger.transaction() as connection:
        upsert(connection, freshness, [{"source": source, "read_at": clock.now()}])


def told(snapshot: Snapshot) -> dict[str, str]:
    """By source, as it stands in the metadata of a page."""
    return {source: on_the_wire(from_micros(read_at)) for source, read_at in snapshot.rows(_all)}


def _all() -> sa.Select[tuple[str, int]]:
    # HaloPSA is read too, but nothing of it is in a golden record.
    query = sa.select(freshness.c.source, stored(freshness.c.read_at)).where(freshness.c.source != "halopsa")
    return query.order_by(freshness.c.source)
