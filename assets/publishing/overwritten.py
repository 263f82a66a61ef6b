"""Edits that a write of ours went over: a person saved the same field between our last read and our write.

Belongs here: finding them, in HaloPSA's change log or by what a reply shows. Does not: reading the log
(sources/halopsa/audit.py), giving a value back (restoring.py).
Surprise: the log says what our write replaced, and the effect what we had read; where the two differ, somebody was in
between. Values decide, not the log's spelling of a field, which no public source tells. Without the log only a trace is
left: a reply that shows another field changed since our read, because people save whole forms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sources.halopsa.audit import AuditEntry, Trail
from sources.halopsa.fields import as_text

from assets.publishing import crosswalk, mapping, mirror, work
from assets.publishing.effects import Sent
from assets.publishing.ledger import upsert
from assets.publishing.merge import Value
from assets.publishing.session import Session
from assets.publishing.tables import effect, mark
from assets.publishing.work import Item

KIND, TRACE = "overwritten", "crossed"
SKEW = timedelta(minutes=5)  # between HaloPSA's clock and ours
AGE_MAX = timedelta(days=30)  # a write older than this is not looked behind: the log of a busy tenant would be endless
_Record = tuple[str, int]  # resource and id in HaloPSA
_CHECKED = "audited_effect"  # a mark: the newest effect that was checked


@dataclass(frozen=True)
class Write:
    """One update that HaloPSA applied. `sent`: all that it replaced, by field; `base`: what was read there before."""

    effect_id: int
    golden_id: str
    resource: str
    halo_id: int
    sent: dict[str, Value]
    base: dict[str, Value]
    sent_at: datetime
    settled_at: datetime


@dataclass(frozen=True)
class Overwritten:
    """A person's value that our write replaced. `is_sure`: the log leaves no doubt which field it was."""

    write: Write
    field: str
    theirs: Value
    by: str | None
    at: datetime | None
    is_sure: bool

    @property
    def item(self) -> Item:
        detail = {
            "theirs": self.theirs,
            "ours": self.write.sent[self.field],
            "read": self.write.base.get(self.field),
            "by": self.by,
            "at": None if self.at is None else self.at.isoformat(),
            "effect_id": self.write.effect_id,
            "is_sure": self.is_sure,
        }
        return Item(
            KIND, self.write.golden_id, self.write.resource, self.write.halo_id, field=self.field, detail=detail
        )


@dataclass
class Checked:
    """The writes since the last check, and what HaloPSA's log says of their records; `trail` None: nothing to ask."""

    writes: list[Write] = field(default_factory=list)
    trail: Trail | None = None

    @property
    def is_certain(self) -> bool:
        """Whether every one of the writes could be judged."""
        return self.trail is None or (self.trail.is_readable and self.trail.is_whole)

    @property
    def problem(self) -> str | None:
        if self.trail is None or not self.trail.is_readable or self.trail.is_whole:
            return None
        back_to = f"{self.trail.read_back_to:%Y-%m-%d %H:%M} UTC" if self.trail.read_back_to else "nothing"
        return (
            f"HaloPSA's change log was read back to {back_to} in {self.trail.requests} requests, the most one "
            "reconciliation asks: people's edits that older writes of ours went over were not looked for. Reconcile "
            "more often."
        )


def check(session: Session) -> Checked:
    """Ask HaloPSA's log about every write since the last check; no request where there was none.

    Raises:
        VendorError: it could not be read.
    """
    with session.ledger.read() as connection:
        writes = list(_unchecked(connection, session.clock.now() - AGE_MAX))
    if not writes:
        return Checked()
    wanted: dict[str, set[int]] = defaultdict(set)
    for write in writes:
        wanted[write.resource].add(write.halo_id)
    since = min(write.sent_at for write in writes) - SKEW
    return Checked(writes, session.halo.changes_since(since, wanted))


def items(connection: sa.Connection, checked: Checked) -> Iterator[Item]:
    """What the work list should hold: edits found now, and those found before for as long as our value still stands."""
    found = {one.item: one.item for one in found_in(checked)}
    known = {item: item for item in work.live(connection, (KIND,))}
    yield from (item for item in {**known, **found}.values() if _still_stands(connection, item))
    if not checked.is_certain:
        yield from work.live(connection, (TRACE,))


def note_checked(connection: sa.Connection, checked: Checked) -> None:
    """Never look behind the same write twice; where the log cannot be read they wait until it can."""
    if checked.writes and checked.trail is not None and checked.trail.is_readable:
        upsert(connection, mark, [{"name": _CHECKED, "value": max(write.effect_id for write in checked.writes)}])


def found_in(checked: Checked) -> list[Overwritten]:
    """Every edit that one of the writes went over, by the log. Pure."""
    if checked.trail is None:
        return []
    entries: dict[_Record, list[AuditEntry]] = defaultdict(list)
    for entry in checked.trail.entries:
        entries[entry.resource, entry.halo_id].append(entry)
    writes: dict[_Record, list[Write]] = defaultdict(list)
    for write in checked.writes:
        writes[write.resource, write.halo_id].append(write)
    return [
        one for record, ours in writes.items() for one in _behind(ours, entries[record], checked.trail.own_agent_id)
    ]


def note_crossings(session: Session, sent: Sequence[Sent]) -> None:
    """List the updates whose reply shows that somebody saved the record after our read. Until the log has told more,
    that is all there is."""
    found = [
        Item(TRACE, one.draft.golden_id, one.draft.resource, one.record.halo_id, detail={"changed": changed})
        for one in sent
        if one.record is not None and (changed := _changed_beside(one))
    ]
    if found:
        with session.ledger.transaction() as connection:
            work.add(connection, found, at=session.clock.now(), run_id=session.log.run_id)


def _changed_beside(one: Sent) -> list[str]:
    draft, record = one.draft, one.record
    if draft.now is None or record is None or draft.operation == "create":
        return []
    others = [name for name in mapping.FIELDS[draft.resource] if name not in draft.values and name not in draft.base]
    return [
        name
        for name in others
        if name in draft.now.fields and name in record.fields and _differ(draft.now.fields[name], record.fields[name])
    ]


def _behind(writes: Sequence[Write], entries: Sequence[AuditEntry], own_agent_id: int | None) -> Iterator[Overwritten]:
    """What the writes to one record replaced that was not what we had read."""
    own = [entry for entry in entries if own_agent_id is None or entry.agent_id in (None, own_agent_id)]
    of_write = _apportioned(writes, own)
    for place, write in enumerate(writes):
        taken: set[str] = set()
        odd = []
        # First what needs no explanation, so that of two fields with one value the right one is left over.
        for entry in of_write[place]:
            plain = [
                name
                for name in _told_of(entry, write)
                if name not in taken and not _differ(entry.before, write.base.get(name))
            ]
            taken |= set(plain[:1])
            odd += [] if plain else [entry]
        for entry in odd:
            left = [name for name in _told_of(entry, write) if name not in taken]
            if left:
                taken.add(left[0])
                yield _told(write, left[0], entry, entries, is_sure=_is_alone(entry, write, left[0], writes))


def _apportioned(writes: Sequence[Write], own: Sequence[AuditEntry]) -> list[list[AuditEntry]]:
    """By write, the entries that tell of it. Both are in order: an entry is of the first write that still lacks it."""
    found: list[list[AuditEntry]] = [[] for _ in writes]
    taken: set[tuple[int, str]] = set()
    first = 0
    for entry in own:
        for place in range(first, len(writes)):
            free = [name for name in _told_of(entry, writes[place]) if (place, name) not in taken]
            if free:
                taken.add((place, free[0]))
                found[place].append(entry)
                first = place
                break
    return found


def _is_alone(entry: AuditEntry, write: Write, name: str, writes: Sequence[Write]) -> bool:
    """Whether no other field, of this write or one beside it, could as well be the one that an entry tells of."""
    base = write.base.get(name)
    return not any(
        one != name and not _differ(other.base.get(one), base) for other in writes for one in _told_of(entry, other)
    )


def _told(write: Write, name: str, ours: AuditEntry, entries: Sequence[AuditEntry], *, is_sure: bool) -> Overwritten:
    """What `ours` replaced, with whoever had put it there."""
    before = [entry for entry in entries if entry.entry_id < ours.entry_id and entry.field in (None, ours.field)]
    editor = next((entry for entry in reversed(before) if not _differ(entry.after, ours.before)), None)
    by, at = (None, None) if editor is None else (editor.by, editor.at)
    return Overwritten(write, name, ours.before, by, at, is_sure)


def _told_of(entry: AuditEntry, write: Write) -> list[str]:
    """The fields whose write by us an entry may be; HaloPSA may have cut the value."""
    if not write.sent_at - SKEW <= entry.at <= write.settled_at + SKEW:
        return []
    sent = {name: as_text(value) for name, value in write.sent.items() if entry.field in (None, name)}
    whole = [name for name, ours in sent.items() if ours == entry.after]
    return whole or [name for name, ours in sent.items() if entry.after and ours and ours.startswith(entry.after)]


def _still_stands(connection: sa.Connection, item: Item) -> bool:
    """Whether HaloPSA still holds our value there; once a person has typed again it is settled."""
    assert item.golden_id is not None, "an overwritten edit is about a golden record"
    assert item.field is not None, "an overwritten edit is about a field"
    link = crosswalk.by_ids(connection, item.resource, [item.golden_id]).get(item.golden_id)
    record = mirror.by_ids(connection, item.resource, [item.halo_id]).get(item.halo_id)
    if link is None or link.halo_id != item.halo_id or record is None:
        return False
    if item.field not in record.fields:
        return True
    now = record.fields[item.field]
    ours = [item.detail["ours"], *([link.published[item.field].held] if item.field in link.published else [])]
    return _differ(now, item.detail["theirs"]) and any(not _differ(now, value) for value in ours)


def _unchecked(connection: sa.Connection, since: datetime) -> Iterator[Write]:
    checked = connection.scalar(sa.select(mark.c.value).where(mark.c.name == _CHECKED)) or 0
    query = (
        sa.select(effect)
        .where(
            effect.c.effect_id > checked,
            effect.c.state == "acked",
            effect.c.base.is_not(None),
            effect.c.sent_at >= since,
        )
        .order_by(effect.c.effect_id)
    )
    for row in connection.execute(query):
        base: dict[str, Value] = row.base
        sent: Mapping[str, Any] = {**base, **row.fields}
        yield Write(
            row.effect_id, row.golden_id, row.resource, row.halo_id, dict(sent), base, row.sent_at, row.settled_at
        )


def _differ(one: Value, other: Value) -> bool:
    return as_text(one) != as_text(other)
