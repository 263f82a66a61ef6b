"""The second implementation: how records were matched, and which golden records are in doubt.

Belongs here: estimates, pairs, suspects of over-merge and under-merge, lineage. Does not: what survived
(second_golden.py).
Surprise: clusters are walked one by one in Python, slow and plain: this is a proof and not a plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from typing import Any

import pandas as pd

from assets.quality.second_records import Numbers, each, frame, members, rounded
from transforms.engines.port import Engine

MILLION = 1_000_000
MILLI_MAX = 20_000  # what one pair may say of a cluster
BIG_CLUSTER = 8


def matching(engine: Engine, entity: str, found: Numbers) -> None:
    """Estimates, pairs, suspects, lineage."""
    for row in each(frame(engine, f"resolved.{entity}_estimate", "measure", "value", "low", "high")):
        for field in ("value", "low", "high"):
            found[f"estimated_{row.measure}", entity, "", field] = (rounded(getattr(row, field) * MILLION), None)
    unmet = frame(engine, f"resolved.{entity}_unmet", "never_met_milli", "met_share")
    for share in unmet["met_share"]:
        found["recall_lost_to_blocking", entity, "", ""] = (rounded((1 - share) * MILLION), None)
    skipped = frame(engine, f"resolved.{entity}_block_report", "skipped_pairs")["skipped_pairs"]
    if len(skipped):
        found["skipped_pairs", entity, "", ""] = (int(skipped.sum()), None)
    pair = frame(engine, f"resolved.{entity}_pair", "l", "r", "weight")
    columns = (
        ("first_fold", "last_fold", "suffix_fold", "linkedin_slug", "organisation_site", "email", "email_domain")
        if entity == "contact"
        else ("name_fold", "linkedin_slug", "domain")
    )
    member = members(engine, entity, "source", *columns)
    golden_of = dict(zip(member["rid"], member["golden_id"], strict=True))
    left, right = pair["l"].map(golden_of), pair["r"].map(golden_of)
    together = left.notna() & (left == right)
    if len(pair):
        found["pairs", entity, "", ""] = (len(pair), None)
        found["pairs_inside", entity, "", ""] = (int(together.sum()), len(pair))
        found["pairs_at_the_cut", entity, "", ""] = (int((pair["weight"].abs() < 1000).sum()), len(pair))
    _undermerged(entity, pair, left, right, found)
    lineage = frame(engine, "golden.lineage", "golden_id", "event", "other_id")
    lineage = lineage[lineage["golden_id"].str.startswith(entity[:3])]
    for event, n in lineage["event"].value_counts().items():
        found["lineage", entity, "", str(event)] = (int(n), None)
    grown = set(lineage.loc[lineage["event"] == "merged_into", "other_id"])
    inside: defaultdict[str, list[int]] = defaultdict(list)
    for golden_id, weight in zip(left[together], pair.loc[together, "weight"], strict=True):
        inside[golden_id].append(max(-MILLI_MAX, min(MILLI_MAX, int(weight))))
    never_met = int(unmet["never_met_milli"].iloc[0]) if len(unmet) else 0
    whys: Counter[str] = Counter()
    several = member[member.duplicated("golden_id", keep=False)]
    for golden_id, rows in _clusters(several):
        if why := _doubt(entity, rows, inside[golden_id], never_met, golden_id in grown):
            whys[why] += 1
    for why, n in whys.items():
        found["overmerge", entity, "", why] = (n, None)


def _clusters(several: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    names = list(several.columns)
    for values in several.astype(object).where(several.notna(), None).itertuples(index=False):
        row = dict(zip(names, values, strict=True))
        rows[row["golden_id"]].append(row)
    return list(rows.items())


def _doubt(entity: str, rows: list[dict[str, Any]], weights: list[int], never_met: int, is_grown: bool) -> str | None:
    """The heaviest thing that speaks against a cluster."""

    def several(name: str, start: int | None = None) -> int:
        return len({row[name][:start] for row in rows if row.get(name) is not None})

    pairs = len(list(combinations(rows, 2)))
    mean = (sum(weights) + (pairs - len(weights)) * never_met) / pairs
    weakest = min(weights, default=0)
    is_contact = entity == "contact"
    names, sites = ("last_fold", "organisation_site") if is_contact else ("name_fold", "domain")
    reasons = (
        (int(mean) <= 0, "all its pairs together speak against one entity"),
        (several("linkedin_slug") > 1, "two different profiles in one cluster"),
        (is_contact and several("suffix_fold") > 1, "two different name suffixes: Jr and Sr"),
        (several(names) > 1 and several(sites) > 1, "two names with two web domains"),
        (weakest <= 0, "two of its records speak against each other"),
        (pairs > len(weights), "held together by a bridge: some of its records never met"),
        (is_contact and several("first_fold", 1) > 1, "two different initials"),
        (is_contact and several("email") > several("email_domain"), "two mailboxes at one domain"),
        (len(rows) > BIG_CLUSTER, "unusually many records"),
        (int(mean) < 6000, "its evidence is thin"),
        (is_grown, "it swallowed another golden record tonight"),
        (len(rows) > len({row["source"] for row in rows}), "one source holds it twice"),
        (several(names) > 1, "two spellings of its name"),
    )
    return next((why for is_so, why in reasons if is_so), None)


def _undermerged(entity: str, pair: pd.DataFrame, left: pd.Series, right: pd.Series, found: Numbers) -> None:
    near = left.notna() & right.notna() & (left != right) & (pair["weight"] > -4000) & (pair["weight"] < MILLION)
    best: dict[frozenset[str], int] = {}
    for one, two, weight in zip(left[near], right[near], pair.loc[near, "weight"], strict=True):
        both = frozenset((one, two))
        best[both] = max(best.get(both, int(weight)), int(weight))
    for kind, n in Counter("kept_apart" if weight > 0 else "near_miss" for weight in best.values()).items():
        found["undermerge", entity, "", kind] = (n, None)
