"""The feed: the committed state as records on the wire, page by page.

Belongs here: the walk over the heads (window, order, key), and which place a question means.
Does not: places as text (place.py), statements (snapshot.py), the shape of a record (wire.py), the file for people
(feed_file.py), routes, keys and error envelopes (orchestration/service).
Surprise: while a walk has more pages, `last_sync_timestamp` is a stamp of its own that the ledger maps to the place of
the walk, so that a poller which echoes nothing but `last_sync` still gets every page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import delivery, freshness
from assets.publishing.ledger import Ledger, next_stamp
from assets.publishing.place import FeedError, Position, compact, moment_of, of_cursor, on_the_wire
from assets.publishing.snapshot import Snapshot, reading
from assets.publishing.tables import walk

PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX = 100, 500
FOREIGN_STAMP_MARGIN = timedelta(minutes=5)  # feed.md: a clock that is not ours is believed up to this much
SKEW_MAX = timedelta(hours=24)
RETENTION = timedelta(days=90)  # feed.md: who was away for longer is told everything anew
_RANKS = {None: (0, 1, 2, 3), "organisation": (0, 3), "contact": (1, 2)}
_LIVE_RANKS = frozenset({0, 1})
_ENTITY = {0: "organisation", 1: "contact", 2: "contact", 3: "organisation"}  # of a rank
_ON_THE_WIRE = {"organisation": "organization", "contact": "contact"}


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller asks for. `last_sync` and `cursor` are what he was given, unread."""

    last_sync: str | None = None
    cursor: str | None = None
    limit: int = PAGE_ROWS_DEFAULT
    entity: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page: records as they stand on the wire, what comes behind them, and what makes it this very page.

    Two pages of one `identity` and one `tail` are the same bytes.
    """

    records: list[str]
    last_sync_timestamp: str
    metadata: dict[str, Any]
    identity: str

    @property
    def tail(self) -> str:
        """The answer behind its records."""
        tail = {
            "total_count": len(self.records),
            "last_sync_timestamp": self.last_sync_timestamp,
            "metadata": self.metadata,
        }
        return compact(tail)[1:]

    def as_text(self, tail: str | None = None) -> str:
        """The answer in the seed's format. Records are put in as they were made, never parsed."""
        return f'{{"status":"success","records":[{",".join(self.records)}],{tail or self.tail}'


def read(ledger: Ledger, clock: Clock, **question: Any) -> dict[str, Any]:
    """The answer of `page` as an object."""
    answer = json.loads(page(ledger, clock, Question(**question)).as_text())
    assert isinstance(answer, dict)
    return answer


def page(ledger: Ledger, clock: Clock, question: Question) -> Page:
    """One page in the seed's format. The cost of a page does not depend on how deep it is.

    Raises:
        FeedError: `limit`, `cursor` or `last_sync` cannot be understood.
        LedgerError: the ledger cannot be read.
    """
    with reading(ledger) as snapshot:
        found = page_in(snapshot, clock, question)
    if isinstance(found, Page):
        return found
    return found.stamped(_stamp_of(ledger, clock, found.further))


@dataclass(frozen=True, slots=True)
class Unstamped:
    """A page whose place has no stamp yet; giving it one is a write."""

    page: Page
    further: Position

    def stamped(self, stamp: datetime) -> Page:
        return replace(self.page, last_sync_timestamp=on_the_wire(stamp))


def page_in(snapshot: Snapshot, clock: Clock, question: Question) -> Page | Unstamped:
    """`page` in a snapshot that is there already; reads only.

    Raises:
        FeedError: `limit`, `cursor` or `last_sync` cannot be understood.
    """
    if not 1 <= question.limit <= PAGE_ROWS_MAX:
        raise FeedError(f"limit is {question.limit}, expected 1 to {PAGE_ROWS_MAX}")
    if question.entity not in _RANKS:
        raise FeedError(f"entity is {question.entity!r}, expected organisation or contact")
    newest, newest_at = snapshot.newest()
    position = _position(snapshot, clock, question, newest, newest_at)
    if position.sync_type == "incremental" and position.start < snapshot.compacted():
        position = Position(start=0, snapshot=newest, sync_type="full_resync")
    records, further = take(snapshot, position, limit=question.limit, entity=question.entity, source=question.source)
    extra = left_out(snapshot) | ({"freshness": fresh} if (fresh := freshness.told(snapshot)) else {})
    identity = f"{newest_at.isoformat()} {position.as_text()} {question.limit} {question.entity} {question.source}"
    if further is None:
        end = newest_at if position.snapshot == newest else snapshot.made_at(position.snapshot)
        return Page(records, on_the_wire(end), _metadata(position, extra), identity)
    metadata = _metadata(position, extra, cursor=further.as_cursor())
    # A stamp about to be forgotten would send its poller back to the start.
    stamp = snapshot.stamp_of(further, after=clock.now() - RETENTION / 2)
    if stamp is None:
        return Unstamped(Page(records, "", metadata, identity), further)
    return Page(records, on_the_wire(stamp), metadata, identity)


def take(
    snapshot: Snapshot, position: Position, *, limit: int, entity: str | None = None, source: str | None = None
) -> tuple[list[str], Position | None]:
    """The next `limit` records of the walk, and the place behind them where more follow. An entity that the feed
    carries only since later than the walk's start is told whole (delivery.py)."""
    since = delivery.since_in(snapshot)
    whole = replace(position, start=0)
    ranks = [
        (rank, position if position.start >= since[_ENTITY[rank]] else whole)
        for rank in _RANKS[entity]
        if rank >= position.rank and (position.sync_type != "full" or rank in _LIVE_RANKS) and _ENTITY[rank] in since
    ]
    records: list[str] = []
    for at, (rank, place) in enumerate(ranks):
        found = snapshot.wires(rank, place, source, rows=limit - len(records))
        records += found
        if len(records) == limit:
            (seq, golden_id), *more = snapshot.key_of_row(rank, place, source, row=len(found) - 1)
            has_more = bool(more) or any(
                snapshot.key_of_row(later, behind, source, row=0) for later, behind in ranks[at + 1 :]
            )
            further = replace(position, rank=rank, seq=seq, golden_id=golden_id)
            return records, further if has_more else None
    return records, None


@dataclass(frozen=True)
class Newest:
    """The newest commit; `seq` 0 where there is none."""

    seq: int
    at: datetime


def newest(ledger: Ledger) -> Newest:
    with reading(ledger) as snapshot:
        return Newest(*snapshot.newest())


def forget_walks(ledger: Ledger, clock: Clock) -> int:
    """Drop the places of walks that nobody may continue any more; returns how many there were."""
    with ledger.transaction() as connection:
        return connection.execute(sa.delete(walk).where(walk.c.stamp < clock.now() - RETENTION)).rowcount


def _stamp_of(ledger: Ledger, clock: Clock, further: Position) -> datetime:
    """The stamp that leads to a place: the same for all who come by, so that an answer asked for twice is the same."""
    place = json.loads(further.as_text())
    known = sa.select(sa.func.max(walk.c.stamp)).where(
        walk.c.position == place, walk.c.stamp > clock.now() - RETENTION / 2
    )
    with ledger.transaction() as connection:
        stamp: datetime | None = connection.scalar(known)  # another poller may have come by since
        if stamp is None:
            stamp = next_stamp(connection, clock)
            connection.execute(sa.insert(walk).values(stamp=stamp, position=place))
    return stamp


def _position(snapshot: Snapshot, clock: Clock, question: Question, newest: int, newest_at: datetime) -> Position:
    if question.cursor is not None:
        return of_cursor(question.cursor)
    if question.last_sync is None:
        return Position(start=0, snapshot=newest, sync_type="full")
    moment = moment_of(question.last_sync)
    now = max(clock.now(), newest_at)
    own = None if _is_past_retention(moment, now) and moment != newest_at else _own_position(snapshot, moment, newest)
    if own is not None:
        return own
    if moment > now + SKEW_MAX:
        raise FeedError("last_sync lies more than 24 hours ahead; send back the last_sync_timestamp you were given")
    if _is_past_retention(moment, now):
        return Position(start=0, snapshot=newest, sync_type="full_resync")
    known_since = min(moment, now) - FOREIGN_STAMP_MARGIN
    return Position(start=snapshot.commit_before(known_since), snapshot=newest)


def _own_position(snapshot: Snapshot, moment: datetime, newest: int) -> Position | None:
    """Where a stamp that we gave leads. It may lie ahead of our clock, where that was set back since."""
    place = snapshot.place_at(moment)
    if place is not None:
        return place
    seq = snapshot.commit_at(moment)
    return None if seq is None else Position(start=seq, snapshot=newest)


def _is_past_retention(moment: datetime, now: datetime) -> bool:
    return moment < now - RETENTION


def left_out(snapshot: Snapshot) -> dict[str, Any]:
    """Says which entities are not carried, so that an empty answer explains itself."""
    since = delivery.since_in(snapshot)
    names = [name for entity, name in _ON_THE_WIRE.items() if entity not in since]
    return {"left_to_publisher": names} if names else {}


def _metadata(position: Position, extra: dict[str, Any], *, cursor: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"source": "golden", "sync_type": position.sync_type, "has_more": cursor is not None}
    told |= ({"cursor": cursor} if cursor is not None else {}) | {"snapshot": str(position.snapshot)}
    return told | extra
