"""Pairs made from stated parameters: expected counts, multiplied out, so that a test knows the truth without chance.

20,000 contacts who say first and last name, employer and its address, LinkedIn and title. Accidental pairs agree by
chance; colleagues share employer and address and nothing else; true pairs agree as `TRUE` says, each fact by itself.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa

from transforms.features import FEATURES

RECORDS = 20_000
ALL_PAIRS = RECORDS * (RECORDS - 1) / 2
# feature -> (level that agrees, level that differs, values there are, records that say each)
FACTS = {
    "first": (4, 10, 500, 40),
    "last": (4, 10, 1000, 20),
    "organisation": (3, 7, 400, 50),
    "street": (2, 6, 400, 50),
    "place": (2, 10, 250, 80),
    "linkedin": (1, 3, 0, 0),
    "title": (3, 5, 2000, 10),
}
TRUE = {"first": 0.95, "last": 0.94, "organisation": 0.9, "street": 0.9, "place": 0.9, "linkedin": 0.95, "title": 0.6}
COLLEAGUES, COLLEAGUE = 40_000, {"organisation": 0.97, "street": 0.95, "place": 0.97}
BUCKET = {"first": 4, "last": 4, "organisation": 3, "street": 3, "postcode": 3, "title": 4}


def chance() -> dict[str, float]:
    return {name: values * said * (said - 1) / 2 / ALL_PAIRS for name, (_, _, values, said) in FACTS.items()}


def counts(
    true_pairs: float, *, sources: tuple[str, ...] = ("one",), met_min: float = 0.5
) -> tuple[pa.Table, np.ndarray]:
    """resolved.contact_pattern_count, and of each row the true pairs. True pairs lie across sources, others anywhere."""
    by_chance = chance()
    colleague = {**by_chance, **COLLEAGUE}
    rows, truth = [], []
    pairs_of = [(low, high) for low in sources for high in sources if low <= high]
    spread = np.asarray([1.0 if low == high else 2.0 for low, high in pairs_of])
    across = np.asarray([1.0 if low != high or len(sources) == 1 else 0.0 for low, high in pairs_of])
    for agrees in product((True, False), repeat=len(FACTS)):
        shares = [
            float(np.prod([p[name] if yes else 1 - p[name] for name, yes in zip(FACTS, agrees, strict=True)]))
            for p in (TRUE, colleague, by_chance)
        ]
        code = sum(_level(name, yes) << (4 * _column(name)) for name, yes in zip(FACTS, agrees, strict=True))
        for (low, high), of_false, of_true in zip(pairs_of, spread / spread.sum(), across / across.sum(), strict=True):
            true = true_pairs * shares[0] * of_true
            false = (COLLEAGUES * shares[1] + ALL_PAIRS * shares[2]) * of_false
            if sum(agrees) and true + false >= met_min:
                rows.append((False, code, low, high, round(true + false)))
                truth.append(true)
            sampled = round(150_000 * shares[2] * of_false)
            if sampled:
                rows.append((True, code, low, high, sampled))
                truth.append(0.0)
    names = ("is_sample", "pattern", "source_low", "source_high", "pairs")
    table = pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})
    return table, np.asarray(truth)


def values() -> pa.Table:
    said = [
        (field, said, BUCKET[field])
        for name, (_, _, values, said) in FACTS.items()
        for field in ("postcode" if name == "place" else name,)
        for _ in range(values)
    ]
    return pa.table(
        {
            "field": [name for name, _, _ in said],
            "records": [records for _, records, _ in said],
            "bucket": [bucket for _, _, bucket in said],
            "is_generic": [False] * len(said),
        }
    )


def _level(name: str, agrees: bool) -> int:
    return FACTS[name][0 if agrees else 1]


def _column(name: str) -> int:
    return [feature.name for feature in FEATURES["contact"]].index(name)
