"""Recovery: clear up every write whose outcome nobody knows, by looking and never by sending.

Belongs here: look-ups of lost creates and updates, the settle time, adoption of what is found.
Does not: sending anything; a record proven absent goes back to the outbox and is planned afresh.
Surprise: one miss proves nothing, for Halo may apply late and its lists may lag; only two looks a settle time apart do.
The second goes through the whole list, for a person may have renamed meanwhile what a search would go by.
"""

from __future__ import annotations

import sqlalchemy as sa

from assets.publishing import crosswalk, mapping, mirror, outbox, reasons
from assets.publishing.effects import Draft, Open
from assets.publishing.mirror import HaloRecord
from assets.publishing.session import Session
from assets.publishing.tables import crosswalk as crosswalk_table

SETTLE_S = 60.0  # longer than the client's own timeout: what has not been applied by then was never received


def clear_up(session: Session) -> int:
    """Settle every effect without an outcome; returns how many there were. Raises VendorError where Halo is down."""
    lost = session.log.unsettled()
    missing = [one for one in lost if not _look(session, one)]
    if missing:
        session.clock.sleep(SETTLE_S)
    for one in missing:
        if not _look(session, one, is_last=True):
            session.log.note(one.effect_id, "absent", "looked up twice, not in HaloPSA")
    with session.ledger.read() as connection:
        ids = outbox.unknown(connection)  # of a run as well that died between settling an effect and this
    if ids:
        with session.ledger.transaction() as connection:
            outbox.requeue(connection, ids, attempts_max=session.rules.limits.attempts_max)
    return len(lost)


def _look(session: Session, one: Open, *, is_last: bool = False) -> bool:
    """Whether the effect could be settled by what Halo shows now."""
    if one.operation == "create":
        return _look_for_create(session, one, is_last=is_last)
    assert one.halo_id is not None
    detail = session.halo.get(one.resource, one.halo_id)  # type: ignore[arg-type]
    record = None if detail is None else mirror.read_payload(one.resource, detail)
    with session.ledger.read() as connection:
        link = crosswalk.by_ids(connection, one.resource, [one.golden_id]).get(one.golden_id)
    if record is None or link is None or link.halo_id != one.halo_id:
        session.log.note(one.effect_id, "absent", "the HaloPSA record is gone")
        return True
    shown = {name: value for name, value in one.values.items() if record.fields.get(name) == value}
    if one.operation == "deactivate":
        is_applied = record.is_inactive
    else:
        is_applied = bool(shown) or (not one.values and record.golden_id == one.golden_id)
    if not is_applied:
        return False
    draft = Draft(
        one.golden_id, one.entity, one.version, one.resource, one.operation, shown, {}, link,
        is_stamping=record.golden_id == one.golden_id,
    )  # fmt: skip
    session.log.found(one.effect_id, draft, record)
    return True


def _look_for_create(session: Session, one: Open, *, is_last: bool) -> bool:
    """Find what a lost create may have made: by golden id, or without that field by exact name and e-mail."""
    search = {} if is_last else {"search": _search_text(one)}
    rows = session.halo.rows(one.resource, **search, **_narrowed(session, one))  # type: ignore[arg-type]
    records = [record for row in rows if (record := mirror.read_payload(one.resource, row)) is not None]
    with session.ledger.read() as connection:
        taken = crosswalk.owners(connection, one.resource)
    is_stamped = session.stamp_field(one.resource) is not None
    hits = [
        record
        for record in records
        if record.halo_id not in taken and (record.golden_id == one.golden_id if is_stamped else _is_same(record, one))
    ]
    if not hits:
        return False
    if len(hits) > 1:
        _hold_double(session, one, hits)
        return True
    detail = session.halo.get(one.resource, hits[0].halo_id)  # type: ignore[arg-type]
    whole = mirror.read_payload(one.resource, detail or {}) or hits[0]
    draft = Draft(
        one.golden_id, one.entity, one.version, one.resource, "create", one.values, {}, None, is_stamping=is_stamped
    )
    session.log.found(one.effect_id, draft, whole)
    return True


_IDENTITY = {mapping.CLIENT: ("name",), mapping.USER: ("full_name", "email")}


def _is_same(record: HaloRecord, one: Open) -> bool:
    return all(record.fields.get(name) == one.values.get(name) for name in _IDENTITY[one.resource])


def _search_text(one: Open) -> str:
    value = one.values.get("email") or one.values.get("full_name") or one.values.get("name")
    return str(value or "")


def _narrowed(session: Session, one: Open) -> dict[str, int]:
    """A user is looked for inside its client, found by the site it was created on."""
    site_id = one.values.get("site_id")
    if one.resource != mapping.USER or site_id is None:
        return {}
    client = crosswalk_table.alias("client")
    query = (
        sa.select(client.c.halo_id)
        .join(crosswalk_table, crosswalk_table.c.golden_id == client.c.golden_id)
        .where(
            crosswalk_table.c.resource == mapping.SITE,
            crosswalk_table.c.halo_id == site_id,
            client.c.resource == mapping.CLIENT,
        )
    )
    with session.ledger.read() as connection:
        client_id = connection.scalar(query)
    return {} if client_id is None else {"client_id": client_id}


def _hold_double(session: Session, one: Open, hits: list[HaloRecord]) -> None:
    """Let the mirror know both, so that adoption holds the record until a person has merged them in Halo."""
    with session.ledger.transaction() as connection:
        mirror.note(connection, hits, session.clock.now())
    session.log.note(one.effect_id, "rejected", reasons.SEVERAL_STAMPED)
    ids = " and ".join(str(record.halo_id) for record in hits)
    session.result.problems.append(
        f"{one.golden_id}: HaloPSA holds it several times ({one.resource} {ids}); merge them there."
    )
