"""Reconciliation: all of HaloPSA read and compared with the ledger, what is wrong named and repaired by rule.

Belongs here: the walk, what each difference means, the repairs. Does not: the list a person works on (work.py), writing
to HaloPSA: what a repair finds undone is planned afresh by the next publishing.
Surprise: nothing is ever deleted, and one vanished write proves little. A person may have deleted a record or set a
value back. Only when everything we did since some moment is gone, and nothing we did later is left, was HaloPSA
restored from a backup; then all of it is planned again. Where only records of ours are missing a person may have
deleted them, so that is done only when somebody says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sources.clock import Clock
from sources.halopsa.settings import Resource

from assets.publishing import crosswalk, mapping, mirror, outbox, overwritten, recover, work
from assets.publishing.crosswalk import Link
from assets.publishing.effects import EffectLog
from assets.publishing.halo import Halo
from assets.publishing.ledger import IDS_PER_QUERY, Ledger, chunked
from assets.publishing.merge import Published, Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.publisher import LEASE, MUST_RECONCILE
from assets.publishing.rules import Rules, demo_rules
from assets.publishing.session import Session
from assets.publishing.tables import effect, head, mark
from assets.publishing.work import Item

KINDS = ("orphan", "double", "gone", "lost_write", "human_edit", "overwritten", "crossed", "unusable")
ASKED_MAX = 100
RESTORED_MIN = 5  # so many of our newest writes must be gone, and none of them left, before we speak of a restore


@dataclass
class Findings:
    """What the walk found (`found`, by kind of work.REMEDIES), what was repaired, and what is open now."""

    records: dict[str, int] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)
    is_restored: bool = False
    relinked: int = 0
    replanned: int = 0
    opened: int = 0
    closed: int = 0
    writes_checked: int = 0  # against HaloPSA's change log
    log_requests: int = 0
    is_log_readable: bool = True
    problems: list[str] = field(default_factory=list)

    @property
    def for_a_person(self) -> int:
        return sum(count for kind, count in self.found.items() if kind not in work.FOR_INFORMATION)


@dataclass(frozen=True)
class _Sent:
    """What we last wrote to a record, and all values we ever wrote before that, by field."""

    at: datetime
    values: dict[str, Value]
    older: dict[str, set[Value]]


@dataclass(frozen=True)
class _Drift:
    """A linked record against what we published there."""

    link: Link
    now: HaloRecord | None
    sent: _Sent | None
    differing: dict[str, Value]  # field -> what HaloPSA shows

    @property
    def set_back(self) -> dict[str, Value]:
        """Fields that show a value of ours from before our last write."""
        if self.sent is None:
            return {}
        return {name: value for name, value in self.differing.items() if value in self.sent.older.get(name, ())}

    @property
    def is_lost(self) -> bool:
        """Whether our last write has left no trace."""
        if self.sent is None:
            return False
        if self.now is None:
            return self.link.origin == "created"
        return bool(self.sent.values) and all(name in self.set_back for name in self.sent.values)

    @property
    def is_kept(self) -> bool:
        """Whether at least a part of our last write is still there."""
        return self.now is not None and self.sent is not None and not self.is_lost


def reconcile(
    ledger: Ledger, clock: Clock, halo: Halo, *, run_id: str, rules: Rules | None = None, halo_restored: bool = False
) -> Findings:
    """Walk HaloPSA whole, compare, repair. `halo_restored`: a person says that it was restored from a backup.

    Raises:
        LedgerBusy: a run is publishing.
        VendorError: HaloPSA could not be read to its end; nothing was changed.
    """
    findings = Findings()
    with ledger.lease(LEASE) as lease:
        session = Session(
            ledger=ledger,
            clock=clock,
            halo=halo,
            log=EffectLog(ledger, clock, halo, lease, run_id, lambda failpoint: None),
            reach=lambda failpoint: None,
            progress=lambda label, done, total: None,
            deadline_at=None,
            rules=rules or demo_rules(),
        )
        recover.clear_up(session)
        read = {resource: mirror.read_all(resource, halo.rows(cast(Resource, resource))) for resource in mapping.FIELDS}
        findings.records = mirror.put(ledger, clock, read)
        unusable = [record for records in read.values() for record in records if record.faults]
        del read
        _read_missing(session)
        checked = overwritten.check(session)
        with ledger.transaction() as connection:
            items = list(_compared(connection, session, findings, halo_restored=halo_restored))
            items += overwritten.items(connection, checked)
            items += _unusable(connection, unusable)
            findings.found = Counter(item.kind for item in items)
            moved = work.renew(connection, KINDS, items, at=clock.now(), run_id=run_id)
            merges = work.renew_merges(connection, at=clock.now(), run_id=run_id)
            findings.opened, findings.closed = moved.opened + merges.opened, moved.closed + merges.closed
            overwritten.note_checked(connection, checked)
            connection.execute(sa.delete(mark).where(mark.c.name == MUST_RECONCILE))
        _tell(findings, checked)
    return findings


def _tell(findings: Findings, checked: overwritten.Checked) -> None:
    if checked.trail is not None:
        findings.writes_checked = len(checked.writes)
        findings.log_requests, findings.is_log_readable = checked.trail.requests, checked.trail.is_readable
    if checked.problem:
        findings.problems.append(checked.problem)


def refresh(ledger: Ledger, clock: Clock, halo: Halo, resource: Resource, halo_id: int) -> HaloRecord | None:
    """Read one record anew into the mirror, as a hint from outside asks for; None where it is gone.

    Raises:
        VendorError: HaloPSA could not tell.
    """
    record = mirror.whole(resource, halo.get(resource, halo_id) or {})
    with ledger.transaction() as connection:
        if record is None:
            mirror.forget(connection, resource, [halo_id])
        else:
            mirror.note(connection, [record], clock.now())
    return record


def _compared(
    connection: sa.Connection, session: Session, findings: Findings, *, halo_restored: bool
) -> Iterator[Item]:
    """Every difference as an item; repairs are made on the way."""
    drifts: list[_Drift] = []
    for resource in mapping.FIELDS:
        records = {record.halo_id: record for record in mirror.every(connection, resource)}
        yield from _stamps(connection, session, resource, records, findings)
        drifts += _drifts(connection, resource, records)
    looks_restored = _looks_restored(drifts)
    has_update = any(drift.is_lost and drift.now is not None for drift in drifts)
    findings.is_restored = halo_restored or (looks_restored and has_update)
    if looks_restored and not findings.is_restored:
        findings.problems.append(
            "All records that we made last are gone from HaloPSA. If it was restored from a backup, plan them again: "
            "halosync reconcile --halo-restored. If people deleted them, leave them out of the audience."
        )
    replanned: set[str] = set()
    for drift in drifts:
        if findings.is_restored and drift.is_lost:
            _plan_again(connection, session, drift)
            replanned.add(drift.link.golden_id)
        elif drift.now is None:
            yield Item("gone", drift.link.golden_id, drift.link.resource, drift.link.halo_id)
        else:
            yield from _edits(drift)
    findings.replanned = len(replanned)
    outbox.plan_again(connection, replanned)


def _stamps(
    connection: sa.Connection, session: Session, resource: str, records: dict[int, HaloRecord], findings: Findings
) -> Iterator[Item]:
    """Orphans and doubles; a record that bears the id of a golden record without a link is linked to it again."""
    owners = crosswalk.owners(connection, resource)
    linked = {golden_id: halo_id for halo_id, golden_id in owners.items()}
    stamped: dict[str, list[int]] = defaultdict(list)
    for record in records.values():
        if record.golden_id is not None and not record.is_inactive:
            stamped[record.golden_id].append(record.halo_id)
    known = _live(connection, sorted(stamped))
    links = []
    for golden_id, halo_ids in sorted(stamped.items()):
        if len(halo_ids) > 1:
            first = linked.get(golden_id, halo_ids[0])
            others = [halo_id for halo_id in halo_ids if halo_id != first]
            yield from (Item("double", golden_id, resource, first, other) for other in others)
        elif golden_id not in known and halo_ids[0] not in owners:
            yield Item("orphan", golden_id, resource, halo_ids[0])
        elif golden_id in known and golden_id not in linked and halo_ids[0] not in owners:
            links.append(Link(golden_id, resource, halo_ids[0], origin="golden_id", is_stamped=True))
    crosswalk.save(connection, links, session.clock.now())
    findings.relinked += len(links)
    outbox.plan_again(connection, {link.golden_id for link in links})


def _read_missing(session: Session) -> None:
    """Ask for linked records that the lists did not show: made while we walked, or hidden by a list. Some, for where
    very many are missing the lists are right."""
    with session.ledger.read() as connection:
        missing = [
            link
            for resource in mapping.FIELDS
            for link in crosswalk.every(connection, resource)
            if not mirror.by_ids(connection, resource, [link.halo_id])
        ]
    for link in missing[:ASKED_MAX]:
        refresh(session.ledger, session.clock, session.halo, cast(Resource, link.resource), link.halo_id)


def _drifts(connection: sa.Connection, resource: str, records: dict[int, HaloRecord]) -> Iterator[_Drift]:
    sent = _sent(connection, resource)
    for link in crosswalk.every(connection, resource):
        now = records.get(link.halo_id)
        differing: dict[str, Value] = {}
        if now is not None:
            differing = {
                name: now.fields[name]
                for name, published in link.published.items()
                if name in now.fields and (now.fields[name] or None) != (published.held or None)
            }
        yield _Drift(link, now, sent.get(link.golden_id), differing)


def _edits(drift: _Drift) -> Iterator[Item]:
    for name, value in drift.differing.items():
        kind = "lost_write" if name in drift.set_back else "human_edit"
        detail = {"published": drift.link.published[name].held, "halo": value}
        yield Item(kind, drift.link.golden_id, drift.link.resource, drift.link.halo_id, field=name, detail=detail)


def _unusable(connection: sa.Connection, records: list[HaloRecord]) -> Iterator[Item]:
    """Records with a value that cannot be read whole, by the golden record that they are or bear the id of."""
    for resource in mapping.FIELDS:
        owners = crosswalk.owners(connection, resource)
        for record in (record for record in records if record.resource == resource):
            owner = owners.get(record.halo_id, record.golden_id)
            for name, fault in record.faults.items():
                yield Item("unusable", owner, resource, record.halo_id, field=name, detail={"fault": fault})


def _looks_restored(drifts: list[_Drift]) -> bool:
    """Whether all that we wrote since some moment has left no trace, and nothing later is there."""
    lost = [drift.sent.at for drift in drifts if drift.is_lost and drift.sent is not None]
    kept = [drift.sent.at for drift in drifts if drift.is_kept and drift.sent is not None]
    return len(lost) >= RESTORED_MIN and max(kept, default=min(lost)) <= min(lost)


def _plan_again(connection: sa.Connection, session: Session, drift: _Drift) -> None:
    """Make the ledger believe what HaloPSA shows, so that the next plan holds all that is missing there."""
    link = drift.link
    if drift.now is None:
        crosswalk.forget(connection, link.golden_id, link.resource)
        return
    shown = {name: Published(value, value) for name, value in drift.set_back.items()}
    published = {name: was for name, was in {**link.published, **shown}.items() if was.held is not None}
    is_stamped = drift.now.golden_id == link.golden_id
    fresh = Link(link.golden_id, link.resource, link.halo_id, link.origin, published, link.is_retired_by_us, is_stamped)
    crosswalk.save(connection, [fresh], session.clock.now())


def _live(connection: sa.Connection, golden_ids: list[str]) -> set[str]:
    found: set[str] = set()
    for some in chunked(golden_ids, IDS_PER_QUERY):
        found |= set(connection.scalars(sa.select(head.c.golden_id).where(head.c.golden_id.in_(some), head.c.is_live)))
    return found


def _sent(connection: sa.Connection, resource: str) -> dict[str, _Sent]:
    """golden id -> its last applied write with values, and what went before; before our first write it was blank."""
    query = (
        sa.select(effect.c.golden_id, effect.c.operation, effect.c.fields, effect.c.settled_at)
        .where(effect.c.resource == resource, effect.c.state == "acked", effect.c.operation != "restore")
        .order_by(effect.c.effect_id)
    )
    found: dict[str, _Sent] = {}
    for row in connection.execute(query):
        values: dict[str, Any] = row.fields
        if not values:
            continue
        before = found.get(row.golden_id)
        older: dict[str, set[Value]] = {name: set(known) for name, known in before.older.items()} if before else {}
        for name, value in before.values.items() if before else ():
            older.setdefault(name, {None}).add(value)
        for name in values:
            older.setdefault(name, {None})
        found[row.golden_id] = _Sent(row.settled_at, values, older)
    return found
