"""Adoption: which HaloPSA record a golden record already is, before anything is created.

Belongs here: pure matching of golden records that have no link against the mirror, exact keys only, strongest first.
Does not: fuzzy matching (transforms), writing the link (publisher.py).
Surprise: an ambiguous hit is held, never guessed and never created beside: a wrong link writes into a stranger's
record, and a double in a service desk is found by a customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from transforms.kernels.companies import parse_name
from transforms.kernels.fold import fold
from transforms.kernels.links import site

from assets.publishing.crosswalk import Origin
from assets.publishing.mirror import HaloRecord


@dataclass(frozen=True)
class Claim:
    """A golden record that looks for its Halo record. Keys are folded; a contact's `client_id` bounds the search."""

    golden_id: str
    name: str
    hosts: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()  # phone digits and postcode: they settle a doubt, they never make a match
    client_id: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A Halo record that nobody holds yet, seen by the same keys."""

    halo_id: int
    name: str
    golden_id: str | None = None
    hosts: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    client_id: int | None = None


@dataclass
class Matches:
    """Links found (golden id -> Halo id, by which key) and golden records that a person must decide on."""

    links: dict[str, tuple[int, Origin]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)


def match_organisations(claims: Sequence[Claim], candidates: Sequence[Candidate]) -> Matches:
    """Golden-id field, then exact web host, then exact folded name, each only where one fits one."""
    matches = Matches()
    _match_stamps(matches, claims, candidates)
    _stage(matches, claims, candidates, "domain", lambda of: of.hosts, "several HaloPSA clients have its web domain")
    refused = _stage(matches, claims, candidates, "name", _named, "several HaloPSA clients have its name", _agrees)
    for claim in refused:
        matches.held[claim.golden_id] = "a HaloPSA client has its name but another web domain"
    return matches


def match_contacts(claims: Sequence[Claim], candidates: Sequence[Candidate]) -> Matches:
    """Golden-id field, then exact e-mail inside the client, then exact folded full name inside the client.

    An e-mail that somebody has at another client is held: the user may have changed jobs, and is not ours to move.
    """
    matches = Matches()
    _match_stamps(matches, claims, candidates)
    _stage(
        matches, claims, candidates, "email",
        lambda of: {(of.client_id, email) for email in of.emails}, "several users of the client have its e-mail",
    )  # fmt: skip
    elsewhere: dict[str, set[int | None]] = defaultdict(set)
    for candidate in candidates:
        for email in candidate.emails:
            elsewhere[email].add(candidate.client_id)
    for claim in _open(matches, claims):
        if any(elsewhere[email] - {claim.client_id} for email in claim.emails if email in elsewhere):
            matches.held[claim.golden_id] = "a user of another HaloPSA client has its e-mail"
    _stage(
        matches, claims, candidates, "name",
        lambda of: {(of.client_id, of.name)} if of.name else set(), "several users of the client have its name",
    )  # fmt: skip
    return matches


def organisation_candidates(
    clients: Iterable[HaloRecord], sites: Iterable[HaloRecord], *, taken: Mapping[int, str]
) -> list[Candidate]:
    """Clients that no golden record holds; one stamped with a golden id that has its own client is left out."""
    marks: dict[int | None, set[str]] = defaultdict(set)
    for record in sites:
        marks[record.client_id] |= marks_of(record.fields.get("phone"), record.fields.get("postcode"))
    linked = frozenset(taken.values())
    return [
        Candidate(
            halo_id=client.halo_id,
            name=organisation_key(client.fields.get("name")),
            golden_id=client.golden_id,
            hosts=hosts_of(client.fields.get("website"), client.fields.get("domain")),
            marks=frozenset(marks[client.halo_id]),
        )
        for client in clients
        if client.halo_id not in taken and client.golden_id not in linked
    ]


def contact_candidates(users: Iterable[HaloRecord], *, taken: Mapping[int, str]) -> list[Candidate]:
    """Users that no golden record holds, without General Users and service accounts."""
    linked = frozenset(taken.values())
    return [
        Candidate(
            halo_id=user.halo_id,
            name=fold(user.fields.get("full_name")),
            golden_id=user.golden_id,
            emails=emails_of(*(user.fields.get(name) for name in ("email", "email_2", "email_3"))),
            client_id=user.client_id,
        )
        for user in users
        if not user.is_general and user.halo_id not in taken and user.golden_id not in linked
    ]


def organisation_key(name: str | None) -> str:
    """A company's name folded, without its legal form."""
    return parse_name(name).folded or ""


def hosts_of(*addresses: str | None) -> frozenset[str]:
    return frozenset(found for address in addresses if (found := site(address)))


def emails_of(*addresses: str | None) -> frozenset[str]:
    return frozenset(address.strip().casefold() for address in addresses if address and address.strip())


def marks_of(phone: str | None, postcode: str | None) -> frozenset[str]:
    digits = "".join(filter(str.isdigit, phone or ""))[-9:]  # without country code and trunk zero
    code = "".join(filter(str.isalnum, (postcode or "").casefold()))
    return frozenset(mark for mark in (digits if len(digits) >= 7 else "", code) if mark)


_Key = TypeVar("_Key", bound=Hashable)


def _match_stamps(matches: Matches, claims: Sequence[Claim], candidates: Sequence[Candidate]) -> None:
    stamped: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.golden_id:
            stamped[candidate.golden_id].append(candidate)
    for claim in claims:
        hits = stamped.get(claim.golden_id, [])
        if len(hits) == 1:
            matches.links[claim.golden_id] = (hits[0].halo_id, "golden_id")
        elif hits:
            matches.held[claim.golden_id] = "several HaloPSA records carry its golden id"


def _stage(
    matches: Matches,
    claims: Sequence[Claim],
    candidates: Sequence[Candidate],
    origin: Origin,
    keys: Callable[[Claim | Candidate], Iterable[_Key]],
    ambiguous: str,
    agrees: Callable[[Claim, Candidate], bool] = lambda claim, candidate: True,
) -> list[Claim]:
    """Link what fits one to one by `keys`; a tie is broken by an equal name, else held.

    Returns the claims that fit one to one but that `agrees` refuses; they are not linked.
    """
    taken = {halo_id for halo_id, _ in matches.links.values()}
    index: dict[_Key, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.halo_id not in taken:
            for key in keys(candidate):
                index[key].append(candidate)
    hits = {
        claim.golden_id: {hit.halo_id: hit for key in keys(claim) for hit in index.get(key, ())}
        for claim in _open(matches, claims)
    }
    wooers: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        for halo_id in hits.get(claim.golden_id, ()):
            wooers[halo_id].append(claim)
    refused = []
    for claim in _open(matches, claims):
        chosen = _only(claim, list(hits[claim.golden_id].values()))
        if chosen is None:
            if hits[claim.golden_id]:
                matches.held[claim.golden_id] = ambiguous
            continue
        rivals = wooers[chosen.halo_id]
        favoured = rivals if len(rivals) == 1 else [rival for rival in rivals if rival.name == chosen.name]
        if favoured != [claim]:
            if len(favoured) != 1:
                matches.held[claim.golden_id] = "another golden record fits the same HaloPSA record"
        elif agrees(claim, chosen):
            matches.links[claim.golden_id] = (chosen.halo_id, origin)
        else:
            refused.append(claim)
    return refused


def _only(claim: Claim, hits: list[Candidate]) -> Candidate | None:
    if len(hits) > 1:
        hits = [hit for hit in hits if hit.name == claim.name]
    return hits[0] if len(hits) == 1 else None


def _open(matches: Matches, claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.golden_id not in matches.links and claim.golden_id not in matches.held]


def _named(of: Claim | Candidate) -> set[str]:
    return {of.name} if of.name else set()


def _agrees(claim: Claim, candidate: Candidate) -> bool:
    """Two web domains that differ speak against an equal name, unless phone or postcode speak for it."""
    return not (claim.hosts and candidate.hosts) or bool(claim.marks & candidate.marks)
