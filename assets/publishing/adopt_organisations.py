"""Adoption of clients: which HaloPSA client a golden organisation already is, before any is created.

Belongs here: choosing among golden organisations and clients, pure. Does not: weighing two of them (evidence.py),
contacts (adopt_contacts.py), reading and writing (linking.py).
Surprise: an organisation that looks like a double of another golden one is held even where HaloPSA knows neither, for
else two clients would be made of one company; its contacts need not wait, they may stand in on the other's client.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from assets.publishing import reasons
from assets.publishing.crosswalk import Origin
from assets.publishing.evidence import (
    Evidence,
    Facts,
    Relation,
    Sign,
    compare,
    fit,
    on_hosts,
    relation,
    without_shared_hosts,
)


@dataclass(frozen=True)
class Claim:
    """A golden organisation that looks for its client. `clients_of_people`: where its contacts are users already."""

    golden_id: str
    facts: Facts
    clients_of_people: frozenset[int] = frozenset()
    contacts: int = 0


@dataclass(frozen=True)
class Candidate:
    """A client that no golden record holds; `golden_id` is the one it is stamped with."""

    halo_id: int
    facts: Facts
    golden_id: str | None = None


@dataclass(frozen=True)
class Holder:
    """A golden organisation with its place: its own facts, and its client and that one's facts where it has one."""

    golden_id: str
    facts: Facts
    on_client: Facts = field(default_factory=Facts)
    halo_id: int | None = None


@dataclass(frozen=True)
class StandIn:
    """On whose client the contacts of a held organisation may be placed: all, or those with e-mail on its `hosts`."""

    golden_id: str
    hosts: frozenset[str]
    is_sure: bool


@dataclass
class OrganisationMatches:
    """Links found, organisations a person must decide on, and where the contacts of those may go meanwhile."""

    links: dict[str, tuple[int, Origin]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    stand_ins: dict[str, StandIn] = field(default_factory=dict)
    near: dict[str, frozenset[int]] = field(default_factory=dict)  # clients that a held one may turn out to be
    double_of: dict[str, frozenset[str]] = field(default_factory=dict)  # golden organisations it may be a double of


def match_organisations(
    claims: Iterable[Claim], candidates: Iterable[Candidate], holders: Iterable[Holder] = ()
) -> OrganisationMatches:
    """Golden-id field, then the client that fits best where both sides agree on it; whatever is unclear is held.

    A claim that is neither linked nor held is a company that HaloPSA does not have.
    """
    matches = OrganisationMatches()
    claims, candidates, holders = list(claims), list(candidates), list(holders)
    known = [one.facts for one in claims] + [one.facts for one in candidates]
    telling = without_shared_hosts(known + [one.facts | one.on_client for one in holders])
    open_claims = sorted(_with_hosts(claims, telling), key=_weightiest_first)
    free = sorted(_with_hosts(candidates, telling), key=lambda candidate: candidate.halo_id)
    standing = [replace(one, on_client=on_hosts(one.on_client, telling)) for one in _with_hosts(holders, telling)]
    _match_stamps(matches, open_claims, free)
    leaders = _set_doubles_aside(matches, open_claims, standing)
    _link(matches, leaders, free)
    placed = [*standing, *_newly_linked(matches, leaders, free)]
    _hold_shared_hosts(matches, leaders, placed)
    _bring_near(matches, placed)
    return matches


_Side = TypeVar("_Side", Claim, Candidate, Holder)


def _with_hosts(ones: Iterable[_Side], telling: frozenset[str]) -> list[_Side]:
    return [replace(one, facts=on_hosts(one.facts, telling)) for one in ones]


def _weightiest_first(claim: Claim) -> tuple[int, int, str]:
    return (-claim.facts.kinds_known, -claim.contacts, claim.golden_id)


def _match_stamps(matches: OrganisationMatches, claims: Sequence[Claim], candidates: Sequence[Candidate]) -> None:
    stamped: dict[str, list[int]] = defaultdict(list)
    for candidate in candidates:
        if candidate.golden_id:
            stamped[candidate.golden_id].append(candidate.halo_id)
    for claim in claims:
        hits = stamped.get(claim.golden_id, [])
        if len(hits) == 1:
            matches.links[claim.golden_id] = (hits[0], "golden_id")
        elif hits:
            matches.held[claim.golden_id] = reasons.reason(reasons.SEVERAL_STAMPED, map(reasons.client, hits))
            matches.near[claim.golden_id] = frozenset(hits)


class _Index:
    """Companies by name and host."""

    def __init__(self, holders: Iterable[Holder] = ()) -> None:
        self._by_key: dict[tuple[str, str], list[Holder]] = defaultdict(list)
        for holder in holders:
            self.add(holder)

    def add(self, holder: Holder) -> None:
        for key in holder.facts.keys:
            self._by_key[key].append(holder)

    def related(self, claim: Claim, least: Relation) -> list[tuple[Holder, Evidence]]:
        """Others than the claim itself that are `least` related to it."""
        near = {holder.golden_id: holder for key in claim.facts.keys for holder in self._by_key.get(key, ())}
        near.pop(claim.golden_id, None)
        compared = [(holder, compare(claim.facts, holder.facts)) for holder in near.values()]
        return [(holder, evidence) for holder, evidence in compared if relation(evidence) >= least]


def _set_doubles_aside(
    matches: OrganisationMatches, claims: Sequence[Claim], standing: Sequence[Holder]
) -> list[Claim]:
    """Hold each claim that has the name of a weightier one, or of one that is in HaloPSA; returns all others.

    Golden facts only: what a client says besides is weighed later, so that the next run, in which more of them are
    linked, decides the same.
    """
    index = _Index(standing)
    linked_first = sorted(claims, key=lambda claim: claim.golden_id not in matches.links)
    leaders = []
    for claim in linked_first:
        related = [] if claim.golden_id in matches.links else index.related(claim, Relation.LIKELY)
        twins = [(holder, evidence) for holder, evidence in related if evidence.is_named]
        if twins and claim.golden_id not in matches.held:
            _hold_double(matches, claim, twins)
        else:
            index.add(Holder(claim.golden_id, claim.facts))
            leaders.append(claim)
    return leaders


def _hold_double(matches: OrganisationMatches, claim: Claim, others: Sequence[tuple[Holder, Evidence]]) -> None:
    """Hold `claim` because of `others`; where one has its name and is nearest, that one's client may stand in."""
    ids = frozenset(holder.golden_id for holder, _ in others)
    best = _best([(holder, evidence) for holder, evidence in others if evidence.is_named])
    if best is not None:
        holder, evidence = best
        is_sure = relation(evidence) is Relation.SAME
        matches.stand_ins[claim.golden_id] = StandIn(holder.golden_id, holder.facts.hosts, is_sure)
        sentence, ids = reasons.TWIN, frozenset({holder.golden_id})
    else:
        sentence = reasons.TWINS if any(evidence.is_named for _, evidence in others) else reasons.SHARED_HOST
    matches.held[claim.golden_id] = sentence
    matches.double_of[claim.golden_id] = ids


def _best(found: Sequence[tuple[Holder, Evidence]]) -> tuple[Holder, Evidence] | None:
    """The one whose evidence beats that of all others."""
    winners = [
        (holder, evidence)
        for holder, evidence in found
        if all(evidence.beats(other) for rival, other in found if rival is not holder)
    ]
    return winners[0] if winners else None


_Fits = dict[tuple[str, int], Evidence]


def _link(matches: OrganisationMatches, leaders: Sequence[Claim], candidates: Sequence[Candidate]) -> None:
    """Link pairs in which each prefers the other to all others that fit it, until there is none; hold the rest."""
    fits, doubts = _fits(matches, leaders, candidates)
    while pairs := _preferred(fits):
        for golden_id, halo_id in pairs:
            origin: Origin = "domain" if fits[golden_id, halo_id].host is Sign.FOR else "name"
            matches.links[golden_id] = (halo_id, origin)
        gone = {golden_id for golden_id, _ in pairs}, {halo_id for _, halo_id in pairs}
        fits = {pair: found for pair, found in fits.items() if pair[0] not in gone[0] and pair[1] not in gone[1]}
    taken = {halo_id for halo_id, _ in matches.links.values()}
    for golden_id in sorted({golden_id for golden_id, _ in fits}):
        _hold_contested(matches, golden_id, fits)
    for golden_id, halo_ids in sorted(doubts.items()):
        if golden_id not in matches.links and golden_id not in matches.held and (left := halo_ids - taken):
            matches.held[golden_id] = reasons.reason(reasons.DOUBTFUL, map(reasons.client, left))
            matches.near[golden_id] = frozenset(left)


def _fits(
    matches: OrganisationMatches, leaders: Sequence[Claim], candidates: Sequence[Candidate]
) -> tuple[_Fits, dict[str, set[int]]]:
    """Pairs of claim and client that fit, and clients about which there is a doubt, of what is still open."""
    asking = {claim.golden_id for claim in leaders}
    by_key: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.golden_id not in asking:
            for key in candidate.facts.keys:
                by_key[key].append(candidate)
    fits: _Fits = {}
    doubts: dict[str, set[int]] = defaultdict(set)
    for claim in _open(matches, leaders):
        for candidate in {one.halo_id: one for key in claim.facts.keys for one in by_key.get(key, ())}.values():
            people = candidate.halo_id in claim.clients_of_people
            evidence = compare(claim.facts, candidate.facts, people=people)
            found = fit(evidence)
            if found >= Relation.LIKELY:
                fits[claim.golden_id, candidate.halo_id] = evidence
            elif found is Relation.DOUBTFUL:
                doubts[claim.golden_id].add(candidate.halo_id)
    return fits, doubts


def _preferred(fits: _Fits) -> list[tuple[str, int]]:
    """Pairs whose evidence beats that of every other client for the claim and of every other claim for the client."""
    rivals: dict[str | int, list[tuple[str, int]]] = defaultdict(list)
    for pair in fits:
        rivals[pair[0]].append(pair)
        rivals[pair[1]].append(pair)
    return [
        pair
        for pair, evidence in fits.items()
        if all(evidence.beats(fits[rival]) for side in pair for rival in rivals[side] if rival != pair)
    ]


def _hold_contested(matches: OrganisationMatches, golden_id: str, fits: _Fits) -> None:
    clients = {halo_id for name, halo_id in fits if name == golden_id}
    rivals = {name for name, halo_id in fits if halo_id in clients and name != golden_id}
    sentence = reasons.RIVALS if rivals else reasons.SEVERAL_CLIENTS
    matches.held[golden_id] = reasons.reason(sentence, {*map(reasons.client, clients), *rivals})
    matches.near[golden_id] = frozenset(clients)


def _newly_linked(
    matches: OrganisationMatches, leaders: Sequence[Claim], candidates: Sequence[Candidate]
) -> list[Holder]:
    facts = {candidate.halo_id: candidate.facts for candidate in candidates}
    linked = [(claim, matches.links[claim.golden_id][0]) for claim in leaders if claim.golden_id in matches.links]
    return [Holder(claim.golden_id, claim.facts, facts[halo_id], halo_id) for claim, halo_id in linked]


def _hold_shared_hosts(matches: OrganisationMatches, leaders: Sequence[Claim], standing: Sequence[Holder]) -> None:
    """Hold what may be another spelling of a company that has its place; whatever is left is created."""
    index = _Index(replace(holder, facts=holder.facts | holder.on_client) for holder in standing)
    for claim in _open(matches, leaders):
        suspects = index.related(claim, Relation.DOUBTFUL)
        if suspects:
            _hold_double(matches, claim, suspects)
        else:
            index.add(Holder(claim.golden_id, claim.facts))


def _bring_near(matches: OrganisationMatches, placed: Sequence[Holder]) -> None:
    client_of = {holder.golden_id: holder.halo_id for holder in placed if holder.halo_id is not None}
    for golden_id, others in matches.double_of.items():
        near = frozenset(client_of[other] for other in others if other in client_of)
        sentence = reasons.sentence_of(matches.held[golden_id])
        matches.held[golden_id] = reasons.reason(sentence, {*others, *map(reasons.client, near)})
        matches.near[golden_id] = near


def _open(matches: OrganisationMatches, claims: Iterable[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.golden_id not in matches.links and claim.golden_id not in matches.held]
