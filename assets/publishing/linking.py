"""Linking: give golden records that have no Halo record yet the one that exists, and find the place for the others.

Belongs here: reading what adoption needs, writing the links it found, main sites of clients, sites of contacts.
Does not: the matching itself (adopt.py, pure), creating anything (publisher.py).
Surprise: contacts are matched only inside clients that we know, so organisations must be done first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import sqlalchemy as sa
from transforms.kernels.fold import fold

from assets.publishing import adopt as matching
from assets.publishing import crosswalk, heads, mapping, mirror, outbox, plan
from assets.publishing.adopt import Claim, Matches
from assets.publishing.crosswalk import Link
from assets.publishing.heads import Head
from assets.publishing.ledger import chunked
from assets.publishing.merge import Published, Value
from assets.publishing.mirror import HaloRecord
from assets.publishing.outbox import Verdict
from assets.publishing.session import Session
from assets.publishing.tables import head as head_table

_HEADS_PER_READ = 5_000
_MERGES_IN_A_ROW_MAX = 100


def adopt(session: Session, entity: str) -> None:
    """Link what waits and has no link to the Halo record it already is; ambiguous ones are noted to be held."""
    resource = mapping.MAIN_RESOURCE[entity]
    with session.ledger.read() as connection:
        waiting = list(outbox.waiting(connection, entity, "upsert"))
        linked = crosswalk.by_ids(connection, resource, waiting)
        unlinked = [golden_id for golden_id in waiting if golden_id not in linked]
        if not unlinked:
            return
        taken = crosswalk.owners(connection, resource)
        records = mirror.every(connection, resource)
        if entity == "organisation":
            sites = mirror.every(connection, mapping.SITE)
            candidates = matching.organisation_candidates(records, sites, taken=taken)
        else:
            candidates = matching.contact_candidates(records, taken=taken)
        if not candidates:
            return
        claims = list(_claims(connection, entity, unlinked))
    matches = (matching.match_organisations if entity == "organisation" else matching.match_contacts)(
        claims, candidates
    )
    session.adoption_holds.update(matches.held)
    _save(session, resource, matches)


def _save(session: Session, resource: str, matches: Matches) -> None:
    links = [
        Link(golden_id, resource, halo_id, origin=origin, is_stamped=origin == "golden_id")
        for golden_id, (halo_id, origin) in matches.links.items()
    ]
    with session.ledger.transaction() as connection:
        crosswalk.save(connection, links, session.clock.now())


def _claims(connection: sa.Connection, entity: str, ids: list[str]) -> Iterable[Claim]:
    for some in chunked(ids, _HEADS_PER_READ):
        found = heads.by_ids(connection, some).values()
        if entity == "organisation":
            yield from map(_organisation_claim, found)
        else:
            parents = sorted({parent for head in found if (parent := _parent(head))})
            clients = crosswalk.by_ids(connection, mapping.CLIENT, parents)
            for head in found:
                client = clients.get(_parent(head) or "")
                if client is not None:
                    yield _contact_claim(head, client.halo_id)


def _organisation_claim(head: Head) -> Claim:
    content = head.content
    return Claim(
        golden_id=head.golden_id,
        name=matching.organisation_key(content.get("name")),
        hosts=matching.hosts_of(content.get("domain"), content.get("website")),
        marks=matching.marks_of(content.get("phone"), content.get("postcode")),
    )


def _contact_claim(head: Head, client_id: int) -> Claim:
    return Claim(
        golden_id=head.golden_id,
        name=fold(mapping.full_name(head.content)),
        emails=matching.emails_of(head.content.get("email")),
        client_id=client_id,
    )


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
                verdicts[head.golden_id] = Verdict(head.version, "held", "its HaloPSA client has no site")
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


def places(session: Session, todo: list[Head], verdicts: dict[str, Verdict]) -> dict[str, int]:
    """golden id -> the site a contact belongs on; a contact without one gets its verdict."""
    parents = sorted({parent for head in todo if (parent := _parent(head))})
    with session.ledger.read() as connection:
        clients = crosswalk.by_ids(connection, mapping.CLIENT, parents)
        sites = crosswalk.by_ids(connection, mapping.SITE, parents)
        known = mirror.by_ids(connection, mapping.CLIENT, [link.halo_id for link in clients.values()])
    placed: dict[str, int] = {}
    for head in todo:
        parent = _parent(head)
        client = clients.get(parent or "")
        if parent is None:
            reason = "it has no organisation"
        elif client is None or parent not in sites:
            reason = "its organisation is not in HaloPSA"
        elif client.halo_id in known and known[client.halo_id].is_inactive:
            reason = f"its organisation is {plan.INACTIVE_REASON}"
        else:
            placed[head.golden_id] = sites[parent].halo_id
            continue
        verdicts[head.golden_id] = Verdict(head.version, "held", reason)
    return placed


def with_agreed(link: Link, agreed: Mapping[str, Value]) -> Link:
    """Values that Halo has by itself count as published from now on."""
    return replace(
        link, published={**link.published, **{name: Published(value, value) for name, value in agreed.items()}}
    )


def _parent(head: Head) -> str | None:
    parent = head.content.get("organisation_golden_id")
    return parent if isinstance(parent, str) else None
