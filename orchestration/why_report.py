"""The answer of `why` as plain data: the object of `--json`, which terminal and page draw as well.

Belongs here: names and shape, so that all three outputs show the same numbers. Does not: where the numbers come from
(transforms/explain*.py), how they look.
Surprise: scores and contributions are in bits (log2 of a likelihood ratio); contributions add up to the score. A score
above 0 says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from transforms.explain import Term
from transforms.explain_clusters import ClusterStory, NearMiss
from transforms.explain_pairs import PairStory
from transforms.explain_records import Record
from transforms.model import MILLI

SCHEMA_VERSION = 1
Report = dict[str, Any]


def pair_report(story: PairStory) -> Report:
    """Two records."""
    found = story.explanation
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "pair",
        "entity": found.entity,
        "records": [_record(story.left), _record(story.right)],
        "why": story.why,
        "same": found.is_same,
        "score": found.milli / MILLI,
        "probability": found.probability,
        "decision": found.decision,
        "contributions": [_contribution(story, term) for term in found.terms],
        "deciding": list(found.deciding),
        "score_without_deciding": None if found.milli_without is None else found.milli_without / MILLI,
        "joined": story.is_joined,
        "compared": story.is_compared,
        "replayed": story.is_replayed,
        "pattern": found.pattern,
        "shared_keys": [
            {"rule": key.rule, "key": key.key, "records": key.records, "points": key.points, "why": key.why}
            for key in story.keys
        ],
    }


def golden_report(story: ClusterStory, *, asked: str, life: list[dict[str, Any]], halo: Report | None) -> Report:
    """A golden record that is alive."""
    key_of = {member.record.rid: member.record.key for member in story.members}
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "golden",
        "golden_id": story.golden_id,
        "asked": asked,
        "entity": story.entity,
        "name": story.name,
        "why": [*_asked_for_another(asked, story.golden_id, set(key_of.values())), *story.why],
        "members": [
            {
                **_record(member.record),
                "since": _moment(member.record.since),
                "support": None if member.support_milli is None else member.support_milli / MILLI,
            }
            for member in story.members
        ],
        "edges": [
            {
                "left": key_of[edge.l],
                "right": key_of[edge.r],
                "score": edge.milli / MILLI,
                "pattern": edge.pattern,
                "holds": edge in story.holding,
                "because": story.holding.get(edge, ""),
            }
            for edge in story.edges
        ],
        "near_misses": [_near_miss(miss) for miss in story.near],
        "nearest": pair_report(story.nearest) if story.nearest else None,
        "cells": story.cells,
        "lineage": _events(life),
        "halo": _halo(halo),
    }


def gone_report(golden_id: str, *, asked: str, life: list[dict[str, Any]], halo: Report | None) -> Report:
    """A golden id that no record bears any more."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "gone",
        "golden_id": golden_id,
        "asked": asked,
        "why": [f"No source record belongs to {golden_id} any more: {life[-1]['event'].replace('_', ' ')}."],
        "lineage": _events(life),
        "halo": _halo(halo),
    }


def _asked_for_another(asked: str, golden_id: str, keys: set[str]) -> list[str]:
    if asked == golden_id:
        return []
    if any(key == asked or key.endswith(f":{asked}") for key in keys):
        return [f"{asked} belongs to golden record {golden_id}."]
    return [f"{asked} was merged into {golden_id}."]


def _contribution(story: PairStory, term: Term) -> Report:
    told = story.told.get(term.name)
    return {
        "name": term.name,
        "level": term.level,
        "words": term.words,
        "bits": term.bits,
        "decides": term.name in story.explanation.deciding,
        "left": told.left if told else "",
        "right": told.right if told else "",
        "note": told.note if told else "",
    }


def _record(record: Record) -> Report:
    return {"record_key": record.key, "source": record.source, "name": record.name, "golden_id": record.golden_id}


def _near_miss(miss: NearMiss) -> Report:
    return {
        "inside": miss.inside.key,
        "outside": miss.outside.key,
        "name": miss.outside.name,
        "golden_id": miss.outside.golden_id,
        "score": miss.milli / MILLI,
        "why": miss.why,
    }


def _events(life: list[dict[str, Any]]) -> list[Report]:
    return [
        {"event": event["event"], "other_id": event["other_id"] or "", "at": _moment(event["at"])} for event in life
    ]


def _halo(story: Any) -> Any:
    """The publishing story with its moments as text."""
    if isinstance(story, dict):
        return {name: _halo(value) for name, value in story.items()}
    if isinstance(story, list):
        return [_halo(value) for value in story]
    return _moment(story) if isinstance(story, datetime) else story


def halo_sentences(story: Report) -> list[str]:
    """Where a golden record stands towards HaloPSA, in a sentence or two."""
    told = f"HaloPSA: {story['state']} (version {story['version']})"
    if story["why"]:
        told += f": {story['why']}"
    more = [f"Refused {story['attempts']} times ({story['error_class']})."] if story["error_class"] else []
    return [f"{told}.", *more, *([f"Remedy: {story['remedy']}."] if story["remedy"] else [])]


def halo_tables(story: Report) -> list[tuple[str, tuple[str, ...], Sequence[tuple[str, ...]]]]:
    """(title, headings, rows) of the publishing story, the same for terminal and page."""
    records = [
        (f"{row['resource']} {row['halo_id']}", row["origin"], row["linked_at"], ", ".join(row["published"]))
        for row in story["records"]
    ]
    effects = [
        (
            row["sent_at"],
            f"{row['operation']} {row['resource']} {row['halo_id'] or ''}".strip(),
            " > ".join(event["state"] for event in row["events"]) or row["state"],
            row["settled_at"] or "",
            ", ".join(row["fields"]),
        )
        for row in story["effects"]
    ]
    items = [
        (
            item["opened_at"],
            item["kind"].replace("_", " "),
            " and ".join(
                f"{item['resource']} {halo_id}" for halo_id in (item["halo_id"], item["other_halo_id"]) if halo_id
            ),
            item["field"] or "",
            item["state"] if item["state"] == "open" else f"closed {item['closed_at']}",
            item["remedy"],
        )
        for item in story["work"]
    ]
    return [
        ("in HaloPSA", ("record", "found by", "since", "fields that we publish"), records),
        ("what was sent", ("sent", "write", "outcome", "settled", "fields"), effects),
        ("work list", ("since", "what", "records", "field", "state", "what to do"), items),
    ]


def _moment(moment: Any) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
