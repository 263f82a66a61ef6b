"""Chance agreement: how often two records that have nothing to do with each other agree, counted.

Belongs here: u of every level from value counts and a random sample, and how what is said spreads over rare and common
values. Does not: agreement of true pairs and of other kinds (mixture.py).
Surprise: chance agreement is counted, never fitted: exact agreement from value counts over all pairs, the rest from
a random sample. Fitting it to blocked pairs, which are chosen for agreeing, turns the labels round.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.features import LEVELS, Feature, unpack

CHANCE_KEPT_MIN = 0.05
SUPPOSED_PAIRS = 20  # how many sampled pairs the guesses at u in features.py count as

Table = dict[str, np.ndarray]  # feature name -> one figure per level code


def groups(feature: Feature) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for level in feature.levels:
        found.setdefault(level.group, []).append(level.code)
    return found


def agreement(features: tuple[Feature, ...], entity: str, records: int, counts: pa.Table, values: pa.Table) -> Table:
    """How many of all pairs of records show each level: exact agreement counted, the rest from the random sample."""
    sample = counts.filter(counts["is_sample"])
    patterns = sample["pattern"].to_numpy().astype(np.int64)
    pairs = sample["pairs"].to_numpy().astype(np.float64)
    levels = unpack(patterns, entity)
    agreeing = _agreeing_pairs(values)
    all_pairs = max(records * (records - 1) / 2, 1.0)
    scale = all_pairs / max(float(pairs.sum()), 1.0)
    result: Table = {}
    for column, feature in enumerate(features):
        seen = np.bincount(levels[:, column], weights=pairs, minlength=LEVELS) if len(patterns) else np.zeros(LEVELS)
        expected = (seen + 0.5) * scale
        for level in feature.levels:
            if level.u:
                expected[level.code] = (seen[level.code] + SUPPOSED_PAIRS * level.u) * scale
            if level.value_field:
                counted = sum(agreeing.get((level.value_field, bucket), 0.0) for bucket in level.buckets)
                expected[level.code] = max(counted, 0.5)
        result[feature.name] = expected
    return result


def by_group(features: tuple[Feature, ...], expected: Table) -> Table:
    """Counts to shares inside each group of levels."""
    result: Table = {}
    for feature in features:
        chance = np.full(LEVELS, 1.0)
        for codes in groups(feature).values():
            chance[codes] = expected[feature.name][codes] / expected[feature.name][codes].sum()
        result[feature.name] = chance
    return result


def without_matches(features: tuple[Feature, ...], levels: np.ndarray, matched: np.ndarray, raw: Table) -> Table:
    """Chance agreement with the pairs that training thinks true taken out; never below a share of what was counted.

    Where many records are one entity, most agreement is not chance: leaving it in makes a rare name look common.
    """
    result: Table = {}
    for column, feature in enumerate(features):
        true = np.bincount(levels[:, column], weights=matched, minlength=LEVELS)
        result[feature.name] = np.maximum(raw[feature.name] - true, CHANCE_KEPT_MIN * raw[feature.name])
    return by_group(features, result)


def _agreeing_pairs(values: pa.Table) -> dict[tuple[str, int], float]:
    """Pairs of records, of all pairs there are, that share a value of this field and bucket."""
    usable = values.filter(pc.invert(values["is_generic"]))
    count = usable["records"].to_numpy().astype(np.float64)
    table = usable.select(["field", "bucket"]).append_column("pairs", pa.array(count * (count - 1) / 2))
    grouped = table.group_by(["field", "bucket"]).aggregate([("pairs", "sum")])
    keys = zip(grouped["field"].to_pylist(), grouped["bucket"].to_pylist(), strict=True)
    return dict(zip(keys, grouped["pairs_sum"].to_pylist(), strict=True))


def spoken_shares(features: tuple[Feature, ...], values: pa.Table) -> Table:
    """Inside "exact agreement", which share of records says a value of each bucket: a match agrees on what it says.

    A value said once agrees with nobody: most such values are slips of the pen.
    """
    usable = values.filter(pc.and_(pc.invert(values["is_generic"]), pc.greater(values["records"], 1)))
    grouped = usable.group_by(["field", "bucket"]).aggregate([("records", "sum")])
    keys = zip(grouped["field"].to_pylist(), grouped["bucket"].to_pylist(), strict=True)
    records = dict(zip(keys, grouped["records_sum"].to_pylist(), strict=True))
    shares: Table = {}
    for feature in features:
        share = np.zeros(LEVELS)
        for level in feature.levels:
            if level.value_field:
                share[level.code] = sum(records.get((level.value_field, bucket), 0) for bucket in level.buckets)
        for field in {level.value_field for level in feature.levels if level.value_field}:
            codes = [level.code for level in feature.levels if level.value_field == field]
            share[codes] = (share[codes] + 1e-3) / (share[codes].sum() + 1e-3 * len(codes))
        shares[feature.name] = share
    return shares
