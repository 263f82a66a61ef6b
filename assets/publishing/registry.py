"""The golden-id registry: which source record belonged to which golden record, every id ever given, and its lineage.

Belongs here: reading the registry as Arrow for the transforms, and applying the delta they hand back.
Does not: deciding ids (transforms/identity.py) or golden values (heads.py).
Surprise: a source record that vanished keeps its row, so that it finds its old id when it comes back; it is marked as
absent, for whoever stayed has the better claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from assets.publishing.ledger import IDS_PER_QUERY, Ledger, chunked, insert_new, upsert
from assets.publishing.tables import golden_id, head, lineage, registry

_MOMENT = pa.timestamp("us")

REGISTRY_SCHEMA = pa.schema(
    [
        ("record_key", pa.string()),
        ("golden_id", pa.string()),
        ("since", _MOMENT),
        ("first_seq", pa.int64()),
        ("is_present", pa.bool_()),
    ]
)
IDS_SCHEMA = pa.schema([("golden_id", pa.string()), ("first_seq", pa.int64()), ("is_live", pa.bool_())])


def as_arrow(ledger: Ledger, entity: str) -> pa.Table:
    """Last known members, ordered by record_key; `first_seq` is the age of the golden id (small is old)."""
    query = (
        sa.select(
            registry.c.record_key, registry.c.golden_id, registry.c.since, golden_id.c.first_seq, registry.c.is_present
        )
        .join(golden_id, registry.c.golden_id == golden_id.c.golden_id)
        .where(registry.c.entity == entity)
        .order_by(registry.c.record_key)
    )
    return _fetch(ledger, query, REGISTRY_SCHEMA)


def ids_as_arrow(ledger: Ledger, entity: str) -> pa.Table:
    """Every golden id ever given to `entity`, live or not: a new id must be none of these."""
    query = (
        sa.select(golden_id.c.golden_id, golden_id.c.first_seq, sa.func.coalesce(head.c.is_live, False))
        .outerjoin(head, golden_id.c.golden_id == head.c.golden_id)
        .where(golden_id.c.entity == entity)
        .order_by(golden_id.c.golden_id)
    )
    return _fetch(ledger, query, IDS_SCHEMA)


def life_of(ledger: Ledger, name: str) -> list[dict[str, Any]]:
    """The events of one golden id, the oldest first: golden_id, event, other_id, at."""
    query = (
        sa.select(lineage.c.golden_id, lineage.c.event, lineage.c.other_id, lineage.c.at)
        .where(lineage.c.golden_id == name)
        .order_by(lineage.c.seq, lineage.c.event, lineage.c.other_id)
    )
    with ledger.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def moved_members(connection: sa.Connection, members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `members` (record_key, entity, golden_id) that the registry does not say yet, or says to be absent."""
    known: dict[tuple[str, str], str] = {}
    for entity in sorted({member["entity"] for member in members}):
        query = sa.select(registry.c.record_key, registry.c.golden_id).where(
            registry.c.entity == entity, registry.c.is_present
        )
        known.update({(entity, key): owner for key, owner in connection.execute(query)})
    return [member for member in members if known.get((member["entity"], member["record_key"])) != member["golden_id"]]


def vanished(connection: sa.Connection, members: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Records (entity, record_key) that were there at the last commit and are none of `members`, which are all."""
    here = {(member["entity"], member["record_key"]) for member in members}
    query = sa.select(registry.c.entity, registry.c.record_key).where(registry.c.is_present)
    return [
        {"entity": entity, "record_key": key} for entity, key in connection.execute(query) if (entity, key) not in here
    ]


def new_events(connection: sa.Connection, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of `events` (golden_id, event, other_id) that the lineage does not hold yet."""
    known: set[tuple[str, ...]] = set()
    for ids in chunked(sorted({event["golden_id"] for event in events}), IDS_PER_QUERY):
        query = sa.select(lineage.c.golden_id, lineage.c.event, lineage.c.other_id).where(lineage.c.golden_id.in_(ids))
        known.update(tuple(row) for row in connection.execute(query))
    return [event for event in events if (event["golden_id"], event["event"], event["other_id"]) not in known]


def apply(
    connection: sa.Connection,
    *,
    moved: list[dict[str, Any]],
    gone: list[dict[str, str]],
    events: list[dict[str, Any]],
    ids: Iterable[tuple[str, str]],
    seq: int,
    at: datetime,
) -> None:
    """Write the delta; `ids` are (golden_id, entity) that appear in this commit, known or not. A record that comes back
    to the id it had belongs to it since it did first."""
    given = {member["golden_id"]: member["entity"] for member in moved} | dict(ids)
    insert_new(
        connection,
        golden_id,
        [{"golden_id": name, "entity": entity, "first_seq": seq} for name, entity in sorted(given.items())],
    )
    stays = _since(connection, moved)
    upsert(
        connection,
        registry,
        [
            {**member, "since": stays.get((member["entity"], member["record_key"], member["golden_id"]), at)}
            | {"is_present": True}
            for member in moved
        ],
    )
    if gone:
        connection.execute(
            sa.update(registry)
            .where(registry.c.entity == sa.bindparam("of_entity"), registry.c.record_key == sa.bindparam("of_key"))
            .values(is_present=False),
            [{"of_entity": row["entity"], "of_key": row["record_key"]} for row in gone],
        )
    insert_new(connection, lineage, [{**event, "seq": seq, "at": at} for event in events])


def _since(connection: sa.Connection, moved: list[dict[str, Any]]) -> dict[tuple[str, str, str], datetime]:
    """(entity, record_key, golden_id) -> since when, for records that were absent and have their id again."""
    found: dict[tuple[str, str, str], datetime] = {}
    for keys in chunked([member["record_key"] for member in moved], IDS_PER_QUERY):
        query = sa.select(registry).where(registry.c.record_key.in_(keys), sa.not_(registry.c.is_present))
        found |= {(row.entity, row.record_key, row.golden_id): row.since for row in connection.execute(query)}
    return found


def _fetch(ledger: Ledger, query: sa.Select[Any], schema: pa.Schema) -> pa.Table:
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [
        pa.array([naive(value) for value in column] if field.type == _MOMENT else column, type=field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def naive(moment: datetime | None) -> datetime | None:
    """UTC without an offset: the form of every timestamp in the warehouse."""
    return None if moment is None else moment.replace(tzinfo=None)
