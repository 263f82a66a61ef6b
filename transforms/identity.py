"""Golden ids: which id a cluster of source records bears, and what happened to ids since the last commit.

Belongs here: pure functions from clusters and the registry to members and lineage. Does not: storing them (the ledger).
Surprise: no clock and no random. A new id is a digest of entity, founding record (the smallest record_key) and
generation, so the same data from an empty registry give the same ids; a generation whose id was ever given is skipped.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

PREFIX = {"organisation": "org_", "contact": "con_"}


@dataclass(frozen=True)
class Known:
    """What the registry says: last golden id per record_key, the age of each id (small is old), which are live."""

    member_of: dict[str, str]
    age_of: dict[str, int]
    live: frozenset[str]


@dataclass(frozen=True)
class Identified:
    """golden id per record_key, and events (golden_id, event, other_id), sorted."""

    golden_of: dict[str, str]
    events: tuple[tuple[str, str, str], ...]


def mint(entity: str, founder: str, generation: int = 0) -> str:
    digest = hashlib.sha256(f"{entity}\x1f{founder}\x1f{generation}".encode()).hexdigest()
    return PREFIX[entity] + digest[:20]


def identify(entity: str, cluster_of: dict[str, str], known: Known) -> Identified:
    """Each cluster inherits the id that most of its records had, the oldest on a tie; each id goes to one cluster."""
    clusters: dict[str, list[str]] = defaultdict(list)
    for record_key, cluster in cluster_of.items():
        clusters[cluster].append(record_key)
    heir_of = _heirs(clusters, known)
    given = set(known.age_of) | set(known.member_of.values())
    golden_of: dict[str, str] = {}
    name_of: dict[str, str] = {}
    for cluster in sorted(clusters, key=lambda name: min(clusters[name])):
        golden_id = heir_of.get(cluster) or _new(entity, min(clusters[cluster]), given)
        given.add(golden_id)
        name_of[cluster] = golden_id
        for record_key in clusters[cluster]:
            golden_of[record_key] = golden_id
    return Identified(golden_of, tuple(sorted(_events(clusters, name_of, golden_of, known))))


def _new(entity: str, founder: str, given: set[str]) -> str:
    generation = 0
    while (golden_id := mint(entity, founder, generation)) in given:
        generation += 1
    return golden_id


def _heirs(clusters: dict[str, list[str]], known: Known) -> dict[str, str]:
    """Claims in order of strength: most members, then the older id, then the smallest founder; first served."""
    claims = []
    for cluster, records in clusters.items():
        votes: dict[str, int] = defaultdict(int)
        for record_key in records:
            if record_key in known.member_of:
                votes[known.member_of[record_key]] += 1
        founder = min(records)
        for golden_id, count in votes.items():
            claims.append((-count, known.age_of.get(golden_id, 0), golden_id, founder, cluster))
    heir_of: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, golden_id, _, cluster in sorted(claims):
        if golden_id not in taken and cluster not in heir_of:
            heir_of[cluster] = golden_id
            taken.add(golden_id)
    return heir_of


def _events(
    clusters: dict[str, list[str]], name_of: dict[str, str], golden_of: dict[str, str], known: Known
) -> set[tuple[str, str, str]]:
    events: set[tuple[str, str, str]] = set()
    present = set(name_of.values())
    for cluster, records in clusters.items():
        golden_id = name_of[cluster]
        before = {known.member_of[key] for key in records if key in known.member_of}
        if golden_id not in known.age_of:
            events.add((golden_id, "created", ""))
            events.update((golden_id, "split_from", parent) for parent in before - {golden_id})
        elif golden_id not in known.live:
            events.add((golden_id, "revived", ""))
    # An id that no cluster bears now: merged where its records went, retired where none are left.
    heirs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for record_key, old in known.member_of.items():
        if old in known.live and old not in present:
            heirs[old]
            if record_key in golden_of:
                heirs[old][golden_of[record_key]] += 1
    for old, votes in heirs.items():
        if votes:
            survivor = min(votes, key=lambda name: (-votes[name], known.age_of.get(name, 1 << 62), name))
            events.add((old, "merged_into", survivor))
        else:
            events.add((old, "retired", ""))
    return events
