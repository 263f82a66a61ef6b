"""Places in the feed: where a walk stands, as a cursor, and the moments that callers send back.

Belongs here: `Position`, its cursor, reading and writing a time of the wire. Does not: what follows a place (feed.py).
Surprise: the ledger keeps a place in the very text that is inside its cursor, so that both are made once.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assets.publishing.tables import from_micros, micros

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class FeedError(Exception):
    """The caller asked for something that has no answer (HTTP 400); the message may be shown."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a walk: commits after `start` up to `snapshot`, behind the key (rank, seq, golden_id)."""

    start: int
    snapshot: int
    sync_type: str = "incremental"
    rank: int = -1
    seq: int = 0
    golden_id: str = ""

    def as_text(self) -> str:
        """Compact JSON; by hand, because a page needs it twice and an encoder takes longer than a statement of SQL."""
        return (
            f'{{"start":{self.start},"snapshot":{self.snapshot},"sync_type":{_quoted(self.sync_type)},'
            f'"rank":{self.rank},"seq":{self.seq},"golden_id":{_quoted(self.golden_id)}}}'
        )

    def as_cursor(self) -> str:
        return base64.urlsafe_b64encode(self.as_text().encode()).decode().rstrip("=")


_TYPES = {"start": int, "snapshot": int, "sync_type": str, "rank": int, "seq": int, "golden_id": str}


def of_text(text: str | bytes) -> Position:
    """The place that `Position.as_text` wrote.

    Raises:
        FeedError: it did not.
    """
    try:
        position = Position(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise FeedError("cursor is not one of ours") from error
    if not all(type(getattr(position, name)) is kind for name, kind in _TYPES.items()):
        raise FeedError("cursor is not one of ours")
    return position


def of_cursor(cursor: str) -> Position:
    """Raises FeedError where the cursor is not one that we gave."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError) as error:
        raise FeedError("cursor is not one of ours") from error
    return of_text(text)


def moment_of(text: str) -> datetime:
    """Raises FeedError where `text` is no time with an offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FeedError("last_sync is not an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise FeedError("last_sync has no offset; write for example 2026-01-19T15:30:00Z")
    return from_micros(micros(moment))


def on_the_wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def compact(value: Any) -> str:
    return _COMPACT.encode(value)
