"""Subscriptions: who is told of changes by webhook, how far each was told, and when to try again.

Belongs here: making and ending them, what is due, what an answer means for the next try.
Does not: signing and sending (orchestration/service/courier.py), which addresses may be told (targets.py there), pages
(feed.py).
Surprise: nothing is queued. A subscription is a poller that we play ourselves: it has a place in the feed, the next
page behind it is what is sent, and the place moves on only when the receiver said 2xx. So nothing can be lost, and a
receiver that was down for a day is told the newest state of each record, once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import audit
from assets.publishing.feed import Page, take
from assets.publishing.ledger import Ledger
from assets.publishing.place import Position, of_text, on_the_wire
from assets.publishing.snapshot import Snapshot, reading
from assets.publishing.tables import api_key, hook

PER_OWNER_MAX = 20
PAGE_ROWS = 100
# Standard Webhooks, "Retry schedule": a day and a quarter in all, then the subscription is disabled.
BACK_OFF_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400)
GONE = 410
NO_ANSWER = 0


class HookRefused(Exception):
    """The subscription cannot be made; the message says why."""


@dataclass(frozen=True)
class Hook:
    """A subscription without its secret. `state` is active, gone (410), disabled (too many failures) or orphaned."""

    hook_id: str
    owner: str
    url: str
    entity: str | None
    state: str
    reason: str | None
    failures: int
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True)
class Parcel:
    """What is to be sent now. `further` is the place of the subscription once it was taken."""

    hook_id: str
    url: str
    secret: str
    message_id: str
    body: str
    further: Position


_SHOWN = (hook.c.hook_id, hook.c.owner, hook.c.url, hook.c.entity, hook.c.state, hook.c.reason, hook.c.failures,
          hook.c.created_at, hook.c.delivered_at)  # fmt: skip


def add(
    ledger: Ledger, clock: Clock, *, owner: str, url: str, entity: str | None, is_from_start: bool
) -> tuple[Hook, str]:
    """Subscribe `owner` (the name of an API key); returns the subscription and its secret, shown this once.

    Raises:
        HookRefused: the owner has PER_OWNER_MAX live ones.
    """
    hook_id, secret = secrets.token_hex(8), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with reading(ledger) as snapshot:
        newest, _ = snapshot.newest()
    start = 0 if is_from_start else newest
    place = Position(start=start, snapshot=newest, sync_type="full" if is_from_start else "incremental")
    made = Hook(hook_id, owner, url, entity, "active", None, 0, clock.now(), None)
    note = audit.book(ledger)
    with ledger.transaction() as connection:
        live = sa.select(sa.func.count()).where(hook.c.owner == owner, hook.c.state == "active")
        if (connection.scalar(live) or 0) >= PER_OWNER_MAX:
            raise HookRefused(f"{owner} has {PER_OWNER_MAX} live subscriptions; end one before")
        hidden = {"secret": secret, "place": json.loads(place.as_text()), "due_at": clock.now()}
        connection.execute(sa.insert(hook).values(asdict(made) | hidden))
        # The host alone: a path or query may hold the receiver's own secret.
        told = f"{hook_id} {urlsplit(url).hostname}"
        note(connection, at=made.created_at, actor=f"key {owner}", act="subscribed", subject=told)
    return made, secret


def every(ledger: Ledger, owner: str | None = None) -> list[Hook]:
    """Subscriptions of `owner`, or of all, the oldest first."""
    query = sa.select(*_SHOWN).order_by(hook.c.created_at, hook.c.hook_id)
    with ledger.read() as connection:
        rows = connection.execute(query if owner is None else query.where(hook.c.owner == owner))
        return [Hook(*row) for row in rows]


def remove(ledger: Ledger, clock: Clock, hook_id: str, *, by: str, owner: str | None = None) -> bool:
    """End a subscription, if it is there and `owner`'s (None: whose ever); `by` is the name of the key that asks."""
    statement = sa.delete(hook).where(hook.c.hook_id == hook_id)
    note = audit.book(ledger)
    with ledger.transaction() as connection:
        ended = connection.execute(statement if owner is None else statement.where(hook.c.owner == owner)).rowcount > 0
        if ended:
            note(connection, at=clock.now(), actor=f"key {by}", act="unsubscribed", subject=hook_id)
    return ended


def due(ledger: Ledger, clock: Clock) -> list[str]:
    """Subscriptions to look at now, the longest due first. Those whose owner has no live key are ended instead."""
    has_key = sa.exists().where(api_key.c.name == hook.c.owner, api_key.c.revoked_at.is_(None))
    orphans = sa.select(hook.c.hook_id).where(hook.c.state == "active", ~has_key)
    query = sa.select(hook.c.hook_id).where(hook.c.state == "active", has_key, hook.c.due_at <= clock.now())
    with ledger.read() as connection:
        lost = list(connection.scalars(orphans))
        found = list(connection.scalars(query.order_by(hook.c.due_at, hook.c.hook_id)))
    for hook_id in lost:
        _change(ledger, hook_id, {"state": "orphaned", "reason": "no live key has its owner's name any more"})
    return found


def parcel(ledger: Ledger, hook_id: str) -> Parcel | None:
    """The next page for a subscription; None where it is told everything, or has ended meanwhile."""
    with ledger.read() as connection:
        row = connection.execute(sa.select(hook).where(hook.c.hook_id == hook_id, hook.c.state == "active")).first()
    if row is None:
        return None
    with reading(ledger) as snapshot:
        place = of_text(json.dumps(row.place))
        newest, newest_at = snapshot.newest()
        records, further, sync_type = _next(snapshot, place, newest, row.entity)
    if not records:
        return None
    metadata = {"source": "golden", "sync_type": sync_type, "has_more": further.rank >= 0,
                "snapshot": str(further.snapshot)}  # fmt: skip
    page = Page(records, on_the_wire(newest_at), metadata, "")
    # The same bytes have the same id, so that a receiver may forget repeats; other bytes never share one.
    body = f'{{"type":"feed.page","timestamp":"{on_the_wire(newest_at)}","data":{page.as_text()}}}'
    message_id = "msg_" + hashlib.sha256(f"{hook_id} {body}".encode()).hexdigest()[:32]
    return Parcel(hook_id, row.url, row.secret, message_id, body, further)


def settle(ledger: Ledger, clock: Clock, sent: Parcel, *, status: int, retry_after_s: float | None = None) -> str:
    """Note what a receiver said (status NO_ANSWER: nothing); returns delivered, later, disabled or gone."""
    now = clock.now()
    if 200 <= status < 300:
        place = json.loads(sent.further.as_text())
        told = {"place": place, "failures": 0, "reason": None, "due_at": now, "delivered_at": now}
        _change(ledger, sent.hook_id, told)
        return "delivered"
    said = "no answer" if status == NO_ANSWER else f"status {status}"
    if status == GONE:
        _change(ledger, sent.hook_id, {"state": "gone", "reason": "the receiver said 410"})
        return "gone"
    failures = _failures(ledger, sent.hook_id) + 1
    if failures > len(BACK_OFF_S):
        reason = f"{failures} tries failed, the last: {said}"
        _change(ledger, sent.hook_id, {"state": "disabled", "failures": failures, "reason": reason})
        return "disabled"
    wait_s = max(BACK_OFF_S[failures - 1], min(retry_after_s or 0, BACK_OFF_S[-1]))
    due_at = now + timedelta(seconds=wait_s)
    _change(ledger, sent.hook_id, {"failures": failures, "reason": said, "due_at": due_at})
    return "later"


def tally(ledger: Ledger) -> dict[str, int]:
    """How many subscriptions are in each state."""
    with ledger.read() as connection:
        rows = connection.execute(sa.select(hook.c.state, sa.func.count()).group_by(hook.c.state))
        return {row[0]: row[1] for row in rows}


def _next(snapshot: Snapshot, place: Position, newest: int, entity: str | None) -> tuple[list[str], Position, str]:
    """The page behind `place`, the place behind that page, and what kind of walk it is of; a walk that has ended begins
    anew where it stopped."""
    if place.sync_type == "incremental" and place.start < snapshot.compacted():
        place = Position(start=0, snapshot=newest, sync_type="full_resync")  # nobody delivered for 90 days
    for _ in range(2):
        records, further = take(snapshot, place, limit=PAGE_ROWS, entity=entity)
        if further is not None:
            return records, further, place.sync_type
        ended = Position(start=place.snapshot, snapshot=newest)
        if records or newest == place.snapshot:
            return records, ended, place.sync_type
        place = ended
    return [], place, place.sync_type


def _failures(ledger: Ledger, hook_id: str) -> int:
    with ledger.read() as connection:
        return connection.scalar(sa.select(hook.c.failures).where(hook.c.hook_id == hook_id)) or 0


def _change(ledger: Ledger, hook_id: str, values: dict[str, Any]) -> None:
    with ledger.transaction() as connection:
        connection.execute(sa.update(hook).where(hook.c.hook_id == hook_id).values(values))
