"""Whether estimates of accuracy keep what they promise: against the world's truth, and over many replications.

Belongs here: replications with known truth, the comparison with the world. Does not: estimates (assets/quality).
Surprise: coverage is counted over replications of a made-up vendor trio, for only there the truth is known to any
number of digits; the world is one draw, and says how far off one estimate is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from assets.quality import accuracy, labels
from sources.world.contacts import person_id
from sources.world.world import World
from transforms.kernels.fold import fold
from transforms.kernels.places import city_fold

TRIOS = ((0.95, 0.90, 0.85), (0.99, 0.97, 0.98), (0.80, 0.70, 0.90))  # accuracies to find again
COVERAGE = 0.75  # share of people that each source holds
SAME_ERROR = 0.05
SOURCES = ("apollo", "uplead", "zoominfo")
PEOPLE = 3_000
DRAWS = 400
# True values that a source should have said -> the standardised column that holds them.
FIELDS = {"email": "email", "linkedin_url": "linkedin_slug", "city": "city_fold", "last_name": "last_fold"}


def source_coverage(replications: int, *, seed: int) -> dict[str, float]:
    """Share of 95 % intervals that hold the true accuracy, and the mean error in points."""
    dice = np.random.Generator(np.random.PCG64(seed))
    held, errors = [], []
    for index in range(replications):
        trio = TRIOS[index % len(TRIOS)]
        found = accuracy.estimates(_seen(trio, dice), draws=DRAWS)
        assert len(found) == len(SOURCES)
        held += [one.low <= true <= one.high for one, true in zip(found, trio, strict=True)]
        errors += [abs(one.accuracy - true) * 100 for one, true in zip(found, trio, strict=True)]
    return {"covered": float(np.mean(held)), "mean_error_points": float(np.mean(errors))}


def _seen(trio: tuple[float, ...], dice: np.random.Generator) -> Mapping[accuracy.Pattern, int]:
    """Counts of patterns of agreement as three sources of these accuracies would leave them."""
    there = dice.random((PEOPLE, 3)) < COVERAGE
    is_right = dice.random((PEOPLE, 3)) < trio
    copies = dice.random((PEOPLE, 3)) < SAME_ERROR
    counts: Counter[accuracy.Pattern] = Counter()
    for row in range(PEOPLE):
        told = np.flatnonzero(there[row])
        if len(told) < 2:
            continue
        said: dict[int, int] = {}  # source -> whose value it says; -1 the true one
        for source in told.tolist():
            erred = [other for other, value in said.items() if value >= 0]
            if is_right[row, source]:
                said[source] = -1
            elif erred and copies[row, source]:
                said[source] = said[erred[0]]
            else:
                said[source] = source
        first: dict[int, str] = {}
        pattern = tuple(first.setdefault(value, SOURCES[source]) for source, value in said.items())
        counts[tuple(SOURCES[source] for source in told.tolist()), pattern] += 1
    return counts


def label_coverage(replications: int, *, seed: int) -> dict[str, float]:
    """Share of 95 % intervals of precision and recall that hold the truth, samples drawn as `report --sample` does."""
    dice = np.random.Generator(np.random.PCG64(seed))
    # stratum -> pairs, share of true ones: what the demo's contacts came to, rounded, and a harder set.
    worlds: tuple[dict[str, tuple[int, float]], ...] = (
        {
            "inside, over 24 bits": (1600, 1.0),
            "inside, 6 to 12 bits": (125, 0.99),
            "inside, 0 to 3 bits": (60, 0.9),
            "outside, -3 to 0 bits": (50, 0.15),
            "outside, under -12 bits": (900, 0.001),
        },
        {
            "inside, over 24 bits": (20_000, 0.999),
            "inside, 3 to 6 bits": (4_000, 0.93),
            "inside, 0 to 3 bits": (2_000, 0.7),
            "outside, -3 to 0 bits": (3_000, 0.3),
            "outside, -12 to -6 bits": (30_000, 0.002),
        },
    )
    held: dict[str, list[bool]] = {"precision": [], "recall": []}
    for index in range(replications):
        world = worlds[index % len(worlds)]
        true = {name: int(dice.binomial(pairs, share)) for name, (pairs, share) in world.items()}
        asked = labels.shares({name: pairs for name, (pairs, _) in world.items()}, labels.WANTED)
        strata = [
            labels.Stratum(
                name, pairs, asked[name], int(dice.hypergeometric(true[name], pairs - true[name], asked[name]))
            )
            for name, (pairs, _) in sorted(world.items())
        ]
        inside = {name for name in world if name.startswith("inside")}
        right = sum(true[name] for name in inside)
        truth = {"precision": right / sum(world[name][0] for name in inside), "recall": right / sum(true.values())}
        found = labels.estimate(strata, draws=2_000)
        for measure, value in truth.items():
            held[measure].append(found[measure]["low"] - 1e-6 <= value <= found[measure]["high"] + 1e-6)
    return {measure: float(np.mean(hits)) for measure, hits in held.items()}


def against_world(warehouse: Path, world: World) -> list[dict[str, Any]]:
    """By field and source: estimate and truth, on the very cells that the estimate was made from."""
    people = world.people
    true_of: dict[str, Callable[[int], Any]] = {
        "email": lambda row: (people.email[row] or "").lower(),
        "linkedin_url": lambda row: people.slug[row],
        "city": lambda row: city_fold(people.city[row]),
        "last_name": lambda row: fold(people.last[row]),
    }
    truth = world.truth()
    truth = truth[truth["entity"] == "contact"]
    rows = {person_id(row): row for row in range(len(people))}
    row_of = {key: rows[person] for key, person in zip(truth["record_key"], truth["entity_id"], strict=True)}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        estimated = {
            (field, source): value
            for field, source, value in connection.execute(
                "select field, source, accuracy from quality.source_accuracy where entity = 'contact'"
            ).fetchall()
        }
        cells = connection.execute(
            f"select crosswalk.golden_id, record.record_key, record.source, {', '.join(FIELDS.values())} "
            "from standardised.contact as record inner join golden.crosswalk as crosswalk "
            "on record.record_key = crosswalk.record_key and crosswalk.entity = 'contact' "
            "qualify row_number() over (partition by crosswalk.golden_id, record.source order by record.record_key) = 1"
        ).df()
    found = []
    for field, column in FIELDS.items():
        told = cells[cells[column].notna()]
        told = told[told.groupby("golden_id")["source"].transform("count") > 1]
        for source, own in told.groupby("source"):
            if (field, source) in estimated:
                hits = [
                    value == true_of[field](row_of[key])
                    for key, value in zip(own["record_key"], own[column], strict=True)
                    if key in row_of
                ]
                truth_share, estimate = float(np.mean(hits)), estimated[field, str(source)]
                found.append(
                    {
                        "field": field,
                        "source": source,
                        "estimate": round(estimate, 4),
                        "truth": round(truth_share, 4),
                        "points_off": round(abs(estimate - truth_share) * 100, 2),
                    }
                )
    return found
