"""Why records are, or are not, one cluster: the pairs that hold it, the pairs that outvote one.

Belongs here: what clustering (clusters.py, kernels/refine.py) made of pairs, read back from the tables. Does not: the
evidence of a pair (explain.py), the story of a whole pair or cluster (explain_pairs.py, explain_clusters.py).
Surprise: a pair may say "the same" and yet lie across two clusters, or the reverse, because clustering looks at all
pairs of two groups.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.explain_records import Edge, Evidence, Record
from transforms.model import MILLI
from transforms.together import Together


def outcome(evidence: Evidence, left: Record, right: Record, milli: int) -> str:
    """What became of the pair: one golden record or two, and why so where the pair itself says otherwise."""
    if left.golden_id == right.golden_id:
        if milli > 0:
            return f"Both belong to golden record {left.golden_id}."
        path = _path(left.rid, right.rid, evidence, left.golden_id)
        return f"Both belong to golden record {left.golden_id} all the same: {path}."
    apart = f"They belong to two golden records, {left.golden_id} and {right.golden_id}"
    return f"{apart}: {cut_by(evidence, left, right)}." if milli > 0 else f"{apart}."


def cut_by(evidence: Evidence, left: Record, right: Record) -> str:
    """Why two records with a positive weight are not one golden record."""
    ours, theirs = evidence.members(left.golden_id), evidence.members(right.golden_id)
    decisions = evidence.decisions([record.key for record in ours])
    for one in ours:
        for other in theirs:
            if decisions.get(key_pair(one, other)) is False:
                return f"somebody decided that {one.key} and {other.key} are not the same"
    component = evidence.components([left.rid, right.rid])
    if component[left.rid] != component[right.rid]:
        return "more records hung together here than one entity can have, so only stronger pairs were kept"
    across = _across(evidence, ours, theirs)
    pairs = len(ours) * len(theirs)
    mean = (sum(edge.milli for edge in across) + evidence.never_met_milli * (pairs - len(across))) / pairs
    if mean <= 0:
        return (
            f"over all {pairs} pairs between the two the mean is {bits(mean)}, "
            f"a pair never compared counting as {bits(evidence.never_met_milli)}"
        )
    whole = _put_together(evidence, across, [*ours, *theirs])
    if whole <= 0:
        return f"what all {len(across)} compared pairs between the two tell, each fact once, is {bits(whole)}"
    # Members came one by one: what kept a part of them out need not show between the whole groups.
    return "what the first members of the two told of each other, put together, spoke against it"


def _across(evidence: Evidence, ours: list[Record], theirs: list[Record]) -> list[Edge]:
    inside = {record.rid for record in ours}
    edges = evidence.edges([record.rid for record in (*ours, *theirs)])
    return [edge for edge in edges if (edge.l in inside) != (edge.r in inside)]


def _put_together(evidence: Evidence, across: list[Edge], records: list[Record]) -> int:
    """What clustering weighed beside the mean (together.py)."""
    source = {record.rid: "" if _is_only_named(record, evidence.entity) else record.source for record in records}
    ends = [sorted((source[edge.l], source[edge.r])) for edge in across]
    columns = [[edge.pattern for edge in across], [low for low, _ in ends], [high for _, high in ends]]
    batch = pa.RecordBatch.from_arrays(
        [pa.array(column) for column in columns], ["pattern", "source_low", "source_high"]
    )
    rows = np.arange(len(across))
    return int(Together(evidence.model, batch).weigh(rows, np.zeros_like(rows))[0])


def _is_only_named(record: Record, entity: str) -> bool:
    """As sql/resolved/organisation_inside.sql says it: an employer beside a contact is no record of its source."""
    named = (f"{record.source}:name:", f"{record.source}:domain:")
    return entity == "organisation" and record.key.startswith(named)


def _path(start: int, end: int, evidence: Evidence, golden_id: str) -> str:
    """How two members that do not hold each other are held: along the strongest edges of their cluster."""
    members = {record.rid: record for record in evidence.members(golden_id)}
    reached: dict[int, list[Edge]] = {start: []}
    holding = spanning(list(members), evidence.edges(members))
    for _ in holding:  # no path is longer
        for edge in holding:
            for one, two in ((edge.l, edge.r), (edge.r, edge.l)):
                if one in reached and two not in reached:
                    reached[two] = [*reached[one], edge]
    told = (f"{members[edge.l].key} with {members[edge.r].key} ({bits(edge.milli)})" for edge in reached[end])
    return f"held together by {', '.join(told)}"


def spanning(rids: list[int], edges: list[Edge]) -> list[Edge]:
    """The strongest edges that connect all members (Kruskal); `edges` come strongest first."""
    group = {rid: rid for rid in rids}
    chosen = []
    for edge in edges:
        one, two = group[edge.l], group[edge.r]
        if one != two:
            chosen.append(edge)
            group = {rid: one if owner == two else owner for rid, owner in group.items()}
    return chosen


def support(evidence: Evidence, record: Record, rids: list[int], edges: list[Edge]) -> int | None:
    if len(rids) == 1:
        return None
    own = [edge.milli for edge in edges if record.rid in (edge.l, edge.r)]
    return round((sum(own) + evidence.never_met_milli * (len(rids) - 1 - len(own))) / (len(rids) - 1))


def bits(milli: float) -> str:
    return f"{milli / MILLI:+.1f} bits"


def key_pair(left: Record, right: Record) -> tuple[str, str]:
    one, two = sorted((left.key, right.key))
    return one, two
