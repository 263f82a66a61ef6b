"""The model: what matching learned from one body of data, without labels, and how it weighs a pattern.

Belongs here: training (EM over distinct patterns), weights of patterns, the stored form. Does not: what levels mean
(features.py), the cut and the calibration (calibration.py), where models are kept (the ledger).
Surprise: chance agreement (u) is counted, never fitted: exact agreement from value counts over all pairs, the rest from
a random sample. Fitting it to blocked pairs, which are chosen for agreeing, turns the labels round.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from transforms import calibration
from transforms.calibration import Calibration
from transforms.features import FEATURES, LEVELS, Feature, unpack

VERSION = 1
VALUE_SCHEMA = pa.schema(
    [
        ("field", pa.string()),
        ("value", pa.string()),
        ("bucket", pa.int64()),
        ("initials", pa.int64()),
        ("is_generic", pa.bool_()),
    ]
)
MILLI = 1000  # weights are kept in thousandths of a bit, as integers: sums and means are exact on every engine
ROUNDS = 40
CLEANINGS = 3  # times that the pairs thought true are taken out of chance agreement
CHANCE_KEPT_MIN = 0.05
SUPPOSED_PAIRS = 20  # how many sampled pairs the guesses at u in features.py count as
SAMPLE_ROUNDS_EPSILON = 1e-7
WEIGHT_BITS_MAX = 22.0  # no single feature may decide alone against all others
CONFLICT_BITS = -8.0  # Jr against Sr: too rare to learn, never harmless


class Model(BaseModel):
    """Everything learned. Frozen between trainings: the same pattern weighs the same until the next one."""

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    entity: str
    records: int
    prior_log2: float
    weights: dict[str, list[int]]  # feature -> weight of each level in thousandths of a bit
    m: dict[str, list[float]]
    u: dict[str, list[float]]
    calibration: Calibration
    values: dict[str, dict[str, tuple[int, int, bool]]] = {}  # field -> value -> bucket, initials, generic; rest rare

    def with_values(self, common: pa.Table) -> Model:
        """The same model that also knows these values (resolved.*_value) as other than rare."""
        values: dict[str, dict[str, tuple[int, int, bool]]] = {}
        for row in common.sort_by([("field", "ascending"), ("value", "ascending")]).to_pylist():
            values.setdefault(row["field"], {})[row["value"]] = (row["bucket"], row["initials"], row["is_generic"])
        return self.model_copy(update={"values": values})

    def value_table(self) -> pa.Table:
        """The known values in the shape of resolved.*_value."""
        rows = [(name, value, *known) for name, values in self.values.items() for value, known in values.items()]
        columns = list(zip(*rows, strict=True)) if rows else [[], [], [], [], []]
        return pa.table([pa.array(column, kind) for column, kind in zip(columns, VALUE_SCHEMA.types, strict=True)], schema=VALUE_SCHEMA)

    def score(self, patterns: np.ndarray) -> np.ndarray:
        """Sum of the evidence of each pattern, thousandths of a bit, the prior not included."""
        levels = unpack(patterns, self.entity)
        total = np.zeros(len(patterns), dtype=np.int64)
        for column, feature in enumerate(FEATURES[self.entity]):
            total += np.asarray(self.weights[feature.name], dtype=np.int64)[levels[:, column]]
        return total

    def weigh(self, seen: pa.Table) -> pa.Table:
        """pattern, source_low, source_high -> with weight (thousandths of a bit above the cut) and probability."""
        patterns = seen["pattern"].to_numpy().astype(np.int64)
        low, high = seen["source_low"].to_pylist(), seen["source_high"].to_pylist()
        weight = self.calibration.weight_milli(self.score(patterns), low, high)
        odds = np.exp2(np.clip(weight / MILLI, -60, 60))
        return pa.table(
            {
                "pattern": patterns,
                "source_low": pa.array(low, pa.string()),
                "source_high": pa.array(high, pa.string()),
                "weight": weight,
                "probability": np.round(odds / (1 + odds), 6),
            }
        )

    @property
    def threshold(self) -> float:
        """The cut on the evidence scale, in bits: pairs above it are more likely one entity than two."""
        return self.calibration.threshold_bits


def train(entity: str, *, records: int, counts: pa.Table, values: pa.Table) -> Model:
    """Learn from pattern counts (resolved.*_pattern_count) and value counts (resolved.*_value)."""
    features = FEATURES[entity]
    raw = _agreement(features, entity, records, counts, values)
    chance = _grouped(features, raw)
    candidates = counts.filter(pc.invert(counts["is_sample"]))
    grouped = candidates.group_by("pattern").aggregate([("pairs", "sum")]).sort_by("pattern")
    patterns = grouped["pattern"].to_numpy().astype(np.int64)
    pairs = grouped["pairs_sum"].to_numpy().astype(np.float64)
    shares = _bucket_shares(features, values)
    levels = unpack(patterns, entity)
    m, prior, matched = _expectation_maximisation(features, levels, pairs, chance, shares, records)
    for _ in range(CLEANINGS):
        chance = _without_matches(features, levels, matched, raw, records)
        m, prior, matched = _expectation_maximisation(features, levels, pairs, chance, shares, records)
    weights = _weights(features, m, chance)
    draft = Model(
        entity=entity,
        records=records,
        prior_log2=float(np.log2(prior / (1 - prior))),
        weights=weights,
        m=_listed(m),
        u=_listed(chance),
        calibration=Calibration(),
    )
    scores = draft.score(candidates["pattern"].to_numpy().astype(np.int64))
    fitted = calibration.fit(
        scores / MILLI,
        candidates["pairs"].to_numpy().astype(np.float64),
        candidates["source_low"].to_pylist(),
        candidates["source_high"].to_pylist(),
        records=records,
        chance=_random_mix(counts),
        prior_log2=draft.prior_log2,
    )
    return draft.model_copy(update={"calibration": fitted})


def _random_mix(counts: pa.Table) -> dict[str, float]:
    """How the random sample spreads over source pairs."""
    sample = counts.filter(counts["is_sample"]).group_by(["source_low", "source_high"]).aggregate([("pairs", "sum")])
    names = zip(sample["source_low"].to_pylist(), sample["source_high"].to_pylist(), strict=True)
    return {
        calibration.pair_name(*name): float(pairs)
        for name, pairs in zip(names, sample["pairs_sum"].to_pylist(), strict=True)
    }


Table = dict[str, np.ndarray]  # feature name -> one figure per level code


def _listed(table: Table) -> dict[str, list[float]]:
    return {name: [round(float(figure), 12) for figure in figures] for name, figures in table.items()}


def _groups(feature: Feature) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for level in feature.levels:
        groups.setdefault(level.group, []).append(level.code)
    return groups


def _agreement(features: tuple[Feature, ...], entity: str, records: int, counts: pa.Table, values: pa.Table) -> Table:
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


def _grouped(features: tuple[Feature, ...], expected: Table) -> Table:
    """Counts to shares inside each group of levels."""
    result: Table = {}
    for feature in features:
        chance = np.full(LEVELS, 1.0)
        for codes in _groups(feature).values():
            chance[codes] = expected[feature.name][codes] / expected[feature.name][codes].sum()
        result[feature.name] = chance
    return result


def _without_matches(
    features: tuple[Feature, ...], levels: np.ndarray, matched: np.ndarray, raw: Table, records: int
) -> Table:
    """Chance agreement with the pairs that training thinks true taken out; never below a share of what was counted.

    Where many records are one entity, most agreement is not chance: leaving it in makes a rare name look common.
    """
    result: Table = {}
    for column, feature in enumerate(features):
        true = np.bincount(levels[:, column], weights=matched, minlength=LEVELS)
        result[feature.name] = np.maximum(raw[feature.name] - true, CHANCE_KEPT_MIN * raw[feature.name])
    return _grouped(features, result)


def _agreeing_pairs(values: pa.Table) -> dict[tuple[str, int], float]:
    """Pairs of records, of all pairs there are, that share a value of this field and bucket."""
    usable = values.filter(pc.invert(values["is_generic"]))
    count = usable["records"].to_numpy().astype(np.float64)
    table = usable.select(["field", "bucket"]).append_column("pairs", pa.array(count * (count - 1) / 2))
    grouped = table.group_by(["field", "bucket"]).aggregate([("pairs", "sum")])
    keys = zip(grouped["field"].to_pylist(), grouped["bucket"].to_pylist(), strict=True)
    return dict(zip(keys, grouped["pairs_sum"].to_pylist(), strict=True))


def _bucket_shares(features: tuple[Feature, ...], values: pa.Table) -> Table:
    """Inside "exact agreement", which share of records says a value of each bucket: a match agrees on what it says."""
    usable = values.filter(pc.invert(values["is_generic"]))
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


def _expectation_maximisation(
    features: tuple[Feature, ...],
    levels: np.ndarray,
    pairs: np.ndarray,
    chance: Table,
    shares: Table,
    records: int,
) -> tuple[Table, float, np.ndarray]:
    """m, the prior, and of each pattern the number of pairs thought true; unblocked pairs count as non-matches."""
    all_pairs = max(records * (records - 1) / 2, float(pairs.sum()), 2.0)
    m = {feature.name: _start(feature, shares[feature.name]) for feature in features}
    prior = min(max(0.3 * records / all_pairs, 1e-9), 0.2)
    for _ in range(ROUNDS):
        weight = np.full(len(pairs), np.log2(prior / (1 - prior)))
        for column, feature in enumerate(features):
            weight += _bits(feature, m[feature.name], chance[feature.name])[levels[:, column]]
        matched = pairs / (1 + np.exp2(-np.clip(weight, -60, 60)))
        for column, feature in enumerate(features):
            seen = np.bincount(levels[:, column], weights=matched, minlength=LEVELS)
            m[feature.name] = _share_out(feature, seen, shares[feature.name])
        prior_now = min(max(float(matched.sum()) / all_pairs, 1e-12), 0.5)
        if abs(prior_now - prior) < SAMPLE_ROUNDS_EPSILON * prior:
            break
        prior = prior_now
    return m, prior, matched


def _start(feature: Feature, share: np.ndarray) -> np.ndarray:
    seen = np.zeros(LEVELS)
    for level in feature.levels:
        seen[level.code] = level.m
    return _share_out(feature, seen * 100, share)


def _share_out(feature: Feature, seen: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Counts of matched pairs to shares inside each group, smoothed by the start; exact levels tied by bucket share."""
    smooth = np.full(LEVELS, 1.0)
    smooth[[level.code for level in feature.levels]] = [seen[level.code] + 5.0 * level.m for level in feature.levels]
    for field in {level.value_field for level in feature.levels if level.value_field}:
        codes = [level.code for level in feature.levels if level.value_field == field]
        smooth[codes] = smooth[codes].sum() * share[codes]
    m = np.full(LEVELS, 1.0)
    for codes in _groups(feature).values():
        m[codes] = smooth[codes] / smooth[codes].sum()
    return m


def _bits(feature: Feature, m: np.ndarray, u: np.ndarray) -> np.ndarray:
    """log2(m/u) of each level, kept sane: bounded, agreement never against, disagreement never for."""
    bits = np.log2(np.maximum(m, 1e-12) / np.maximum(u, 1e-12))
    bits = np.clip(bits, -WEIGHT_BITS_MAX, WEIGHT_BITS_MAX)
    for level in feature.levels:
        if level.name.startswith(("different", "elsewhere", "same domain, other")):
            bits[level.code] = min(bits[level.code], 0.0)
        if level.value_field or level.name == "same":
            bits[level.code] = max(bits[level.code], 0.0)
        if level.name == "conflict":
            bits[level.code] = min(bits[level.code], CONFLICT_BITS)
    return bits


def _weights(features: tuple[Feature, ...], m: Table, u: Table) -> dict[str, list[int]]:
    return {
        feature.name: [round(float(bits) * MILLI) for bits in _bits(feature, m[feature.name], u[feature.name])]
        for feature in features
    }
