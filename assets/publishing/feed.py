"""The feed: the committed state as records on the wire, by pages for pollers and as one file for people.

Belongs here: the walk over the heads (window, order, key), positions as stamps and cursors, feed/latest.json.
Does not: the shape of a record (wire.py), routes, keys and error envelopes (orchestration/service).
Surprise: while a walk has more pages, `last_sync_timestamp` is a stamp of its own that the ledger maps to the place of
the walk, so that a poller which echoes nothing but `last_sync` still gets every page.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import delivery
from assets.publishing.ledger import Ledger, next_stamp
from assets.publishing.tables import commit_log, from_micros, head, micros, walk

PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX = 100, 500
FOREIGN_STAMP_MARGIN = timedelta(minutes=5)  # feed.md: a clock that is not ours is believed up to this much
SKEW_MAX = timedelta(hours=24)
RETENTION = timedelta(days=90)  # feed.md: who was away for longer is told everything anew
_FILE_PAGE_ROWS = 2_000
_RANKS = {None: (0, 1, 2, 3), "organisation": (0, 3), "contact": (1, 2)}
_LIVE_RANKS = frozenset({0, 1})
_ENTITY = {0: "organisation", 1: "contact", 2: "contact", 3: "organisation"}  # of a rank
_ON_THE_WIRE = {"organisation": "organization", "contact": "contact"}


class FeedError(Exception):
    """The caller asked for something that has no answer (HTTP 400); the message may be shown."""


@dataclass(frozen=True)
class Position:
    """A place in a walk: commits after `start` up to `snapshot`, behind the key (rank, seq, golden_id)."""

    start: int
    snapshot: int
    sync_type: str = "incremental"
    rank: int = -1
    seq: int = 0
    golden_id: str = ""


@dataclass(frozen=True)
class Page:
    """One page: records as they stand on the wire, and what comes behind them."""

    records: list[str]
    last_sync_timestamp: str
    metadata: dict[str, Any]

    def as_text(self) -> str:
        """The answer in the seed's format. Records are put in as they were made, never parsed."""
        tail = {
            "total_count": len(self.records),
            "last_sync_timestamp": self.last_sync_timestamp,
            "metadata": self.metadata,
        }
        return f'{{"status":"success","records":[{",".join(self.records)}],{_json(tail)[1:]}'


def read(ledger: Ledger, clock: Clock, **question: Any) -> dict[str, Any]:
    """The answer of `page` as an object."""
    answer = json.loads(page(ledger, clock, **question).as_text())
    assert isinstance(answer, dict)
    return answer


def page(
    ledger: Ledger,
    clock: Clock,
    *,
    last_sync: str | None = None,
    cursor: str | None = None,
    limit: int = PAGE_ROWS_DEFAULT,
    entity: str | None = None,
    source: str | None = None,
) -> Page:
    """One page in the seed's format. The cost of a page does not depend on how deep it is.

    Raises:
        FeedError: `limit`, `cursor` or `last_sync` cannot be understood.
    """
    if not 1 <= limit <= PAGE_ROWS_MAX:
        raise FeedError(f"limit is {limit}, expected 1 to {PAGE_ROWS_MAX}")
    with ledger.read() as connection:
        position = _position(connection, clock, last_sync=last_sync, cursor=cursor)
        since = delivery.since_of(connection)
        rows = _page(connection, position, since, limit=limit + 1, entity=entity, source=source)
        end = _commit_ts(connection, position.snapshot)
    records = [row.wire for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(records, _text(end), _metadata(position, since))
    last = rows[limit - 1]
    further = replace(position, rank=last.wire_rank, seq=last.seq, golden_id=last.golden_id)
    return Page(
        records, _text(_stamp_of(ledger, clock, further)), _metadata(position, since, cursor=_as_cursor(further))
    )


@dataclass(frozen=True)
class Newest:
    """The newest commit; `seq` 0 where there is none."""

    seq: int
    at: datetime


def newest(ledger: Ledger) -> Newest:
    with ledger.read() as connection:
        seq = _newest_seq(connection)
        return Newest(seq, _commit_ts(connection, seq))


def forget_walks(ledger: Ledger, clock: Clock) -> int:
    """Drop the places of walks that nobody may continue any more; returns how many there were."""
    with ledger.transaction() as connection:
        return connection.execute(sa.delete(walk).where(walk.c.stamp < clock.now() - RETENTION)).rowcount


def _stamp_of(ledger: Ledger, clock: Clock, further: Position) -> datetime:
    """The stamp that leads to a place: the same for all who come by, so that an answer asked for twice is the same."""
    place = asdict(further)
    # A stamp about to be forgotten would send its poller back to the start.
    usable = walk.c.stamp > clock.now() - RETENTION / 2
    known = sa.select(sa.func.max(walk.c.stamp)).where(walk.c.position == place, usable)
    with ledger.read() as connection:
        stamp = connection.scalar(known)
    if stamp is not None:
        return stamp
    with ledger.transaction() as connection:
        stamp = connection.scalar(known)  # another poller may have come by since
        if stamp is None:
            stamp = next_stamp(connection, clock)
            connection.execute(sa.insert(walk).values(stamp=stamp, position=place))
    return stamp


def write_file(ledger: Ledger, path: Path, *, freshness: dict[str, str] | None = None) -> int:
    """Write the whole live state to `path`, one record a line, by rename; a file of the same state is left alone.

    Returns:
        How many records the file holds.
    """
    with ledger.read() as connection:
        snapshot = _newest_seq(connection)
        written = _written(path)
        if written is not None and written[0] == snapshot:
            return written[1]
        end, since = _commit_ts(connection, snapshot), delivery.since_of(connection)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        count = 0
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write('{"status":"success","records":[')
            for count, record in enumerate(_all_records(connection, snapshot, since), start=1):
                file.write(("," if count > 1 else "") + "\n" + record)
            metadata = {"source": "golden", "sync_type": "full", "has_more": False, "snapshot": str(snapshot)}
            metadata |= _left_out(since) | ({"freshness": freshness} if freshness else {})
            tail = {"total_count": count, "last_sync_timestamp": _text(end), "metadata": metadata}
            file.write("\n]," + _json(tail)[1:] + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    return count


def _written(path: Path) -> tuple[int, int] | None:
    """Snapshot and record count of the file that is there, read from its last line only."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        last = file.read().decode("utf-8", errors="replace").rstrip("\n").rpartition("\n")[2]
    if not last.startswith("],"):
        return None
    try:
        tail = json.loads("{" + last[2:])
        return int(tail["metadata"]["snapshot"]), int(tail["total_count"])
    except (ValueError, KeyError, TypeError):
        return None


def _all_records(connection: sa.Connection, snapshot: int, since: Mapping[str, int]) -> Iterator[str]:
    position = Position(start=0, snapshot=snapshot, sync_type="full")
    while rows := _page(connection, position, since, limit=_FILE_PAGE_ROWS, entity=None, source=None):
        yield from (row.wire for row in rows)
        position = replace(position, rank=rows[-1].wire_rank, seq=rows[-1].seq, golden_id=rows[-1].golden_id)


def _page(
    connection: sa.Connection,
    position: Position,
    since: Mapping[str, int],
    *,
    limit: int,
    entity: str | None,
    source: str | None,
) -> list[Any]:
    """The next `limit` heads of the walk; each rank is one range of the index (wire_rank, seq, golden_id). An entity
    that the feed carries only since later than the walk's start is told whole."""
    if entity not in _RANKS:
        raise FeedError(f"entity is {entity!r}, expected organisation or contact")
    rows: list[Any] = []
    for rank in _RANKS[entity]:
        if rank < position.rank or (position.sync_type == "full" and rank not in _LIVE_RANKS):
            continue
        if _ENTITY[rank] not in since:
            continue
        is_behind = rank == position.rank
        start = position.start if position.start >= since[_ENTITY[rank]] else 0
        given: dict[str, Any] = {"snapshot": position.snapshot, "rows": limit - len(rows)}
        given |= {"after_seq": position.seq if is_behind else start}
        given |= {"after_id": position.golden_id} if is_behind else {}
        rows += connection.execute(_query(rank, source, is_behind=is_behind), given).all()
        if len(rows) >= limit:
            break
    return rows


@lru_cache(maxsize=64)
def _query(rank: int, source: str | None, *, is_behind: bool) -> sa.Select[Any]:
    """One rank's range of the index (wire_rank, seq, golden_id); built once, for building costs more than asking."""
    query = (
        sa.select(head.c.wire, head.c.wire_rank, head.c.seq, head.c.golden_id)
        .where(head.c.wire_rank == rank, head.c.seq <= sa.bindparam("snapshot"))
        .order_by(head.c.seq, head.c.golden_id)
        .limit(sa.bindparam("rows"))
    )
    if is_behind:
        key = sa.tuple_(head.c.seq, head.c.golden_id)
        query = query.where(key > sa.tuple_(sa.bindparam("after_seq"), sa.bindparam("after_id")))
    else:
        query = query.where(head.c.seq > sa.bindparam("after_seq"))
    if source is None:
        return query
    contributed = sa.literal(",") + head.c.sources_ever + sa.literal(",")
    return query.where(contributed.contains(f",{source},", autoescape=True))


def _position(connection: sa.Connection, clock: Clock, *, last_sync: str | None, cursor: str | None) -> Position:
    newest = _newest_seq(connection)
    if cursor is not None:
        return _from_cursor(cursor)
    if last_sync is None:
        return Position(start=0, snapshot=newest, sync_type="full")
    moment, newest_ts = _moment(last_sync), _commit_ts(connection, newest)
    now = max(clock.now(), newest_ts)
    own = None if _is_past_retention(moment, now) and moment != newest_ts else _own_position(connection, moment, newest)
    if own is not None:
        return own
    if moment > now + SKEW_MAX:
        raise FeedError("last_sync lies more than 24 hours ahead; send back the last_sync_timestamp you were given")
    if _is_past_retention(moment, now):
        return Position(start=0, snapshot=newest, sync_type="full_resync")
    known_since = min(moment, now) - FOREIGN_STAMP_MARGIN
    start = connection.scalar(sa.select(sa.func.max(commit_log.c.seq)).where(commit_log.c.commit_ts <= known_since))
    return Position(start=start or 0, snapshot=newest)


def _own_position(connection: sa.Connection, moment: datetime, newest: int) -> Position | None:
    """Where a stamp that we gave leads. It may lie ahead of our clock, where that was set back since."""
    stored = connection.scalar(sa.select(walk.c.position).where(walk.c.stamp == moment))
    if stored is not None:
        return Position(**stored)
    seq = connection.scalar(sa.select(commit_log.c.seq).where(commit_log.c.commit_ts == moment))
    return None if seq is None else Position(start=seq, snapshot=newest)


def _is_past_retention(moment: datetime, now: datetime) -> bool:
    return moment < now - RETENTION


def _metadata(position: Position, since: Mapping[str, int], *, cursor: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"source": "golden", "sync_type": position.sync_type, "has_more": cursor is not None}
    told |= _left_out(since)
    return told | ({"cursor": cursor} if cursor is not None else {}) | {"snapshot": str(position.snapshot)}


def _left_out(since: Mapping[str, int]) -> dict[str, Any]:
    """Says which entities are not carried, so that an empty answer explains itself."""
    names = [name for entity, name in _ON_THE_WIRE.items() if entity not in since]
    return {"left_to_publisher": names} if names else {}


def _newest_seq(connection: sa.Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(commit_log.c.seq))) or 0


def _commit_ts(connection: sa.Connection, seq: int) -> datetime:
    found = connection.scalar(sa.select(commit_log.c.commit_ts).where(commit_log.c.seq == seq))
    return found or from_micros(0)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FeedError("last_sync is not an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise FeedError("last_sync has no offset; write for example 2026-01-19T15:30:00Z")
    return from_micros(micros(moment))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _as_cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(_json(asdict(position)).encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> Position:
    try:
        fields = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = Position(**fields)
    except (binascii.Error, ValueError, TypeError) as error:
        raise FeedError("cursor is not one of ours") from error
    if not all(type(getattr(position, name)) is kind for name, kind in _POSITION_TYPES.items()):
        raise FeedError("cursor is not one of ours")
    return position


_POSITION_TYPES = {"start": int, "snapshot": int, "sync_type": str, "rank": int, "seq": int, "golden_id": str}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
