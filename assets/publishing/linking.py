"""Linking: where in HaloPSA a golden record belongs, once its organisation has a client.

Belongs here: main sites of clients, sites of contacts, links that a merge hands on.
Does not: finding what exists already (adoption.py), creating anything (publisher.py).
Surprise: a contact that has its user stays on the site where it is when its organisation has none; it is kept current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa
from transforms.kernels.fold import fold
from transforms.kernels.links import site

from assets.publishing import crosswalk, mapping, mirror, outbox, reasons
from assets.publishing.crosswalk import Link
from assets.publishing.heads import Head
from assets.publishing.merge import Published, Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.outbox import Verdict
from assets.publishing.session import Session
from assets.publishing.tables import head as head_table

_MERGES_IN_A_ROW_MAX = 100


def inherit_from_merged(session: Session) -> None:
    """Where a golden record merged into one that has no Halo record, the survivor takes over the loser's."""
    with session.ledger.transaction() as connection:
        for entity, resource in mapping.MAIN_RESOURCE.items():
            retiring = list(outbox.waiting(connection, entity, "retire"))
            links = crosswalk.by_ids(connection, resource, retiring)
            for loser in sorted(links):
                survivor = _survivor(connection, loser)
                if survivor is not None and not crosswalk.by_ids(connection, resource, [survivor]):
                    crosswalk.inherit(connection, loser=loser, survivor=survivor, at=session.clock.now())


def _survivor(connection: sa.Connection, golden_id: str) -> str | None:
    """The live golden record at the end of a chain of merges, None where it ends in nothing."""
    for _ in range(_MERGES_IN_A_ROW_MAX):
        query = sa.select(head_table.c.is_live, head_table.c.other_id).where(head_table.c.golden_id == golden_id)
        row = connection.execute(query).first()
        if row is None or row.is_live:
            return None if row is None else golden_id
        if row.other_id is None:
            return None
        golden_id = row.other_id
    return None


def main_sites(session: Session, todo: list[Head], verdicts: dict[str, Verdict]) -> list[Head]:
    """Those of `todo` (their clients are linked) whose main site is known; new links to main sites are written."""
    ids = [head.golden_id for head in todo]
    with session.ledger.read() as connection:
        sites = crosswalk.by_ids(connection, mapping.SITE, ids)
        clients = crosswalk.by_ids(connection, mapping.CLIENT, [name for name in ids if name not in sites])
        known = mirror.by_ids(connection, mapping.CLIENT, [link.halo_id for link in clients.values()])
    found: list[Link] = []
    sited = []
    for head in todo:
        client = clients.get(head.golden_id)
        if head.golden_id in sites:
            sited.append(head)
        elif client is not None:
            site_id = _main_site(session, client.halo_id, known.get(client.halo_id))
            if site_id is None:
                verdicts[head.golden_id] = Verdict(head.version, "held", reasons.NO_SITE)
            else:
                found.append(Link(head.golden_id, mapping.SITE, site_id, origin=client.origin))
                sited.append(head)
    if found:
        with session.ledger.transaction() as connection:
            crosswalk.save(connection, found, session.clock.now())
    return sited


def _main_site(session: Session, client_id: int, client: HaloRecord | None) -> int | None:
    """As Halo names it on the client; else the site called Main; else the oldest."""
    if client is not None and client.site_id is not None:
        return client.site_id
    with session.ledger.read() as connection:
        sites = mirror.of_client(connection, mapping.SITE, client_id)
    if not sites:
        rows = session.halo.rows("Site", client_id=client_id)
        read = (mirror.read_payload(mapping.SITE, row) for row in rows)
        sites = sorted((site for site in read if site and site.client_id == client_id), key=lambda site: site.halo_id)
    active = [site for site in sites if not site.is_inactive] or sites
    called_main = [site for site in active if fold(site.fields.get("name")) == "main"]
    return next((site.halo_id for site in called_main or active), None)


def places(session: Session, todo: list[Head], verdicts: dict[str, Verdict]) -> dict[str, int | None]:
    """golden id -> the site a contact belongs on, None to leave its user where it is; others get their verdict."""
    seats = {head.golden_id: seat(session, head) for head in todo}
    ids = sorted({golden_id for golden_id in seats.values() if golden_id})
    with session.ledger.read() as connection:
        clients = crosswalk.by_ids(connection, mapping.CLIENT, ids)
        sites = crosswalk.by_ids(connection, mapping.SITE, ids)
        known = mirror.by_ids(connection, mapping.CLIENT, [link.halo_id for link in clients.values()])
        users = crosswalk.by_ids(connection, mapping.USER, list(seats))
        states = outbox.states(connection, [golden_id for golden_id in ids if golden_id not in sites])
    placed: dict[str, int | None] = {}
    for head in todo:
        golden_id = seats[head.golden_id] or ""
        client = clients.get(golden_id)
        if client is not None and client.halo_id in known and known[client.halo_id].is_inactive:
            reason = reasons.reason(reasons.INACTIVE_CLIENT, [reasons.client(client.halo_id)])
        elif client is not None and golden_id in sites:
            placed[head.golden_id] = sites[golden_id].halo_id
            continue
        elif head.golden_id in users:
            placed[head.golden_id] = None
            continue
        elif golden_id:
            reason = reasons.of_organisation(golden_id, *states.get(golden_id, (None, None)))
        else:
            reason = reasons.NO_ORGANISATION
        verdicts[head.golden_id] = Verdict(head.version, "held", reason)
    return placed


def seat(session: Session, head: Head) -> str | None:
    """The golden organisation on whose client a contact belongs: its own, or the one that its own is a double of."""
    parent = head.content.get("organisation_golden_id")
    if not isinstance(parent, str):
        return None
    stand_in = session.stand_ins.get(parent)
    if stand_in is None:
        return parent
    host = site(str(head.content.get("email") or "").rpartition("@")[2])
    return stand_in.golden_id if stand_in.is_sure or host in stand_in.hosts else parent


def with_agreed(link: Link, agreed: Mapping[str, Value]) -> Link:
    """Values that Halo has by itself count as published from now on."""
    return replace(
        link, published={**link.published, **{name: Published(value, value) for name, value in agreed.items()}}
    )
