"""Adoption of users: which HaloPSA user a golden contact already is, before any is created.

Belongs here: choosing by exact keys, strongest first, pure. Does not: organisations (adopt_organisations.py), reading
and writing (linking.py).
Surprise: an ambiguous hit is held, never guessed and never created beside: a wrong link writes into a stranger's
record, and a double in a service desk is found by a customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from transforms.kernels.compare import CLOSE, compare_first
from transforms.kernels.fold import fold

from assets.publishing import reasons
from assets.publishing.crosswalk import Origin
from assets.publishing.mirror import HaloRecord


@dataclass(frozen=True)
class Claim:
    """A golden contact that looks for its user.

    `clients` bound the search; None where it has no organisation at all. `is_placed`: there is one client and it is
    surely the right one; else only a user with its very e-mail can be it.
    """

    golden_id: str
    name: str
    emails: frozenset[str] = frozenset()
    clients: frozenset[int] | None = None
    is_placed: bool = True


@dataclass(frozen=True)
class Candidate:
    """A user that no golden record holds; `golden_id` is the one it is stamped with."""

    halo_id: int
    name: str
    golden_id: str | None = None
    emails: frozenset[str] = frozenset()
    client_id: int | None = None


@dataclass
class ContactMatches:
    """Links found (golden id -> user, by which key) and contacts that a person must decide on."""

    links: dict[str, tuple[int, Origin]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)


def match_contacts(claims: Sequence[Claim], candidates: Sequence[Candidate]) -> ContactMatches:
    """Golden-id field, then exact e-mail inside the client, then exact folded full name inside the client.

    An e-mail that somebody has at another client is held: the user may have changed jobs, and is not ours to move.
    """
    links = _stamped_links(claims, candidates)
    asking = {claim.golden_id for claim in claims}
    unstamped = [candidate for candidate in candidates if candidate.golden_id not in asking]
    while True:
        matches = ContactMatches(dict(links), _stamped_twice(claims, candidates))
        _match_once(matches, claims, unstamped)
        if len(matches.links) == len(links):
            return matches
        # A user that has been given away may leave another claim with one choice: the next run would see it so.
        links = matches.links


def _match_once(matches: ContactMatches, claims: Sequence[Claim], candidates: Sequence[Candidate]) -> None:
    _stage(
        matches, claims, candidates, "email",
        lambda of: {(client, email) for client in of.clients or () for email in of.emails},
        lambda of: {(of.client_id, email) for email in of.emails},
        reasons.SEVERAL_USERS_EMAIL,
    )  # fmt: skip
    # Without an organisation to bound the search, the name must be the same as well.
    _stage(
        matches, [claim for claim in claims if claim.clients is None], candidates, "email",
        lambda of: {(of.name, email) for email in of.emails},
        lambda of: {(of.name, email) for email in of.emails},
        reasons.SEVERAL_USERS_EMAIL,
    )  # fmt: skip
    placed = [claim for claim in claims if claim.is_placed and claim.clients]
    _hold_by_email(matches, placed, candidates, reasons.OTHER_CLIENT, is_inside=False)
    _stage(
        matches, placed, candidates, "name",
        lambda of: {(client, of.name) for client in of.clients or () if of.name},
        lambda of: {(of.client_id, of.name)},
        reasons.SEVERAL_USERS_NAME,
    )  # fmt: skip
    _hold_by_email(matches, placed, candidates, reasons.OTHER_NAME, is_inside=True)


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


def emails_of(*addresses: str | None) -> frozenset[str]:
    return frozenset(address.strip().casefold() for address in addresses if address and address.strip())


_Key = TypeVar("_Key", bound=Hashable)


def _stamps(candidates: Iterable[Candidate]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for candidate in candidates:
        if candidate.golden_id:
            found[candidate.golden_id].append(candidate.halo_id)
    return found


def _stamped_links(claims: Sequence[Claim], candidates: Sequence[Candidate]) -> dict[str, tuple[int, Origin]]:
    found = _stamps(candidates)
    return {
        claim.golden_id: (found[claim.golden_id][0], "golden_id")
        for claim in claims
        if len(found.get(claim.golden_id, ())) == 1
    }


def _stamped_twice(claims: Sequence[Claim], candidates: Sequence[Candidate]) -> dict[str, str]:
    found = _stamps(candidates)
    return {
        claim.golden_id: reasons.reason(reasons.SEVERAL_STAMPED, map(reasons.user, found[claim.golden_id]))
        for claim in claims
        if len(found.get(claim.golden_id, ())) > 1
    }


def _hold_by_email(
    matches: ContactMatches, claims: Sequence[Claim], candidates: Sequence[Candidate], sentence: str, *, is_inside: bool
) -> None:
    """Hold what is still open though a free user has its e-mail, in the client (`is_inside`) or in another."""
    taken = {halo_id for halo_id, _ in matches.links.values()}
    users: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.halo_id not in taken:
            for email in candidate.emails:
                users[email].append(candidate)
    for claim in _open(matches, claims):
        found = {
            user.halo_id
            for email in claim.emails
            for user in users.get(email, ())
            if (user.client_id in (claim.clients or ())) is is_inside
        }
        if found:
            matches.held[claim.golden_id] = reasons.reason(sentence, map(reasons.user, found))


def _stage(
    matches: ContactMatches,
    claims: Sequence[Claim],
    candidates: Sequence[Candidate],
    origin: Origin,
    keys_of_claim: Callable[[Claim], Iterable[_Key]],
    keys_of_candidate: Callable[[Candidate], Iterable[_Key]],
    ambiguous: str,
) -> None:
    """Link what fits one to one by its keys; a tie is broken by an equal name, else held."""
    taken = {halo_id for halo_id, _ in matches.links.values()}
    index: dict[_Key, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.halo_id not in taken:
            for key in keys_of_candidate(candidate):
                index[key].append(candidate)
    hits = {
        claim.golden_id: {
            hit.halo_id: hit
            for key in keys_of_claim(claim)
            for hit in index.get(key, ())
            if _may_be_one_person(claim.name, hit.name)
        }
        for claim in _open(matches, claims)
    }
    wooers: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        for halo_id in hits.get(claim.golden_id, ()):
            wooers[halo_id].append(claim)
    for claim in _open(matches, claims):
        found = hits[claim.golden_id]
        chosen = _only(claim, list(found.values()))
        if chosen is None:
            if found:
                matches.held[claim.golden_id] = reasons.reason(ambiguous, map(reasons.user, found))
            continue
        rivals = wooers[chosen.halo_id]
        favoured = rivals if len(rivals) == 1 else [rival for rival in rivals if rival.name == chosen.name]
        if favoured == [claim]:
            matches.links[claim.golden_id] = (chosen.halo_id, origin)
        elif len(favoured) != 1:
            others = (rival.golden_id for rival in rivals if rival is not claim)
            about = {reasons.user(chosen.halo_id), *others}
            matches.held[claim.golden_id] = reasons.reason(reasons.RIVAL_CONTACTS, about)


def _only(claim: Claim, hits: list[Candidate]) -> Candidate | None:
    if len(hits) > 1:
        hits = [hit for hit in hits if hit.name == claim.name]
    return hits[0] if len(hits) == 1 else None


@lru_cache(maxsize=50_000)
def _may_be_one_person(one: str, other: str) -> bool:
    """Whether the first name of one is among the names of the other, in some form; surnames change with marriage.

    Vendors guess addresses: jbeakey@ may be Jennifer's at the vendor and Jordan's in HaloPSA.
    """
    mine, theirs = one.split(), other.split()
    if not mine or not theirs:
        return True
    pairs = [(mine[0], name) for name in theirs] + [(theirs[0], name) for name in mine]
    levels = compare_first([left for left, _ in pairs], [right for _, right in pairs])
    return bool((levels >= CLOSE).any())


def _open(matches: ContactMatches, claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.golden_id not in matches.links and claim.golden_id not in matches.held]
