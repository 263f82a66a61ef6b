"""Golden ids: which id a cluster of source records bears, and what happened to ids since the last commit.

Belongs here: pure functions from clusters and the registry to members and lineage. Does not: storing them (the ledger).
Surprise: no clock and no random. A new id is a digest of entity, founding record (the smallest record_key) and
generation, so the same data from an empty registry give the same ids; a generation whose id was ever given is skipped.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass

PREFIX = {"organisation": "org_", "contact": "con_"}


@dataclass(frozen=True)
class Known:
    """What the registry says: last golden id per record_key, the age of each id (small is old), which are live.

    `absent`: records of `member_of` that were not there at the last commit; only their old id is remembered.
    """

    member_of: dict[str, str]
    age_of: dict[str, int]
    live: frozenset[str]
    absent: frozenset[str] = frozenset()


def mint(entity: str, founder: str, generation: int = 0) -> str:
    digest = hashlib.sha256(f"{entity}\x1f{founder}\x1f{generation}".encode()).hexdigest()
    return PREFIX[entity] + digest[:20]


def identify(entity: str, cluster_of: dict[str, str], known: Known) -> dict[str, str]:
    """The golden id of each record: a cluster inherits the id that most of its records had, the oldest on a tie.

    Each id goes to one cluster at most. Records that stayed are asked first, those that come back after them: however
    many come back together, an entity whose records stayed together keeps its id.
    """
    founder_of: dict[str, str] = {}
    for record_key, cluster in cluster_of.items():
        founder_of[cluster] = min(founder_of.get(cluster, record_key), record_key)
    member_of = known.member_of
    stayed: Counter[tuple[str, str]] = Counter()
    returned: Counter[tuple[str, str]] = Counter()
    for key, cluster in cluster_of.items():
        if key in member_of:
            (returned if key in known.absent else stayed)[cluster, member_of[key]] += 1
    name_of = _heirs(stayed, returned, founder_of, known)
    given = set(known.age_of) | set(member_of.values())
    for founder, cluster in sorted((founder_of[name], name) for name in founder_of if name not in name_of):
        name_of[cluster] = _new(entity, founder, given)
        given.add(name_of[cluster])
    return {record_key: name_of[cluster] for record_key, cluster in cluster_of.items()}


def events_of(golden_of: dict[str, str], known: Known) -> list[tuple[str, str, str]]:
    """What happened since the registry was written: (golden_id, event, other_id), sorted."""
    events: set[tuple[str, str, str]] = set()
    borne = set(golden_of.values())
    events.update((name, "created", "") for name in borne - known.age_of.keys())
    events.update((name, "revived", "") for name in borne & known.age_of.keys() - known.live)
    for record_key, name in golden_of.items():
        parent = known.member_of.get(record_key, name)
        if parent != name and name not in known.age_of:
            events.add((name, "split_from", parent))
    # An id that no cluster bears now: merged where its records went, retired where none are left.
    homeless = known.live - borne
    heirs: dict[str, dict[str, int]] = {}
    for record_key, old in known.member_of.items():
        if old in homeless:
            went = heirs.setdefault(old, defaultdict(int))
            if record_key in golden_of:
                went[golden_of[record_key]] += 1
    for old, went in heirs.items():
        if went:
            survivor = min(went, key=lambda name: (-went[name], known.age_of.get(name, 1 << 62), name))
            events.add((old, "merged_into", survivor))
        else:
            events.add((old, "retired", ""))
    return sorted(events)


def _new(entity: str, founder: str, given: set[str]) -> str:
    generation = 0
    while (golden_id := mint(entity, founder, generation)) in given:
        generation += 1
    return golden_id


def _heirs(
    stayed: Counter[tuple[str, str]], returned: Counter[tuple[str, str]], founder_of: dict[str, str], known: Known
) -> dict[str, str]:
    """Claims in order of strength: most members that stayed, then that came back, then the older id, then the smallest
    founder; first served."""
    claims = sorted(
        (-stayed[claim], -returned[claim], known.age_of.get(claim[1], 0), claim[1], founder_of[claim[0]], claim[0])
        for claim in stayed.keys() | returned.keys()
    )
    heir_of: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, _, golden_id, _, cluster in claims:
        if golden_id not in taken and cluster not in heir_of:
            heir_of[cluster] = golden_id
            taken.add(golden_id)
    return heir_of
