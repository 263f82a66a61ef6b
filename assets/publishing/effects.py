"""The effect protocol: a write to HaloPSA is durable as `sending` before its bytes leave, then settled by the answer.

Belongs here: the rows of `effect`, and what an outcome does to crosswalk and mirror, in one transaction.
Does not: what to write (plan.py), in which order (publisher.py), solving `unknown` (recover.py).
Surprise: `absent` is an outcome too: proven not to be in Halo, so that the record may be planned afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import sqlalchemy as sa
from sources.clock import Clock
from sources.halopsa.settings import Resource

from assets.publishing import chain, crosswalk, mapping, mirror
from assets.publishing.crosswalk import Link
from assets.publishing.halo import Halo, WriteOutcome
from assets.publishing.ledger import Lease, Ledger, LedgerBusy, insert_one
from assets.publishing.merge import Published, Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.tables import effect, mark

# Every boundary at which the process may die; the tests stop there, one after the other.
FAILPOINTS = (
    "before_sending",
    "after_sending",
    "before_bytes_leave",
    "after_reply",
    "after_settled",
    "before_verdicts",
    "after_verdicts",
)


@dataclass(frozen=True)
class Draft:
    """One write that is about to happen. `values` are neutral fields, `body` is what Halo is sent."""

    golden_id: str
    entity: str
    version: int
    resource: str
    operation: str  # create, update, deactivate, or restore: a person's value put back
    values: dict[str, Value]
    body: dict[str, Any]
    link: Link | None = None  # as it is before the write; None for a create
    now: HaloRecord | None = None  # what Halo held just before
    agreed: dict[str, Value] = field(default_factory=dict)
    is_stamping: bool = False
    base: dict[str, Value] = field(default_factory=dict)  # what was read just before, of all that the body replaces


@dataclass(frozen=True)
class Sent:
    """A draft that left, and what came back; `record` is set where Halo showed what it holds now."""

    effect_id: int
    draft: Draft
    outcome: WriteOutcome
    record: HaloRecord | None

    @property
    def is_acked(self) -> bool:
        return self.record is not None


@dataclass(frozen=True)
class Open:
    """A row of `effect` that has no outcome yet."""

    effect_id: int
    golden_id: str
    entity: str
    version: int
    resource: str
    operation: str
    halo_id: int | None
    values: dict[str, Value]


class EffectLog:
    """Sends drafts for one run under one lease."""

    def __init__(
        self, ledger: Ledger, clock: Clock, halo: Halo, lease: Lease, run_id: str, reach: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._halo = halo
        self._lease = lease
        self._run_id = run_id
        self._reach = reach
        self._chain_key = chain.key_of(ledger)

    @property
    def run_id(self) -> str:
        return self._run_id

    def begin(self, drafts: Sequence[Draft]) -> list[int]:
        """Make `drafts` durable as `sending`, in one commit; the ids come in the order given."""
        self._reach("before_sending")
        with self._ledger.transaction() as connection:
            self._check_fence(connection)
            ids = [self._insert(connection, draft) for draft in drafts]
            self._seal(connection, ids)
        self._reach("after_sending")
        return ids

    def send(self, effect_id: int, draft: Draft) -> Sent:
        """Send one draft that `begin` made durable. The outcome is not durable until `settle`: a death in between is
        cleared up by looking, like any lost answer.

        Raises:
            LedgerBusy: a newer run has taken over while this one slept; nothing left.
        """
        self.before_bytes_leave()
        resource = cast(Resource, draft.resource)
        if draft.link is None:
            outcome = self._halo.create(resource, draft.body)
        else:
            outcome = self._halo.update(resource, draft.link.halo_id, draft.body)
        self._reach("after_reply")
        record = mirror.read_payload(draft.resource, outcome.record or {}) if outcome.kind == "acked" else None
        return Sent(effect_id, draft, outcome, record)

    def before_bytes_leave(self) -> None:
        """The last moment at which a run may learn that another has taken over.

        Raises:
            LedgerBusy: a newer run has taken over while this one slept; nothing left.
        """
        self._reach("before_bytes_leave")
        with self._ledger.read() as connection:
            self._check_fence(connection)

    def settle(self, sent: Sequence[Sent], unsent: Sequence[int] = ()) -> None:
        """Make outcomes durable in one commit, with the links and mirror rows they imply; `unsent` never left."""
        marks = [_mark(effect_id, "absent", message="the run ended before it was sent") for effect_id in unsent]
        links: list[Link] = []
        records: list[HaloRecord] = []
        for one in sent:
            marks.append(_mark_of(one))
            if one.record is not None:
                link, record = taken_over(one.draft, one.record, is_reply=True)
                links.append(link)
                records.append(record)
                if one.draft.operation == "create" and one.draft.resource == mapping.CLIENT:
                    for site_link, site in _main_site(link, record):
                        links.append(site_link)
                        records.append(site)
        self._write(marks, links, records)
        self._reach("after_settled")

    def note(self, effect_id: int, state: str, message: str) -> None:
        """Settle an effect by what a look-up found, without touching link or mirror."""
        self._write([_mark(effect_id, state, message=message)], [], [])

    def found(self, effect_id: int, draft: Draft, record: HaloRecord) -> None:
        """Settle an unknown effect as acked, because Halo shows that it was applied."""
        link, seen = taken_over(draft, record, is_reply=False)
        self._write([_mark(effect_id, "acked", message="found by look-up", halo_id=record.halo_id)], [link], [seen])

    def unsettled(self) -> list[Open]:
        """Effects without an outcome, oldest first. Under the lease nobody else can be sending them."""
        query = sa.select(effect).where(effect.c.state.in_(("sending", "unknown"))).order_by(effect.c.effect_id)
        with self._ledger.read() as connection:
            return [
                Open(
                    row.effect_id, row.golden_id, row.entity, row.version,
                    row.resource, row.operation, row.halo_id, row.fields,
                )
                for row in connection.execute(query)
            ]  # fmt: skip

    def _write(self, marks: list[dict[str, Any]], links: list[Link], records: list[HaloRecord]) -> None:
        at = self._clock.now()
        with self._ledger.transaction() as connection:
            self._check_fence(connection)
            if marks:
                connection.execute(_SETTLE, [{**one, "at": at} for one in marks])
                self._seal(connection, [one["of_id"] for one in marks])
            mirror.note(connection, records, at)
            crosswalk.save(connection, links, at)

    def _insert(self, connection: sa.Connection, draft: Draft) -> int:
        values = {
            "golden_id": draft.golden_id,
            "entity": draft.entity,
            "version": draft.version,
            "resource": draft.resource,
            "operation": draft.operation,
            "halo_id": draft.link.halo_id if draft.link else None,
            "fields": draft.values,
            "base": draft.base or None,
            "state": "sending",
            "fence": self._lease.fence,
            "run_id": self._run_id,
            "sent_at": self._clock.now(),
        }
        return insert_one(connection, effect, values)

    def _seal(self, connection: sa.Connection, effect_ids: Sequence[int]) -> None:
        chain.append(
            connection,
            self._chain_key,
            effect_ids,
            at=self._clock.now(),
            fence=self._lease.fence,
            run_id=self._run_id,
        )

    def _check_fence(self, connection: sa.Connection) -> None:
        newest = connection.scalar(sa.select(mark.c.value).where(mark.c.name == f"fence:{self._lease.name}"))
        if newest != self._lease.fence:
            raise LedgerBusy("A newer run has taken over publishing; this one wrote nothing more.")


def taken_over(draft: Draft, record: HaloRecord, *, is_reply: bool) -> tuple[Link, HaloRecord]:
    """What holds after our write: the link with its published values, and the record for the mirror.

    In a reply, a value that differs from what we sent is Halo's spelling of it. In a later read it may be a person's
    edit, and counts as one. A restored value was never ours: nothing of it counts as published.
    """
    held = dict(draft.values)
    if is_reply:
        held |= {name: record.fields[name] for name in held if record.fields.get(name) is not None}
    is_theirs = draft.operation == "restore"
    before = draft.link or Link(draft.golden_id, draft.resource, record.halo_id, origin="created")
    link = replace(
        before,
        published={
            **before.published,
            **{name: Published(value, value) for name, value in draft.agreed.items()},
            **{name: Published(value, held[name]) for name, value in draft.values.items() if not is_theirs},
        },
        is_stamped=before.is_stamped or draft.is_stamping,
        is_retired_by_us=draft.operation == "deactivate",
    )
    known = draft.now.fields if draft.now else {}
    return link, replace(record, fields={**known, **record.fields, **(held if is_reply else {})})


def _main_site(client_link: Link, client: HaloRecord) -> Iterator[tuple[Link, HaloRecord]]:
    """The main site came with the client, blank but for its name."""
    if client.site_id is not None:
        blank: dict[str, Value] = dict.fromkeys(mapping.FIELDS[mapping.SITE])
        site = HaloRecord(
            mapping.SITE, client.site_id, client.halo_id, None, None, False, False, {"name": None, **blank}
        )
        yield Link(client_link.golden_id, mapping.SITE, client.site_id, origin="created"), site


_SETTLE = (
    sa.update(effect)
    .where(effect.c.effect_id == sa.bindparam("of_id"))
    .values(
        state=sa.bindparam("to_state"),
        status=sa.bindparam("http_status"),
        message=sa.bindparam("said"),
        halo_id=sa.func.coalesce(sa.bindparam("new_halo_id", type_=sa.BigInteger), effect.c.halo_id),
        settled_at=sa.bindparam("at"),
    )
)


def _mark_of(one: Sent) -> dict[str, Any]:
    if one.record is not None:
        return _mark(one.effect_id, "acked", status=one.outcome.status, halo_id=one.record.halo_id)
    if one.outcome.kind == "rejected":
        state = "absent" if one.outcome.is_retryable else "rejected"
        return _mark(one.effect_id, state, status=one.outcome.status, message=one.outcome.message)
    return _mark(one.effect_id, "unknown", status=one.outcome.status, message=one.outcome.message)


def _mark(
    effect_id: int, state: str, *, status: int | None = None, message: str = "", halo_id: int | None = None
) -> dict[str, Any]:
    return {"of_id": effect_id, "to_state": state, "http_status": status, "said": message, "new_halo_id": halo_id}
