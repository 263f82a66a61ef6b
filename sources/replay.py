"""Taking quarantined rows in again: what may go in by the rules of today goes in, the rest is told with its reason.

Belongs here: judging a held row anew, loading it, ending its quarantine. Does not: holding it (`customs.py`), downloads
(their files are simply read again), flags and the screen (`orchestration/replay.py`).
Surprise: no vendor is asked and nothing is paid; the payloads were kept with their reasons. A row whose newer version
came in meanwhile needs no replay: its quarantine ends.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt.extract import DltResource

from sources.archive import Archive, ArchiveRow
from sources.clock import Clock
from sources.customs import ACCEPTED, QUARANTINE, RELEASED
from sources.drift import Inspection, Profile, objects_in
from sources.intake import RAW_COLUMNS, RAW_SCHEMA, content_hash, raw_row, screen
from sources.load import load, raw_hints
from sources.payload_contracts import CONTRACTS, Contract

ENTITIES = ("contact", "organisation")


@dataclass
class Replayed:
    """What a replay of one source came to: rows by entity, and what is still held by (entity, field, reason)."""

    came_in: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)  # a newer version had come in by itself
    held: Counter[tuple[str, str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Held:
    key: str
    entity: str
    field: str
    reason: str
    payload: str
    fetched_at: datetime

    @property
    def row_id(self) -> str:
        return self.key.removeprefix(f"{self.entity}:")


def replay(
    source: str, archive: Archive, clock: Clock, *, warehouse: Path, state: Path, is_accepted: bool = False
) -> Replayed:
    """Judge every held row of a vendor anew. `is_accepted`: a person says that what drifted is right as it is, and so
    is the volume of the next load; rows that no table can hold stay out all the same.

    Nothing else may have the warehouse open.
    """
    done = Replayed()
    held, newer = _held(source, warehouse)
    stamps = {entity: _stamps(archive, source, entity) for entity in ENTITIES}
    released: dict[str, list[dict[str, Any]]] = {}
    ended: list[_Held] = []
    for row in held:
        if row.key in newer:
            done.mended[row.entity] += 1
            ended.append(row)
            continue
        payload, reason = _judged(row, CONTRACTS.get((source, row.entity)), is_accepted=is_accepted)
        if payload is None:
            done.held[row.entity, row.field, reason] += 1
            continue
        stamp = stamps[row.entity].get(content_hash(payload))
        released.setdefault(row.entity, []).append(raw_row(row.row_id, payload, fetched_at=row.fetched_at, stamp=stamp))
        done.came_in[row.entity] += 1
        ended.append(row)
    if released:
        load(_source(source, released), name=source, warehouse=warehouse, state=state)
    # In this order: a kill in between leaves rows in both places, and the next replay ends it.
    at = clock.now()
    archive.append(source, QUARANTINE, [ArchiveRow(row.key, RELEASED, _told(row), 0.0, at) for row in ended])
    if is_accepted:
        archive.append(source, ACCEPTED, [ArchiveRow("all", at.isoformat(), {"at": at.isoformat()}, 0.0, at)])
    _forget(source, warehouse, [row.key for row in ended])
    return done


def _judged(row: _Held, contract: Contract | None, *, is_accepted: bool) -> tuple[dict[str, Any] | None, str]:
    """The payload where it may go in; else None and why not."""
    try:
        payload = json.loads(row.payload)
    except ValueError:
        return None, row.reason
    good, poison = screen([payload], entity=row.entity, id_of=lambda _: row.row_id)
    if not good:
        return None, poison[0].reason
    if is_accepted or contract is None:
        return payload, ""
    if Inspection(contract, Profile()).see(payload) is not None:
        return None, row.reason
    parent, _, name = row.field.rpartition(".")
    is_lacking = any(name not in found for found in objects_in(payload, parent))
    return (None, row.reason) if row.field in contract.fields and is_lacking else (payload, "")


def _held(source: str, warehouse: Path) -> tuple[list[_Held], set[str]]:
    """What stands in the quarantine, and the keys of which a newer version stands in its table."""
    with duckdb.connect(str(warehouse)) as connection:
        there = connection.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [f"raw_{source}"]
        ).fetchall()
        tables = {name for (name,) in there}
        if QUARANTINE not in tables:
            return [], set()
        rows = connection.execute(
            "select id, entity, field, reason, payload, fetched_at at time zone 'UTC' as fetched_at "
            f"from raw_{source}.quarantine where entity in ('contact', 'organisation') order by id"
        ).to_arrow_table()
        newer: set[str] = set()
        for entity in ENTITIES:
            if entity in tables:
                newer |= {
                    key
                    for (key,) in connection.execute(
                        f"select held.id from raw_{source}.quarantine as held inner join raw_{source}.{entity} as good "
                        f"on held.id = '{entity}:' || good.id where good.fetched_at > held.fetched_at"
                    ).fetchall()
                }
    moments = rows["fetched_at"].cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC")).to_pylist()
    plain = rows.drop_columns(["fetched_at"]).to_pylist()
    return [
        _Held(row["id"], row["entity"], row["field"] or "", row["reason"] or "", row["payload"] or "", moment)
        for row, moment in zip(plain, moments, strict=True)
    ], newer


def _stamps(archive: Archive, source: str, entity: str) -> dict[str, str]:
    """The vendor's stamp of each archived version, by its content hash."""
    found: dict[str, str] = {}
    for _, table in archive.batches(source, entity, columns=["stamp", "content_hash"]):
        found |= dict(zip(table["content_hash"].to_pylist(), table["stamp"].to_pylist(), strict=True))
    return found


def _source(source: str, rows: dict[str, list[dict[str, Any]]]) -> Any:
    @dlt.source(name=source, max_table_nesting=0)
    def released() -> Iterator[DltResource]:
        for entity, mine in rows.items():
            columns = {name: {"nullable": True, **hints} for name, hints in RAW_COLUMNS.items()}
            yield dlt.resource([pa.Table.from_pylist(mine, schema=RAW_SCHEMA)], name=entity, **raw_hints(columns))

    return released()


def _told(row: _Held) -> dict[str, Any]:
    return {"id": row.row_id, "entity": row.entity, "field": row.field, "reason": RELEASED, "payload": "", "remedy": ""}


def _forget(source: str, warehouse: Path, keys: list[str]) -> None:
    if keys:
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(f"delete from raw_{source}.quarantine where id in (select unnest(?))", [keys])
            connection.execute("CHECKPOINT")
