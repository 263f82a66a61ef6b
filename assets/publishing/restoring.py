"""Giving back a person's value that a write of ours went over, when somebody asks for it.

Belongs here: taking the wish, and the write that fulfils it. Does not: finding such values (overwritten.py).
Surprise: nothing is noted as published, so the next merge sees a value that we did not put there: it is the person's
and stays. Whoever has typed something else meanwhile keeps that; the wish is then settled without a write.
"""

from __future__ import annotations

from collections import defaultdict
from typing import cast

import sqlalchemy as sa
from sources.halopsa.fields import as_text
from sources.halopsa.settings import Resource

from assets.publishing import crosswalk, mapping, mirror, work
from assets.publishing.crosswalk import Link
from assets.publishing.effects import Draft
from assets.publishing.ledger import Ledger
from assets.publishing.merge import Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.overwritten import KIND
from assets.publishing.session import Session
from assets.publishing.tables import head, work_item
from assets.publishing.work import Item

WRITING_MODES = frozenset({"upsert", "tracked", "update_only"})


class NothingToRestore(Exception):
    """No such value is listed, or the log leaves in doubt whose field it was. One line with what to do. Exit code 2."""


def ask(ledger: Ledger, golden_id: str, field: str) -> Item:
    """Have the next publishing give back what a person had put into `field`.

    Raises:
        NothingToRestore: it is not on the work list, or not for certain.
    """
    with ledger.transaction() as connection:
        known = {item: number for item, number in work.live(connection, (KIND,)).items() if item.golden_id == golden_id}
        item = next((item for item in known if item.field == field), None)
        if item is None:
            others = ", ".join(sorted({str(one.field) for one in known})) or "none"
            raise NothingToRestore(
                f"{golden_id}: no overwritten value of a person is listed for field {field!r} (listed: {others}). "
                "What is listed, halosync why ID tells; halosync reconcile renews the list."
            )
        if not item.detail["is_sure"]:
            raise NothingToRestore(
                f"{golden_id}: HaloPSA's change log does not tell whether field {field!r} was meant or another with "
                f"the same value. Look at record {item.halo_id} there and type it in."
            )
        _mark(connection, [known[item]], "restoring")
    return item


def fulfil(session: Session) -> None:
    """Write what was asked for, one request a record, decided on a fresh read.

    Raises:
        VendorError, Stopped: the rest stays asked for.
    """
    with session.ledger.read() as connection:
        asked = work.live(connection, (KIND,), ("restoring",))
    wishes: dict[tuple[str, str, int], list[Item]] = defaultdict(list)
    for item in asked:
        assert item.golden_id is not None, "an overwritten edit is about a golden record"
        wishes[item.golden_id, item.resource, item.halo_id].append(item)
    for (golden_id, resource, halo_id), items in wishes.items():
        session.check_brakes()
        with session.ledger.read() as connection:
            link = crosswalk.by_ids(connection, resource, [golden_id]).get(golden_id)
            known = connection.execute(sa.select(head).where(head.c.golden_id == golden_id)).first()
        if link is None or link.halo_id != halo_id or known is None:
            continue  # it is another record by now; the next reconciliation closes the item
        if session.rules.mode_of(known.entity) in WRITING_MODES:
            _give_back(session, link, known, {item: asked[item] for item in items})


def _give_back(session: Session, link: Link, known: sa.Row[tuple[object, ...]], items: dict[Item, int]) -> None:
    payload = session.halo.get(cast(Resource, link.resource), link.halo_id) or {}
    now = mirror.whole(link.resource, payload)
    if now is None or now.is_inactive or now.faults:
        return
    due = [item for item in items if _is_ours(link, item, now)]
    values: dict[str, Value] = {str(item.field): _typed(item) for item in due}
    refused = False
    if values:
        draft = Draft(
            link.golden_id,
            known.entity,
            known.version,
            link.resource,
            "restore",
            values=values,
            body=_body(link.resource, values, payload),
            link=link,
            now=now,
            base=mapping.replaced(link.resource, values, now.fields),
        )
        verdict = session.send_one(draft)
        if verdict is not None and verdict.state != "rejected":
            return  # not known, or not allowed yet: it stays asked for
        refused = verdict is not None
    with session.ledger.transaction() as connection:
        work.close(connection, [items[item] for item in items if item not in due], at=session.clock.now())
        if refused:
            _mark(connection, [items[item] for item in due], "open")
        else:
            work.close(connection, [items[item] for item in due], at=session.clock.now())


def _is_ours(link: Link, item: Item, now: HaloRecord) -> bool:
    """Whether the field still holds what we wrote."""
    name = str(item.field)
    ours = [item.detail["ours"], *([link.published[name].held] if name in link.published else [])]
    return as_text(now.fields.get(name)) in map(as_text, ours)


def _typed(item: Item) -> Value:
    text: Value = item.detail["theirs"]
    return int(text) if item.field == "site_id" and text is not None else text


def _body(resource: str, values: dict[str, Value], payload: dict[str, object]) -> dict[str, object]:
    """A value that a person had blanked goes out as empty text: null would say nothing to HaloPSA."""
    sent: dict[str, Value] = {name: "" if value is None else value for name, value in values.items()}
    return mapping.payload(resource, sent, address_now=mapping.seen(resource, payload))


def _mark(connection: sa.Connection, item_ids: list[int], state: str) -> None:
    connection.execute(sa.update(work_item).where(work_item.c.item_id.in_(item_ids)).values(state=state))
