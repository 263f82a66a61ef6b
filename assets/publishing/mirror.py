"""The ledger's projection of HaloPSA: what it holds now, as far as we know.

Belongs here: replacing the projection after a walk, reading it by id, noting what Halo answered to a write.
Does not: the walk (sources/halopsa), the raw tables (assets/raw.py), matching it to golden records (adoption.py).
Surprise: `fields` holds only what Halo really showed; a field that a thin list leaves out is missing, not blank.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock
from sources.halopsa import fields as halo_fields
from sources.halopsa.client import WriteOutcome

from assets.publishing import mapping
from assets.publishing.ledger import IDS_PER_QUERY, ROWS_PER_STATEMENT, Ledger, advance, chunked, upsert
from assets.publishing.tables import from_micros, mark, micros, mirror

_WALKS, _WALKED_AT = "walks:", "walked_at:"
_TEXTS = {
    mapping.CLIENT: halo_fields.CLIENT_FIELDS,
    mapping.SITE: halo_fields.SITE_FIELDS,
    mapping.USER: halo_fields.USER_FIELDS,
}
_EXTRAS = {
    mapping.USER: ("email_2", "email_3"),
    mapping.CLIENT: ("main_site_id", "is_prospect"),
    mapping.SITE: ("name",),
}


@dataclass(frozen=True)
class HaloRecord:
    """One record of HaloPSA in neutral fields; `is_general` marks who may never be matched: placeholders, services.

    `faults`: fields whose value cannot be used, and why; they are missing in `fields`. Known of a fresh read only.
    """

    resource: str
    halo_id: int
    client_id: int | None
    site_id: int | None
    golden_id: str | None
    is_inactive: bool
    is_general: bool
    fields: dict[str, Any]
    faults: dict[str, str] = dataclasses.field(default_factory=dict)


def read_payload(resource: str, payload: Mapping[str, Any]) -> HaloRecord | None:
    """A payload of Halo as a record; None where it has no usable id."""
    reader = {
        mapping.CLIENT: halo_fields.read_client,
        mapping.SITE: halo_fields.read_site,
        mapping.USER: halo_fields.read_user,
    }[resource]
    read = reader(payload)
    if read["halo_id"] is None:
        return None
    faults = halo_fields.faults(payload, _TEXTS[resource])
    shown = mapping.seen(resource, payload) | {
        name: read[name] for name in _EXTRAS[resource] if read.get(name) is not None
    }
    return HaloRecord(
        resource=resource,
        halo_id=read["halo_id"],
        client_id=read["halo_id"] if resource == mapping.CLIENT else read["client_id"],
        site_id=read.get("site_id") if resource == mapping.USER else read.get("main_site_id"),
        golden_id=None if "golden_id" in faults else read["golden_id"],
        is_inactive=read["is_inactive"],
        is_general=bool(read.get("is_general_user") or read.get("is_service_account")),
        fields={name: value for name, value in shown.items() if name not in faults},
        faults=faults,
    )


def whole(resource: str, detail: Mapping[str, Any]) -> HaloRecord | None:
    """A detail read as a record; a field it does not show is blank, for details show everything."""
    record = read_payload(resource, detail)
    if record is None:
        return None
    return dataclasses.replace(record, fields={**dict.fromkeys(mapping.FIELDS[resource]), **record.fields})


def acked_record(resource: str, outcome: WriteOutcome) -> HaloRecord | None:
    """What HaloPSA answered to a write that it applied."""
    return read_payload(resource, outcome.record or {}) if outcome.kind == "acked" else None


def replace(ledger: Ledger, clock: Clock, payloads: Mapping[str, Iterable[str | Mapping[str, Any]]]) -> dict[str, int]:
    """Put a finished walk in place of the old one, in one transaction: resource (Client, Site, Users) -> payloads.

    A resource that is not named keeps its old rows (its walk was held). Returns the rows now held per resource.
    """
    return put(ledger, clock, {resource: read_all(resource, items) for resource, items in payloads.items()})


def read_all(resource: str, items: Iterable[str | Mapping[str, Any]]) -> list[HaloRecord]:
    """Payloads, or their JSON, as records; those without a usable id are left out."""
    read = (read_payload(resource, json.loads(item) if isinstance(item, str) else item) for item in items)
    return [record for record in read if record is not None]


def put(ledger: Ledger, clock: Clock, records: Mapping[str, Sequence[HaloRecord]]) -> dict[str, int]:
    """`replace`, of records that were read already."""
    at = clock.now()
    with ledger.transaction() as connection:
        for resource, found in records.items():
            connection.execute(sa.delete(mirror).where(mirror.c.resource == resource))
            advance(connection, f"{_WALKS}{resource}")
            upsert(connection, mark, [{"name": f"{_WALKED_AT}{resource}", "value": micros(at)}])
            for some in chunked(list(found), ROWS_PER_STATEMENT):
                upsert(connection, mirror, [_as_row(record, at) for record in some])
    return {resource: len(found) for resource, found in records.items()}


def never_walked(connection: sa.Connection) -> list[str]:
    """Resources that were never read whole: an empty mirror of them would be ignorance, not an empty tenant."""
    known = set(connection.scalars(sa.select(mark.c.name).where(mark.c.name.startswith(_WALKS))))
    return [resource for resource in mapping.FIELDS if f"{_WALKS}{resource}" not in known]


def oldest_walk(connection: sa.Connection) -> datetime | None:
    """When the resource was read whole whose turn is the longest ago; None where no moment is known."""
    names = [f"{_WALKED_AT}{resource}" for resource in mapping.FIELDS]
    value = connection.scalar(sa.select(sa.func.min(mark.c.value)).where(mark.c.name.in_(names)))
    return None if value is None else from_micros(value)


def note(connection: sa.Connection, records: Iterable[HaloRecord], at: datetime) -> None:
    """Remember records as Halo just showed them."""
    upsert(connection, mirror, [_as_row(record, at) for record in records])


def forget(connection: sa.Connection, resource: str, halo_ids: Sequence[int]) -> None:
    """Take out records that HaloPSA has no more."""
    for some in chunked(halo_ids, IDS_PER_QUERY):
        connection.execute(sa.delete(mirror).where(mirror.c.resource == resource, mirror.c.halo_id.in_(some)))


def by_ids(connection: sa.Connection, resource: str, halo_ids: Sequence[int]) -> dict[int, HaloRecord]:
    found: dict[int, HaloRecord] = {}
    for some in chunked(halo_ids, IDS_PER_QUERY):
        query = sa.select(mirror).where(mirror.c.resource == resource, mirror.c.halo_id.in_(some))
        found.update({row.halo_id: _as_record(row) for row in connection.execute(query)})
    return found


def prospect_sites(connection: sa.Connection, site_ids: Sequence[int]) -> set[int]:
    """Those of the sites whose client is a prospect, as far as HaloPSA has shown."""
    sites = by_ids(connection, mapping.SITE, site_ids)
    clients = by_ids(connection, mapping.CLIENT, sorted({site.client_id for site in sites.values() if site.client_id}))
    prospects = {client.halo_id for client in clients.values() if client.fields.get("is_prospect")}
    return {site.halo_id for site in sites.values() if site.client_id in prospects}


def count(connection: sa.Connection, resource: str) -> int:
    query = sa.select(sa.func.count()).select_from(mirror).where(mirror.c.resource == resource)
    return connection.scalar(query) or 0


def counts_by_client(connection: sa.Connection, resource: str, client_ids: Sequence[int]) -> dict[int, int]:
    """How many sites or users each client has."""
    found: dict[int, int] = {}
    for some in chunked(client_ids, IDS_PER_QUERY):
        query = (
            sa.select(mirror.c.client_id, sa.func.count())
            .where(mirror.c.resource == resource, mirror.c.client_id.in_(some))
            .group_by(mirror.c.client_id)
        )
        found.update({row[0]: row[1] for row in connection.execute(query)})
    return found


def every(connection: sa.Connection, resource: str) -> Iterable[HaloRecord]:
    """All records of `resource`, by id."""
    query = sa.select(mirror).where(mirror.c.resource == resource).order_by(mirror.c.halo_id)
    return (_as_record(row) for row in connection.execute(query))


def of_client(connection: sa.Connection, resource: str, client_id: int) -> list[HaloRecord]:
    """The sites or users of one client, by id."""
    query = sa.select(mirror).where(mirror.c.resource == resource, mirror.c.client_id == client_id)
    return [_as_record(row) for row in connection.execute(query.order_by(mirror.c.halo_id))]


def _as_row(record: HaloRecord, at: datetime) -> dict[str, Any]:
    return {
        "resource": record.resource,
        "halo_id": record.halo_id,
        "client_id": record.client_id,
        "site_id": record.site_id,
        "golden_id": record.golden_id,
        "is_inactive": record.is_inactive,
        "is_general": record.is_general,
        "fields": record.fields,
        "seen_at": at,
    }


def _as_record(row: Any) -> HaloRecord:
    return HaloRecord(
        resource=row.resource,
        halo_id=row.halo_id,
        client_id=row.client_id,
        site_id=row.site_id,
        golden_id=row.golden_id,
        is_inactive=row.is_inactive,
        is_general=row.is_general,
        fields=row.fields,
    )
