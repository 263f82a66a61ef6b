"""Live heads: the newest committed state of each golden record, the base of every diff.

Belongs here: reading heads, as Arrow for the diff and as rows for feed and publisher; the wire order of a head.
Does not: writing them (commit.py).
Surprise: a retired golden record keeps its head (without content), because its version must go on counting if it
revives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from assets.publishing.ledger import IDS_PER_QUERY, Ledger, chunked
from assets.publishing.registry import naive
from assets.publishing.tables import head

HEAD_SCHEMA = pa.schema(
    [
        ("golden_id", pa.string()),
        ("content_hash", pa.string()),
        ("updated_at", pa.timestamp("us")),
        ("version", pa.int64()),
    ]
)


DELETE_RANKS = (2, 3)  # of retired records on the wire
FORGOTTEN_RANK = 4  # retired for so long that the feed says no more of it


@dataclass(frozen=True)
class Head:
    """One golden record as it was last committed; `content` holds its golden columns without the nulls."""

    golden_id: str
    entity: str
    version: int
    content: dict[str, Any]
    sources: str
    updated_at: datetime


def as_arrow(ledger: Ledger, entity: str) -> pa.Table:
    """Live heads, ordered by golden_id: what `changes.<entity>_change` compares with."""
    query = (
        sa.select(head.c.golden_id, head.c.content_hash, head.c.updated_at, head.c.version)
        .where(head.c.entity == entity, head.c.is_live)
        .order_by(head.c.golden_id)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return pa.Table.from_arrays(
        [
            pa.array([row.golden_id for row in rows], pa.string()),
            pa.array([row.content_hash for row in rows], pa.string()),
            pa.array([naive(row.updated_at) for row in rows], pa.timestamp("us")),
            pa.array([row.version for row in rows], pa.int64()),
        ],
        schema=HEAD_SCHEMA,
    )


def count_live(ledger: Ledger) -> dict[str, int]:
    """How many live heads each entity has."""
    query = sa.select(head.c.entity, sa.func.count()).where(head.c.is_live).group_by(head.c.entity)
    with ledger.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def by_ids(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Head]:
    """Live heads of `ids`; an id without one is missing from the answer."""
    found: dict[str, Head] = {}
    columns = (head.c.golden_id, head.c.entity, head.c.version, head.c.content, head.c.sources, head.c.updated_at)
    for some in chunked(ids, IDS_PER_QUERY):
        for row in connection.execute(sa.select(*columns).where(head.c.golden_id.in_(some), head.c.is_live)):
            found[row.golden_id] = Head(*row)
    return found


def wire_rank(entity: str, *, is_live: bool) -> int:
    """Order on the wire: organisations before the contacts that need them, deletes the other way round."""
    return {("organisation", True): 0, ("contact", True): 1, ("contact", False): 2, ("organisation", False): 3}[
        entity, is_live
    ]
