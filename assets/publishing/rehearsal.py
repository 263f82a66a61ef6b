"""The rehearsal: the very code that publishes runs against a copy of the ledger and a stand-in of HaloPSA.

Belongs here: the copy, the stand-in, and what came of the run. Does not: what is made of it (applying.py, planfile.py,
guard.py). So what is foreseen and what happens cannot differ by a rule that was written twice.
Surprise: the stand-in reads the real HaloPSA where it is given one (`plan`), and else answers from the mirror (the
guard's rehearsal, which costs no request and foresees rather too much than too little). It never writes.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock, VirtualClock
from sources.halopsa.audit import Trail
from sources.halopsa.client import WriteOutcome
from sources.halopsa.fields import as_id
from sources.halopsa.settings import GOLDEN_ID_FIELD, Resource

from assets.publishing import chain, mapping, mirror, states
from assets.publishing.copying import copy_rows
from assets.publishing.halo import Halo
from assets.publishing.ledger import Ledger
from assets.publishing.mirror import HaloRecord
from assets.publishing.planned import NEW_ID_MIN, PlannedEffect, Recorder
from assets.publishing.publisher import publish
from assets.publishing.rules import Rules
from assets.publishing.tables import crosswalk, effect, head, mark, outbox, work_item
from assets.publishing.tables import mirror as mirror_table

# What publishing reads; of the effects only those without an outcome.
_COPIED: tuple[tuple[sa.Table, sa.ColumnElement[bool] | None], ...] = (
    (head, None),
    (outbox, None),
    (crosswalk, None),
    (mirror_table, None),
    (mark, mark.c.name != chain.KEY_MARK),  # the copy has a chain of its own
    (work_item, work_item.c.state == "restoring"),
    (effect, effect.c.state.in_(("sending", "unknown"))),
)


@dataclass(frozen=True)
class Foreseen:
    """What a run would do and where it would leave the golden records."""

    effects: list[PlannedEffect]
    states: dict[str, Counter[str]]  # entity -> state -> golden records after the run
    waiting: list[str]
    problems: list[str]


def rehearse(ledger: Ledger, clock: Clock, halo: Halo, rules: Rules, *, is_exact: bool) -> Foreseen:
    """Run publishing on a copy. `is_exact`: read records from HaloPSA before each update, as the run itself will.

    Raises:
        VendorError: HaloPSA could not tell its custom fields, or was down from the start.
    """
    with _copy_of(ledger) as scratch:
        recorder = Recorder(scratch)
        result = publish(
            scratch,
            VirtualClock(clock.now()),
            StandIn(halo, scratch, is_exact=is_exact),
            run_id="rehearsal",
            rules=rules,
            gate=recorder,
        )
        return Foreseen(list(recorder.effects.values()), states.tally(scratch), result.waiting, result.problems)


class StandIn:
    """HaloPSA as it would answer: reads are real or from the mirror, writes change only what later reads show."""

    def __init__(self, halo: Halo, ledger: Ledger, *, is_exact: bool) -> None:
        self._halo = halo
        self._ledger = ledger
        self._is_exact = is_exact
        self._known: dict[tuple[str, int], dict[str, Any] | None] = {}
        self._next_id = NEW_ID_MIN

    def get(self, resource: Resource, record_id: int) -> dict[str, Any] | None:
        key = (resource, record_id)
        if key not in self._known:
            read = self._halo.get if self._is_exact else self._from_mirror
            self._known[key] = read(resource, record_id)
        found = self._known[key]
        return None if found is None else dict(found)

    def rows(self, resource: Resource, **filters: Any) -> list[dict[str, Any]]:
        return self._halo.rows(resource, **filters)

    def walk(self, resource: Resource, **filters: Any) -> Iterator[list[Any]]:
        for page in self._halo.walk(resource, **filters) if self._is_exact else ():
            yield [
                self._known.get((resource, as_id(row.get("id")) or 0)) or row
                for row in page
                if isinstance(row, Mapping)
            ]

    def make_room(self, calls: int) -> None:
        if self._is_exact:
            self._halo.make_room(calls)

    def golden_id_field(self, resource: Resource) -> int | None:
        return self._halo.golden_id_field(resource)

    def changes_since(self, since: datetime, wanted: Mapping[str, Collection[int]]) -> Trail:
        return self._halo.changes_since(since, wanted)

    def create(self, resource: Resource, fields: Mapping[str, Any]) -> WriteOutcome:
        made = {**fields, "id": self._new_id()}
        if resource == mapping.CLIENT:
            made["main_site_id"] = self._new_id()
            site = {"id": made["main_site_id"], "client_id": made["id"], "name": "Main"}
            self._known[mapping.SITE, made["main_site_id"]] = site
        return self._written(resource, made["id"], {}, made)

    def update(self, resource: Resource, record_id: int, fields: Mapping[str, Any]) -> WriteOutcome:
        return self._written(resource, record_id, self.get(resource, record_id) or {"id": record_id}, fields)

    def update_many(self, resource: Resource, updates: Sequence[tuple[int, Mapping[str, Any]]]) -> list[WriteOutcome]:
        return [self.update(resource, record_id, fields) for record_id, fields in updates]

    def _written(
        self, resource: Resource, record_id: int, before: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> WriteOutcome:
        after = {**before, **fields, "id": record_id}
        if "customfields" in fields:
            field_id = self.golden_id_field(resource)
            after["customfields"] = [
                {**item, "name": GOLDEN_ID_FIELD} if item["id"] == field_id else item for item in fields["customfields"]
            ]
        self._known[resource, record_id] = after
        return WriteOutcome("acked", record=dict(after), status=200)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _from_mirror(self, resource: Resource, record_id: int) -> dict[str, Any] | None:
        with self._ledger.read() as connection:
            record = mirror.by_ids(connection, resource, [record_id]).get(record_id)
        return None if record is None else _payload_of(record)


def _payload_of(record: HaloRecord) -> dict[str, Any]:
    """A mirrored record in Halo's own names."""
    payload = mapping.payload(record.resource, record.fields, address_now={})
    payload |= {"id": record.halo_id, "inactive": record.is_inactive, "client_id": record.client_id}
    if record.site_id is not None:
        payload["site_id" if record.resource == mapping.USER else "main_site_id"] = record.site_id
    if record.golden_id is not None:
        payload["customfields"] = [{"id": 0, "name": GOLDEN_ID_FIELD, "value": record.golden_id}]
    return payload


@contextmanager
def _copy_of(ledger: Ledger) -> Iterator[Ledger]:
    """A ledger in a private folder with all that publishing reads; gone afterwards, for it holds personal data."""
    with tempfile.TemporaryDirectory(prefix="halosync-") as folder:
        scratch = Ledger.open(Path(folder) / "ledger.sqlite")
        try:
            with ledger.read() as source, scratch.transaction() as target:
                for table, condition in _COPIED:
                    copy_rows(source, target, table, condition)
            yield scratch
        finally:
            scratch.close()
