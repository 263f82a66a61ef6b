"""The story of a golden record: what holds it together, what keeps others out, where each value came from.

Belongs here: members, pairs inside, near misses, decisions and values of one golden record, with plain sentences.
Does not: single pairs (explain_pairs.py), drawing (orchestration), what HaloPSA holds of it (issue 4 adds that beside
the values). Surprise: a pair inside may say "not the same" and the nearest pair outside "the same"; the story says why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from transforms.explain import DECIDED_MILLI, explain
from transforms.explain_joins import bits, cut_by, spanning, support
from transforms.explain_pairs import PairStory, pair_story
from transforms.explain_records import Edge, Evidence, Record, Row, quoted

NEAR_MISSES = 3
STRONGEST = 3  # words that are told of a pair that holds a cluster together


@dataclass(frozen=True)
class Member:
    """`support_milli`: mean weight against all other members, None where there is no other."""

    record: Record
    support_milli: int | None


@dataclass(frozen=True)
class NearMiss:
    inside: Record
    outside: Record
    milli: int
    why: str


@dataclass(frozen=True)
class ClusterStory:
    """`edges`: all compared pairs inside; `holding`: the strongest of them that connect all members, and by what."""

    golden_id: str
    entity: str
    name: str
    members: list[Member]
    edges: list[Edge]
    holding: dict[Edge, str]
    near: list[NearMiss]
    nearest: PairStory | None
    cells: list[Row]
    why: list[str]


def cluster_story(evidence: Evidence, golden_id: str) -> ClusterStory | None:
    """Why these records are one golden record and no others; None where the id is not alive."""
    records = evidence.members(golden_id)
    if not records:
        return None
    rids = [record.rid for record in records]
    edges = evidence.edges(rids)
    near = _near(evidence, records)
    nearest = pair_story(evidence, near[0].inside, near[0].outside) if near else None
    members = [Member(record, support(evidence, record, rids, edges)) for record in records]
    holding = {edge: _because(evidence, edge, records) for edge in spanning(rids, edges)}
    return ClusterStory(
        golden_id=golden_id,
        entity=evidence.entity,
        name=_golden_name(evidence, golden_id) or records[0].name,
        members=members,
        edges=edges,
        holding=holding,
        near=near,
        nearest=nearest,
        cells=_cells(evidence, golden_id),
        why=[*_together(members, edges), *_apart(near), *_decided(evidence, records)],
    )


def _near(evidence: Evidence, records: list[Record]) -> list[NearMiss]:
    """The best pairs that lead out of the cluster, one a golden record outside."""
    inside = {record.rid: record for record in records}
    edges = evidence.edges(inside, outward=True)
    others = evidence.of({edge.l if edge.r in inside else edge.r for edge in edges}) if edges else {}
    found: dict[str, NearMiss] = {}
    for edge in edges:
        one, two = (edge.l, edge.r) if edge.l in inside else (edge.r, edge.l)
        outside = others[two]
        if outside.golden_id in found:
            continue
        why = cut_by(evidence, inside[one], outside) if edge.milli > 0 else "this pair itself says: not the same"
        if edge.milli <= -DECIDED_MILLI:
            why = "somebody decided that these two are not the same"
        found[outside.golden_id] = NearMiss(inside[one], outside, edge.milli, why)
        if len(found) == NEAR_MISSES:
            break
    return list(found.values())


def _because(evidence: Evidence, edge: Edge, records: list[Record]) -> str:
    """The strongest that speaks for a pair, in words."""
    if edge.milli >= DECIDED_MILLI:
        return "somebody decided"
    low, high = sorted(record.source for record in records if record.rid in (edge.l, edge.r))
    terms = explain(evidence.model, edge.pattern, low, high).terms
    return "; ".join([term.words for term in terms if term.level and term.milli > 0][:STRONGEST])


def _together(members: list[Member], edges: list[Edge]) -> list[str]:
    if len(members) == 1:
        return ["One record only: nothing that was compared with it is the same."]
    against = sum(edge.milli <= 0 for edge in edges)
    pairs = len(members) * (len(members) - 1) // 2
    told = [
        f"{len(members)} records; of {pairs} pairs {len(edges) - against} say the same, {against} say not the same "
        f"and {pairs - len(edges)} were never compared."
    ]
    weakest = min(members, key=lambda member: (member.support_milli or 0, member.record.key))
    if len(members) > 2:
        told.append(f"The weakest member is {weakest.record.key}: {bits(weakest.support_milli or 0)} to the others.")
    return told


def _apart(near: list[NearMiss]) -> list[str]:
    if not near:
        return ["No record outside was worth comparing with it."]
    best = near[0]
    return [f"Nearest outside is {best.outside.key} of {best.outside.golden_id} ({_said(best.milli)}): {best.why}."]


def _decided(evidence: Evidence, records: list[Record]) -> list[str]:
    decisions = sorted(evidence.decisions([record.key for record in records]).items())
    return [
        f"Somebody decided: {one} and {two} are {'the same' if is_same else 'not the same'}."
        for (one, two), is_same in decisions
    ]


def _said(milli: int) -> str:
    return "decided" if abs(milli) >= DECIDED_MILLI else bits(milli)


def _golden_name(evidence: Evidence, golden_id: str) -> str:
    table = f"golden.{evidence.entity}"
    if not evidence.engine.has(table):
        return ""
    names = ("name",) if evidence.entity == "organisation" else ("first_name", "last_name")
    rows = evidence.engine.fetch(f"{table} where golden_id = {quoted(golden_id)}", names).to_pylist()
    return " ".join(str(rows[0][name]) for name in names if rows[0][name]) if rows else ""


def _cells(evidence: Evidence, golden_id: str) -> list[Row]:
    """field, value, source, record_key, rule, losers: a list of [record_key, value], best first."""
    if not evidence.engine.has("golden.provenance"):
        return []
    rows = evidence.engine.fetch(f"golden.provenance where golden_id = {quoted(golden_id)}").to_pylist()
    return [
        {name: row[name] for name in ("field", "value", "record_key", "rule")}
        | {"source": (row["record_key"] or "").split(":")[0], "losers": json.loads(row["losers"] or "[]")}
        for row in sorted(rows, key=lambda row: str(row["field"]))
    ]
