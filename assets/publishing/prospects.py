"""Prospects: organisations that HaloPSA lacks, told as such where the setting FEED__PROSPECTS is on.

Belongs here: who is told as a prospect, and telling anew whoever became or ceased to be one.
Does not: linking a golden record with HaloPSA (crosswalk.py), the wire (wire.py).
Surprise: who is adopted by HaloPSA is told by the next commit, as an organisation under the same id and without a
delete before; the feed never says anything between two commits.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from assets.publishing import wire
from assets.publishing.ledger import IDS_PER_QUERY, chunked, insert_new
from assets.publishing.mapping import CLIENT
from assets.publishing.tables import crosswalk, head, prospect


@dataclass(frozen=True)
class Turned:
    """Live organisations that are to be told in another way, by golden id."""

    into: list[str]
    back: list[str]

    def __bool__(self) -> bool:
        return bool(self.into or self.back)


def turned(connection: sa.Connection, *, is_on: bool) -> Turned:
    """Who is told as what he no longer is."""
    is_linked = sa.exists().where(crosswalk.c.golden_id == head.c.golden_id, crosswalk.c.resource == CLIENT)
    is_told = sa.exists().where(prospect.c.golden_id == head.c.golden_id)
    organisations = sa.select(head.c.golden_id).where(head.c.entity == "organisation", head.c.is_live)
    ids = organisations.order_by(head.c.golden_id)
    told = sa.select(prospect.c.golden_id).where(prospect.c.golden_id.in_(organisations))
    if not is_on:
        return Turned([], list(connection.scalars(told.order_by(prospect.c.golden_id))))
    return Turned(
        list(connection.scalars(ids.where(~is_linked, ~is_told))),
        list(connection.scalars(ids.where(is_linked, is_told))),
    )


def told_as(connection: sa.Connection, golden_ids: list[str]) -> set[str]:
    """Those of `golden_ids` that are told as prospects."""
    found: set[str] = set()
    for ids in chunked(golden_ids, IDS_PER_QUERY):
        found.update(connection.scalars(sa.select(prospect.c.golden_id).where(prospect.c.golden_id.in_(ids))))
    return found


def tell(connection: sa.Connection, *, is_on: bool, seq: int) -> None:
    """Bring whoever became or ceased to be a prospect to the head of the feed, in the commit `seq`."""
    found = turned(connection, is_on=is_on)
    insert_new(connection, prospect, [{"golden_id": golden_id} for golden_id in found.into])
    for golden_ids, is_prospect in ((found.into, True), (found.back, False)):
        for ids in chunked(golden_ids, IDS_PER_QUERY):
            if not is_prospect:
                connection.execute(sa.delete(prospect).where(prospect.c.golden_id.in_(ids)))
            _tell(connection, ids, is_prospect=is_prospect, seq=seq)


def _tell(connection: sa.Connection, golden_ids: list[str], *, is_prospect: bool, seq: int) -> None:
    query = sa.select(head.c.golden_id, head.c.content).where(head.c.golden_id.in_(golden_ids))
    statement = sa.update(head).where(head.c.golden_id == sa.bindparam("of_id"))
    rows = [
        {
            "of_id": row.golden_id,
            "told": wire.text(
                golden_id=row.golden_id, entity="organisation", content=row.content, is_prospect=is_prospect
            ),
        }
        for row in connection.execute(query)
    ]
    connection.execute(statement.values(seq=seq, wire=sa.bindparam("told")), rows)
