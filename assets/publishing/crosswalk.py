"""The crosswalk: which HaloPSA record a golden record is, and what we last published there.

Belongs here: links and their published values, read and written. Does not: finding a link
(adoption.py), using it (publisher.py).
Surprise: `published` has no entry for a field that we never wrote and that never agreed with us: it is a person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from assets.publishing.ledger import IDS_PER_QUERY, chunked, upsert
from assets.publishing.merge import Published
from assets.publishing.tables import crosswalk

Origin = Literal["created", "golden_id", "domain", "email", "name", "inherited"]


@dataclass(frozen=True)
class Link:
    """One golden record's place in HaloPSA; `is_stamped` says that the record there carries the golden id."""

    golden_id: str
    resource: str
    halo_id: int
    origin: Origin
    published: dict[str, Published] = field(default_factory=dict)
    is_retired_by_us: bool = False
    is_stamped: bool = False


def by_ids(connection: sa.Connection, resource: str, golden_ids: Sequence[str]) -> dict[str, Link]:
    found: dict[str, Link] = {}
    for some in chunked(golden_ids, IDS_PER_QUERY):
        query = sa.select(crosswalk).where(crosswalk.c.resource == resource, crosswalk.c.golden_id.in_(some))
        found.update({row.golden_id: _as_link(row) for row in connection.execute(query)})
    return found


def owners(connection: sa.Connection, resource: str) -> dict[int, str]:
    """Halo id -> golden id of every link of `resource`."""
    query = sa.select(crosswalk.c.halo_id, crosswalk.c.golden_id).where(crosswalk.c.resource == resource)
    return {row.halo_id: row.golden_id for row in connection.execute(query)}


def every(connection: sa.Connection, resource: str) -> Iterator[Link]:
    """All links of `resource`, by golden id."""
    query = sa.select(crosswalk).where(crosswalk.c.resource == resource).order_by(crosswalk.c.golden_id)
    return (_as_link(row) for row in connection.execute(query))


def forget(connection: sa.Connection, golden_id: str, resource: str) -> None:
    """Drop a link to what HaloPSA has no more."""
    connection.execute(sa.delete(crosswalk).where(crosswalk.c.golden_id == golden_id, crosswalk.c.resource == resource))


def created(connection: sa.Connection, resource: str) -> set[int]:
    """Halo ids of what we made ourselves."""
    query = sa.select(crosswalk.c.halo_id).where(crosswalk.c.resource == resource, crosswalk.c.origin == "created")
    return set(connection.scalars(query))


def save(connection: sa.Connection, links: Iterable[Link], at: datetime) -> None:
    """Write links, new or known; a known one keeps the moment it was linked."""
    rows = [
        {
            "golden_id": link.golden_id,
            "resource": link.resource,
            "halo_id": link.halo_id,
            "published": {name: list(value) for name, value in link.published.items()},
            "origin": link.origin,
            "is_retired_by_us": link.is_retired_by_us,
            "is_stamped": link.is_stamped,
            "linked_at": at,
            "updated_at": at,
        }
        for link in links
    ]
    upsert(connection, crosswalk, rows, keep=("linked_at",))


def inherit(connection: sa.Connection, *, loser: str, survivor: str, at: datetime) -> None:
    """Hand the loser's Halo records to the survivor of a merge, which had none; they are stamped anew."""
    connection.execute(
        sa.update(crosswalk)
        .where(crosswalk.c.golden_id == loser)
        .values(golden_id=survivor, is_stamped=False, updated_at=at)
    )


def _as_link(row: Any) -> Link:
    return Link(
        golden_id=row.golden_id,
        resource=row.resource,
        halo_id=row.halo_id,
        origin=row.origin,
        published={name: Published(*pair) for name, pair in row.published.items()},
        is_retired_by_us=row.is_retired_by_us,
        is_stamped=row.is_stamped,
    )
