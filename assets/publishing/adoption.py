"""Adoption: give golden records that have no HaloPSA record yet the one that exists, before anything is created.

Belongs here: reading what the choice needs from ledger and mirror, and writing the links it found.
Does not: the choice itself (adopt_organisations.py, adopt_contacts.py, pure), creating anything (publisher.py).
Surprise: it is done afresh on every run for all that has no link, held records included, so a hold ends by itself as
soon as a person or a source has settled the doubt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from transforms.kernels.fold import fold

from assets.publishing import adopt_contacts, adopt_organisations, crosswalk, heads, linking, mapping, mirror, outbox
from assets.publishing.adopt_contacts import emails_of
from assets.publishing.adopt_organisations import Candidate, Holder
from assets.publishing.crosswalk import Link, Origin
from assets.publishing.evidence import Facts, facts_of, union
from assets.publishing.heads import Head
from assets.publishing.ledger import chunked
from assets.publishing.mirror import HaloRecord
from assets.publishing.session import Session
from assets.publishing.tables import head as head_table

_HEADS_PER_READ = 5_000


def adopt(session: Session, entity: str) -> None:
    """Link what waits and has no link to the HaloPSA record it already is; unclear ones are noted to be held."""
    resource = mapping.MAIN_RESOURCE[entity]
    with session.ledger.read() as connection:
        waiting = list(outbox.waiting(connection, entity, "upsert"))
        linked = crosswalk.by_ids(connection, resource, waiting)
        unlinked = [golden_id for golden_id in waiting if golden_id not in linked]
        if not unlinked:
            return
        if entity == "organisation":
            links, held = _match_organisations(session, connection, unlinked)
        else:
            links, held = _match_contacts(session, connection, unlinked)
    for golden_id in unlinked:
        session.adoption_holds.pop(golden_id, None)
    session.adoption_holds.update(held)
    _save(session, resource, links)


_Found = tuple[dict[str, tuple[int, Origin]], dict[str, str]]


def _match_organisations(session: Session, connection: sa.Connection, unlinked: list[str]) -> _Found:
    taken = crosswalk.owners(connection, mapping.CLIENT)
    clients = list(mirror.every(connection, mapping.CLIENT))
    facts = _facts_of_clients(clients, mirror.every(connection, mapping.SITE))
    golden = {head.golden_id: _facts_of_golden(head) for head in _heads(connection, sorted(taken.values()))}
    matches = adopt_organisations.match_organisations(
        _organisation_claims(connection, unlinked),
        _candidates(clients, facts, taken=taken),
        _holders(clients, facts, golden, taken=taken),
    )
    session.stand_ins, session.near = matches.stand_ins, matches.near
    return matches.links, matches.held


def _match_contacts(session: Session, connection: sa.Connection, unlinked: list[str]) -> _Found:
    taken = crosswalk.owners(connection, mapping.USER)
    candidates = adopt_contacts.contact_candidates(mirror.every(connection, mapping.USER), taken=taken)
    claims = list(_contact_claims(session, connection, unlinked)) if candidates else []
    matches = adopt_contacts.match_contacts(claims, candidates)
    return matches.links, matches.held


def _save(session: Session, resource: str, found: Mapping[str, tuple[int, Origin]]) -> None:
    links = [
        Link(golden_id, resource, halo_id, origin=origin, is_stamped=origin == "golden_id")
        for golden_id, (halo_id, origin) in found.items()
    ]
    with session.ledger.transaction() as connection:
        crosswalk.save(connection, links, session.clock.now())


def _heads(connection: sa.Connection, ids: list[str]) -> Iterator[Head]:
    for some in chunked(ids, _HEADS_PER_READ):
        yield from heads.by_ids(connection, some).values()


def _facts_of_golden(head: Head) -> Facts:
    content = head.content
    return facts_of(
        names=[content.get("name")],
        addresses=[content.get("domain"), content.get("website")],
        phones=[content.get("phone")],
        postcodes=[content.get("postcode")],
    )


def _facts_of_clients(clients: Iterable[HaloRecord], sites: Iterable[HaloRecord]) -> dict[int, Facts]:
    """A client with what its sites know."""
    on_sites: dict[int | None, list[Facts]] = defaultdict(list)
    for site in sites:
        on_sites[site.client_id].append(
            facts_of(phones=[site.fields.get("phone")], postcodes=[site.fields.get("postcode")])
        )
    return {
        client.halo_id: union(
            [
                facts_of(
                    names=[client.fields.get("name")],
                    addresses=[client.fields.get("website"), client.fields.get("domain")],
                ),
                *on_sites[client.halo_id],
            ]
        )
        for client in clients
    }


def _candidates(
    clients: Iterable[HaloRecord], facts: Mapping[int, Facts], *, taken: Mapping[int, str]
) -> list[Candidate]:
    """Clients that no golden record holds; one stamped with a golden id that has its own client is left out."""
    linked = frozenset(taken.values())
    return [
        Candidate(client.halo_id, facts[client.halo_id], client.golden_id)
        for client in clients
        if client.halo_id not in taken and client.golden_id not in linked
    ]


def _holders(
    clients: Iterable[HaloRecord], facts: Mapping[int, Facts], golden: Mapping[str, Facts], *, taken: Mapping[int, str]
) -> list[Holder]:
    """Golden organisations with a client; a copy of the client that carries the same golden id counts as it."""
    client_of = {golden_id: halo_id for halo_id, golden_id in taken.items()}
    found: dict[str, list[Facts]] = {golden_id: [] for golden_id in client_of}
    for client in clients:
        holder = taken.get(client.halo_id, client.golden_id)
        if holder in found:
            found[holder].append(facts[client.halo_id])
    return [
        Holder(golden_id, golden.get(golden_id, Facts()), union(on_clients), client_of[golden_id])
        for golden_id, on_clients in sorted(found.items())
    ]


def _organisation_claims(connection: sa.Connection, ids: list[str]) -> Iterator[adopt_organisations.Claim]:
    clients_of_email = _clients_of_email(connection)
    for some in chunked(ids, _HEADS_PER_READ):
        clients: dict[str, set[int]] = defaultdict(set)
        contacts: Counter[str] = Counter()
        for parent, content in _contacts_of(connection, some):
            contacts[parent] += 1
            for email in emails_of(content.get("email")):
                clients[parent] |= clients_of_email.get(email, set())
        for head in heads.by_ids(connection, some).values():
            yield adopt_organisations.Claim(
                head.golden_id, _facts_of_golden(head), frozenset(clients[head.golden_id]), contacts[head.golden_id]
            )


def _clients_of_email(connection: sa.Connection) -> dict[str, set[int]]:
    """Of users that people made: those that we made would only say what we have decided before."""
    ours = crosswalk.created(connection, mapping.USER)
    found: dict[str, set[int]] = defaultdict(set)
    for user in mirror.every(connection, mapping.USER):
        if user.client_id is not None and not user.is_general and user.halo_id not in ours:
            for email in emails_of(user.fields.get("email")):
                found[email].add(user.client_id)
    return found


def _contacts_of(connection: sa.Connection, parents: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for some in chunked(parents, _HEADS_PER_READ // 10):
        query = sa.select(head_table.c.parent_golden_id, head_table.c.content).where(
            head_table.c.entity == "contact", head_table.c.is_live, head_table.c.parent_golden_id.in_(some)
        )
        yield from ((row.parent_golden_id, row.content) for row in connection.execute(query))


def _contact_claims(session: Session, connection: sa.Connection, ids: list[str]) -> Iterator[adopt_contacts.Claim]:
    for some in chunked(ids, _HEADS_PER_READ):
        found = heads.by_ids(connection, some).values()
        seats = {head.golden_id: linking.seat(session, head) for head in found}
        clients = crosswalk.by_ids(connection, mapping.CLIENT, sorted({seat for seat in seats.values() if seat}))
        for head in found:
            seat = seats[head.golden_id]
            client = clients.get(seat or "")
            near = frozenset({client.halo_id}) if client else session.near.get(seat or "")
            if seat is None or near:
                yield adopt_contacts.Claim(
                    golden_id=head.golden_id,
                    name=fold(mapping.full_name(head.content)),
                    emails=emails_of(head.content.get("email")),
                    clients=near,
                    is_placed=client is not None,
                )
