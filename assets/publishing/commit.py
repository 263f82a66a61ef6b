"""The commit: one transaction that makes a new state of the golden records true for everybody.

Belongs here: registry delta, heads, change log, outbox rows and a new model, all or nothing.
Does not: finding the changes (transforms/sql/changes), telling them to anyone (feed.py, publisher.py).
Surprise: the changes are compared with the heads once more, so committing the same change twice writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import lookup, models, registry, wire
from assets.publishing.heads import wire_rank
from assets.publishing.ledger import IDS_PER_QUERY, ROWS_PER_STATEMENT, Ledger, chunked, insert_one, next_stamp, upsert
from assets.publishing.tables import change_log, commit_log, head, outbox

ENTITIES = ("organisation", "contact")
CHANGE_KINDS = ("created", "altered", "retired")

# Not values of the golden record: kept in columns of their own, or different on every run.
_BOOKKEEPING = frozenset({"golden_id", "change_kind", "content_hash", "updated_at", "record_count"})
_PARENT = "organisation_golden_id"


@dataclass(frozen=True)
class CommitResult:
    """What one commit did; `seq` is None where there was nothing to write."""

    seq: int | None
    commit_ts: datetime | None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    members_moved: int = 0

    @property
    def changed(self) -> dict[str, int]:
        """Changes per entity, all kinds together."""
        return {entity: sum(kinds.values()) for entity, kinds in self.counts.items()}


def commit(
    ledger: Ledger,
    clock: Clock,
    *,
    run_id: str,
    changes: Mapping[str, pa.Table],
    members: pa.Table | None = None,
    lineage: pa.Table | None = None,
    new_models: Mapping[str, dict[str, Any]] | None = None,
) -> CommitResult:
    """Commit `changes` (entity -> rows of `changes.<entity>_change`) with the registry delta that goes with them.

    Raises:
        ValueError: an unknown entity or kind of change; nothing was written.
        LedgerBusy: another run is writing.
    """
    wanted = [row for entity in ENTITIES for row in _prepared(entity, changes.get(entity))]
    if unknown := set(changes) - set(ENTITIES):
        raise ValueError(f"changes of unknown entities {sorted(unknown)}; known are {list(ENTITIES)}")
    member_rows = [] if members is None else members.select(["record_key", "entity", "golden_id"]).to_pylist()
    event_rows = [] if lineage is None else lineage.select(["golden_id", "event", "other_id"]).to_pylist()
    events = [{**event, "other_id": event["other_id"] or ""} for event in event_rows]

    with ledger.transaction() as connection:
        rows = _differing(connection, wanted)
        moved = registry.moved_members(connection, member_rows)
        gone = [] if members is None else registry.vanished(connection, member_rows)
        fresh = registry.new_events(connection, events)
        fresh_models = models.differing(connection, new_models or {})
        counts = _counts(rows)
        if not (rows or moved or gone or fresh or fresh_models):
            return CommitResult(seq=None, commit_ts=None, counts=counts)
        commit_ts = next_stamp(connection, clock)
        seq = insert_one(connection, commit_log, {"commit_ts": commit_ts, "run_id": run_id, "counts": counts})
        ids = [(row["golden_id"], row["entity"]) for row in rows]
        registry.apply(connection, moved=moved, gone=gone, events=fresh, ids=ids, seq=seq, at=commit_ts)
        renamed = _renamed(connection, rows)
        _write(connection, rows, _successors(events), seq=seq, at=commit_ts)
        _tell_anew(connection, renamed, seq=seq)
        models.store(connection, fresh_models, run_id=run_id, at=commit_ts)
    return CommitResult(seq=seq, commit_ts=commit_ts, counts=counts, members_moved=len(moved))


def _prepared(entity: str, table: pa.Table | None) -> list[dict[str, Any]]:
    """Arrow rows as plain ones, content apart from bookkeeping; done before the write lock is taken."""
    if table is None:
        return []
    rows = []
    for batch in table.to_batches(max_chunksize=ROWS_PER_STATEMENT):
        for raw in batch.to_pylist():
            kind = raw["change_kind"]
            if kind not in CHANGE_KINDS:
                raise ValueError(f"{raw['golden_id']}: change_kind is {kind!r}, expected one of {CHANGE_KINDS}")
            is_live = kind != "retired"
            if is_live and not raw["content_hash"]:
                raise ValueError(f"{raw['golden_id']}: {kind} without a content_hash; nothing could ever be compared")
            content = {name: value for name, value in raw.items() if name not in _BOOKKEEPING and value is not None}
            rows.append(
                {
                    "golden_id": raw["golden_id"],
                    "entity": entity,
                    "kind": kind,
                    "is_live": is_live,
                    "content": content if is_live else None,
                    "content_hash": raw["content_hash"] or "",
                    "updated_at": raw.get("updated_at"),
                    "sources": raw.get("sources") or "",
                    "parent_golden_id": raw.get(_PARENT),
                }
            )
    return rows


def _differing(connection: sa.Connection, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose state is not the head's already, each with the version and sources it gets."""
    columns = (head.c.golden_id, head.c.version, head.c.is_live, head.c.content_hash, head.c.sources_ever)
    known = {}
    for ids in chunked([row["golden_id"] for row in wanted], IDS_PER_QUERY):
        known.update(
            {row.golden_id: row for row in connection.execute(sa.select(*columns).where(head.c.golden_id.in_(ids)))}
        )
    rows = []
    for row in wanted:
        last = known.get(row["golden_id"])
        if last is None and not row["is_live"]:
            continue  # retired before anybody ever heard of it
        if last is not None and last.is_live == row["is_live"] and row["content_hash"] in (last.content_hash, ""):
            continue
        ever = set(filter(None, (last.sources_ever if last else "").split(",") + row["sources"].split(",")))
        rows.append({**row, "version": (last.version if last else 0) + 1, "sources_ever": ",".join(sorted(ever))})
    return rows


def _write(
    connection: sa.Connection, rows: list[dict[str, Any]], successors: dict[str, str], *, seq: int, at: datetime
) -> None:
    for some in chunked(rows, ROWS_PER_STATEMENT):
        names = _names(connection, [row["parent_golden_id"] for row in some if row["parent_golden_id"]])
        upsert(connection, head, [_head_row(row, successors, names, seq, at) for row in some])
        connection.execute(sa.insert(change_log), [_log_row(row, seq) for row in some])
        upsert(connection, outbox, [_outbox_row(row, seq) for row in some])
        lookup.renew(connection, some)


def _renamed(connection: sa.Connection, rows: list[dict[str, Any]]) -> list[str]:
    """Organisations of `rows` whose name is not what it was; to be asked before they are written."""
    names = {row["golden_id"]: (row["content"] or {}).get("name") for row in rows if row["entity"] == "organisation"}
    for ids in chunked(list(names), IDS_PER_QUERY):
        for known in connection.execute(sa.select(head.c.golden_id, head.c.content).where(head.c.golden_id.in_(ids))):
            if (known.content or {}).get("name") == names[known.golden_id]:
                del names[known.golden_id]
    return list(names)


def _tell_anew(connection: sa.Connection, renamed: list[str], *, seq: int) -> None:
    """Bring contacts to the head of the feed whose record there names one of `renamed`: their own content is as it was,
    so their version stays, but every poller holds the old name."""
    statement = (
        sa.update(head).where(head.c.golden_id == sa.bindparam("of_id")).values(seq=seq, wire=sa.bindparam("told"))
    )
    for ids in chunked(renamed, IDS_PER_QUERY):
        names = _names(connection, ids)
        columns = (head.c.golden_id, head.c.content, head.c.parent_golden_id)
        is_theirs = sa.and_(head.c.parent_golden_id.in_(ids), head.c.entity == "contact", head.c.is_live)
        rows = [
            {
                "of_id": row.golden_id,
                "told": wire.text(
                    golden_id=row.golden_id,
                    entity="contact",
                    content=row.content,
                    organisation_name=names.get(row.parent_golden_id),
                ),
            }
            for row in connection.execute(sa.select(*columns).where(is_theirs))
        ]
        if rows:
            connection.execute(statement, rows)


def _names(connection: sa.Connection, organisations: list[str]) -> dict[str, str | None]:
    """Names of organisations as their heads have them; organisations are written before the contacts that need them."""
    found: dict[str, str | None] = {}
    for ids in chunked(sorted(set(organisations)), IDS_PER_QUERY):
        query = sa.select(head.c.golden_id, head.c.content).where(head.c.golden_id.in_(ids), head.c.is_live)
        found.update({row.golden_id: row.content.get("name") for row in connection.execute(query)})
    return found


def _head_row(
    row: dict[str, Any], successors: dict[str, str], names: dict[str, str | None], seq: int, at: datetime
) -> dict[str, Any]:
    other_id = None if row["is_live"] else successors.get(row["golden_id"])
    reason = None if row["is_live"] else ("merged" if other_id else "retired")
    return {
        "golden_id": row["golden_id"],
        "entity": row["entity"],
        "version": row["version"],
        "is_live": row["is_live"],
        "content": row["content"],
        "content_hash": row["content_hash"],
        "updated_at": _aware(row["updated_at"]) or at,
        "sources": row["sources"],
        "sources_ever": row["sources_ever"],
        "parent_golden_id": row["parent_golden_id"],
        "reason": reason,
        "other_id": other_id,
        "wire": wire.text(
            golden_id=row["golden_id"],
            entity=row["entity"],
            content=row["content"],
            organisation_name=names.get(row["parent_golden_id"]),
            reason=reason,
            merged_into=other_id,
        ),
        "wire_rank": wire_rank(row["entity"], is_live=row["is_live"]),
        "seq": seq,
    }


def _log_row(row: dict[str, Any], seq: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "golden_id": row["golden_id"],
        "entity": row["entity"],
        "version": row["version"],
        "change_kind": row["kind"],
        "content_hash": row["content_hash"],
    }


def _outbox_row(row: dict[str, Any], seq: int) -> dict[str, Any]:
    return {
        "golden_id": row["golden_id"],
        "entity": row["entity"],
        "action": "upsert" if row["is_live"] else "retire",
        "version": row["version"],
        "seq": seq,
        "state": "pending",
        "reason": None,
        "settled_at": None,
        "error_class": None,
        "attempts": 0,
        "remedy": None,
    }


def _counts(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    tally = Counter((row["entity"], row["kind"]) for row in rows)
    return {entity: {kind: tally[entity, kind] for kind in CHANGE_KINDS} for entity in ENTITIES}


def _successors(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["golden_id"]: event["other_id"] for event in events if event["event"] == "merged_into"}


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)
