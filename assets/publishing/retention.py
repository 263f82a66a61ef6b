"""Retention: what the feed forgets, and how long it keeps it.

Belongs here: compaction of tombstones, places of walks. Does not: inbox and questions, which forget in their own
modules. Surprise: a tombstone leaves the feed and not the ledger, where its version must go on counting; and whoever
was away since before it left is told everything anew, so that he cannot miss it.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing.feed import RETENTION, forget_walks
from assets.publishing.heads import DELETE_RANKS, FORGOTTEN_RANK
from assets.publishing.ledger import Ledger, upsert
from assets.publishing.snapshot import COMPACTED
from assets.publishing.tables import commit_log, head, mark


@dataclass(frozen=True)
class Forgotten:
    tombstones: int
    walks: int


def forget(ledger: Ledger, clock: Clock) -> Forgotten:
    """Drop what is older than RETENTION (docs/feed.md): deletes, and places of walks."""
    tombstones = 0
    until = sa.select(sa.func.max(commit_log.c.seq)).where(commit_log.c.commit_ts < clock.now() - RETENTION)
    with ledger.transaction() as connection:
        seq = connection.scalar(until)
        if seq is not None:
            old = sa.update(head).where(head.c.wire_rank.in_(DELETE_RANKS), head.c.seq <= seq)
            tombstones = connection.execute(old.values(wire_rank=FORGOTTEN_RANK, wire=None)).rowcount
        if tombstones:
            upsert(connection, mark, [{"name": COMPACTED, "value": seq}])
    return Forgotten(tombstones, forget_walks(ledger, clock))
