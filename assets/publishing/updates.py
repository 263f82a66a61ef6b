"""Updates: gathered over a run, read afresh in groups, decided again, and sent in arrays.

Belongs here: the cheapest way to read what is about to be overwritten, and arrays of writes with one effect a record.
Does not: which records need an update (publisher.py), the decision (plan.py), halving a refused array
(sources/halopsa/client.py), creates, which leave one by one since a lost one could double.
Surprise: nothing is written on what the mirror says. A page of a list shows a hundred records as they are for one
request, so where many change a list is walked and each page is written before the next is read; a record that the list
shows too thinly is read alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sources.halopsa import fields as halo_fields
from sources.halopsa.settings import BATCH_ROWS_MAX, PAGE_ROWS, Resource

from assets.publishing import crosswalk, linking, mapping, mirror, overwritten, plan, reasons
from assets.publishing.crosswalk import Link
from assets.publishing.effects import Draft, Sent
from assets.publishing.heads import Head
from assets.publishing.ledger import chunked
from assets.publishing.merge import Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.outbox import Verdict
from assets.publishing.session import Session, verdict_of

GATHERED_MAX = 20_000  # bounds memory; a walk for each so many records is cheap beside writing them
READ_AGE_S_MAX = 60.0  # a read older than this, after a back-off, is read again before the write
_CALLS_A_PAGE = 1 + math.ceil(PAGE_ROWS / BATCH_ROWS_MAX) + 1  # the page, its arrays, what was left of the page before


@dataclass(frozen=True)
class Change:
    """A HaloPSA record that seems to need an update; `wanted` in neutral fields."""

    head: Head
    link: Link
    wanted: Mapping[str, Value]
    is_held: bool = False  # for another of its records; this one is kept current all the same


@dataclass(frozen=True)
class _Read:
    """A change with what HaloPSA shows just now; `now` None where the record is gone."""

    change: Change
    payload: Mapping[str, Any]
    now: HaloRecord | None
    decision: plan.Decision
    at_s: float


def send_gathered(session: Session, gathered: Mapping[str, Sequence[Change]]) -> None:
    """Send all changes, clients before their sites, and settle each golden record after the last of its records.

    Raises:
        VendorError, Stopped: what was not sent stays in the outbox.
    """
    left = Counter(change.head.golden_id for changes in gathered.values() for change in changes)
    failed: set[str] = set()
    held = {change.head.golden_id for changes in gathered.values() for change in changes if change.is_held}
    for resource in mapping.FIELDS:
        changes = [change for change in gathered.get(resource, ()) if change.head.golden_id not in failed]
        for verdicts in _send(session, resource, changes):
            bad = {name for name, verdict in verdicts.items() if verdict.state != "published"}
            failed |= bad
            left.subtract(verdicts.keys() - bad)
            over = {name for name in verdicts.keys() - bad - held if left[name] == 0}
            session.settle({name: verdicts[name] for name in bad | over})


def send_drafts(session: Session, drafts: Sequence[Draft]) -> dict[str, Verdict]:
    """Send updates that need no fresh read, in arrays; only what was not applied has a verdict. A record that failed
    before goes alone: one that HaloPSA dies of must not take the others of its array along.

    Raises:
        Stopped: `drafts` beyond the array that met the brakes never became durable, and wait.
    """
    verdicts: dict[str, Verdict] = {}
    admitted = session.admitted(list(drafts), verdicts)
    suspects = [[draft] for draft in admitted if draft.golden_id in session.suspects]
    others = [draft for draft in admitted if draft.golden_id not in session.suspects]
    for some in (*suspects, *chunked(others, BATCH_ROWS_MAX)):
        session.check_brakes()
        ids = session.log.begin(some)
        session.log.before_bytes_leave()
        outcomes = session.halo.update_many(
            cast(Resource, some[0].resource), [(_halo_id(draft), draft.body) for draft in some]
        )
        session.reach("after_reply")
        sent = [
            Sent(effect_id, draft, outcome, mirror.acked_record(draft.resource, outcome))
            for effect_id, draft, outcome in zip(ids, some, outcomes, strict=True)
        ]
        session.note_sent(sent)
        session.log.settle(sent)
        overwritten.note_crossings(session, sent)
        verdicts |= {one.draft.golden_id: verdict for one in sent if (verdict := verdict_of(one)) is not None}
    return verdicts


def _send(session: Session, resource: str, changes: Sequence[Change]) -> Iterator[dict[str, Verdict]]:
    """Verdicts as they fall, `published` included."""
    batch: list[_Read] = []
    for read in _read(session, resource, changes):
        batch.append(read)
        if len(batch) == BATCH_ROWS_MAX:
            batch, full = [], batch
            yield _write(session, full)
    if batch:
        yield _write(session, batch)


def _write(session: Session, batch: Sequence[_Read]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    drafts: list[Draft] = []
    agreed: list[Link] = []
    seen: list[HaloRecord] = []
    for read in (_fresh_enough(session, one) for one in batch):
        head, decision = read.change.head, read.decision
        verdicts[head.golden_id] = Verdict(head.version, "published")
        if isinstance(decision, plan.Update):
            session.result.conflicts += len(decision.merge.conflicts)
            drafts.append(draft_of(session, head, _link(read), decision, read.now, read.payload))
        elif isinstance(decision, plan.Hold):
            verdicts[head.golden_id] = Verdict(head.version, "held", decision.reason)
        elif isinstance(decision, plan.Nothing) and read.now is not None:
            agreed.append(linking.with_agreed(_link(read), decision.agreed))
            seen.append(read.now)
    if agreed:
        with session.ledger.transaction() as connection:
            crosswalk.save(connection, agreed, session.clock.now())
            mirror.note(connection, seen, session.clock.now())
    return verdicts | send_drafts(session, drafts)


def draft_of(
    session: Session,
    head: Head,
    link: Link,
    decision: plan.Update,
    now: HaloRecord | None,
    payload: Mapping[str, Any],
) -> Draft:
    """The write that an update comes to; `payload` is the fresh read that arrays and addresses are completed from."""
    stamp_field = session.stamp_field(link.resource) if decision.stamp else None
    return Draft(
        golden_id=head.golden_id,
        entity=head.entity,
        version=head.version,
        resource=link.resource,
        operation="update",
        values=decision.merge.writes,
        body=plan.body_of_update(link.resource, decision, head.golden_id, stamp_field, payload),
        link=link,
        now=now,
        agreed=decision.merge.agreed,
        is_stamping=decision.stamp,
        base=mapping.replaced(link.resource, decision.merge.writes, {} if now is None else now.fields),
    )


# -- reading ------------------------------------------------------------------------------------------------------


def _read(session: Session, resource: str, changes: Sequence[Change]) -> Iterator[_Read]:
    """Every change with a fresh read, lists first. Before a page is read there is room for the writes it leads to, so
    that the rate limit never parks us between the read and the write."""
    waiting = {change.link.halo_id: change for change in changes}
    for filters in _lists(session, resource, changes):
        session.halo.make_room(_CALLS_A_PAGE)
        for page in session.halo.walk(cast(Resource, resource), **filters):
            session.check_brakes()
            shown_at_s = session.clock.time()  # its last rows are judged after the arrays of its first have left
            fits = 0
            rows = _wanted_rows(page, waiting)
            for halo_id, row in rows.items():
                read = _judged(session, waiting[halo_id], row, shown_at_s, is_whole=False)
                if read is not None:
                    fits += 1
                    del waiting[halo_id]
                    yield read
            if not waiting or (rows and not fits):
                break  # all is read, or lists of this tenant show too little
            session.halo.make_room(_CALLS_A_PAGE)
    for some in chunked(list(waiting.values()), BATCH_ROWS_MAX):
        session.check_brakes()
        session.halo.make_room(len(some) + 2)
        yield from (_alone(session, change) for change in some)


def _alone(session: Session, change: Change) -> _Read:
    payload = session.halo.get(cast(Resource, change.link.resource), change.link.halo_id)
    read = _judged(session, change, payload or {}, session.clock.time(), is_whole=True)
    assert read is not None, "a whole record always suffices"
    return read


def _lists(session: Session, resource: str, changes: Sequence[Change]) -> list[dict[str, int]]:
    """Filters of the lists that are cheaper than reading each record alone: the whole one, or those of some clients."""
    listable = [change for change in changes if not _needs_detail(session, change)]
    with session.ledger.read() as connection:
        pages_of_all = math.ceil((mirror.count(connection, resource) + 1) / PAGE_ROWS)
        users = (
            mirror.by_ids(connection, resource, [change.link.halo_id for change in listable])
            if resource == mapping.USER and len(listable) > 1
            else {}
        )
        wanted = Counter(user.client_id for user in users.values() if user.client_id is not None)
        clients = [client for client, count in wanted.items() if count > 1]
        on_client = mirror.counts_by_client(connection, resource, clients)
    pages = {client: math.ceil(on_client[client] / PAGE_ROWS) for client in clients}
    worth = {client: cost for client, cost in pages.items() if cost < wanted[client]}
    alone = len(listable) - sum(wanted[client] for client in worth)
    if pages_of_all < sum(worth.values()) + alone:
        return [{}]
    return [{"client_id": client} for client in sorted(worth)]


def _needs_detail(session: Session, change: Change) -> bool:
    """Whether only a detail read will do: custom fields go out as a whole array, and only details carry a stamp."""
    link = change.link
    can_stamp = session.stamp_field(link.resource) is not None
    if (can_stamp and not link.is_stamped) or link.is_retired_by_us:
        return True
    return "newest" in session.rules.owners_of(link.resource).values()


def _wanted_rows(page: Iterable[Any], waiting: Mapping[int, Change]) -> dict[int, Mapping[str, Any]]:
    found = {halo_fields.as_id(row.get("id")): row for row in page if isinstance(row, Mapping)}
    return {halo_id: row for halo_id, row in found.items() if halo_id is not None and halo_id in waiting}


def _judged(
    session: Session, change: Change, payload: Mapping[str, Any], at_s: float, *, is_whole: bool
) -> _Read | None:
    """The decision on a read of `at_s`; None where it rests on a field that a thin row does not show."""
    head, link = change.head, change.link
    now = mirror.whole(link.resource, payload) if is_whole else mirror.read_payload(link.resource, payload)
    if now is None:
        return _Read(change, payload, None, plan.Hold(reasons.GONE), at_s)
    if now.faults:
        return _Read(change, payload, now, plan.Hold(reasons.unusable(link.resource, link.halo_id, now.faults)), at_s)
    read = _Read(change, payload, now, plan.Nothing({}), at_s)
    changed_at = halo_fields.updated_at(payload)
    decision = plan.decide(
        link.resource,
        change.wanted,
        _link(read),
        now,
        session.rules.owners_of(link.resource),
        can_stamp=session.stamp_field(link.resource) is not None,
        is_newer=changed_at is not None and head.updated_at > changed_at,
    )
    if not is_whole and isinstance(decision, plan.Update):
        needed = set(decision.merge.writes)
        for group in mapping.GROUPS[link.resource]:
            needed |= group if needed & group else frozenset()
        if decision.stamp or decision.reactivate or not needed <= now.fields.keys():
            return None
    return replace(read, decision=decision)


def _link(read: _Read) -> Link:
    """The link with what the record itself says about our stamp."""
    link = read.change.link
    is_ours = read.now is not None and read.now.golden_id == read.change.head.golden_id
    return replace(link, is_stamped=True) if is_ours else link


def _fresh_enough(session: Session, read: _Read) -> _Read:
    is_stale = session.clock.time() - read.at_s > READ_AGE_S_MAX
    return _alone(session, read.change) if is_stale and isinstance(read.decision, plan.Update) else read


def _halo_id(draft: Draft) -> int:
    assert draft.link is not None, "an update has a link"
    return draft.link.halo_id
