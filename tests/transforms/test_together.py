"""Two groups weighed as one pair: silence is no evidence, each fact counts once, each source that doubts counts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from transforms.calibration import Calibration
from transforms.engines.duckdb import DuckDBEngine
from transforms.features import BITS, FEATURES
from transforms.kernels.refine import refine
from transforms.model import Model, pair_name
from transforms.together import Together

# Thousandths of a bit of the levels missing, same and different.
WORTH = {
    "first": [0, 12000, -6000],
    "linkedin": [0, 20000, -6000],
    "title": [0, 8000, -3000],
    "mail": [0, 15000, -5000],
}
PRIOR_BITS = -8.0
SOURCES = {
    pair_name("one", "one"): -3000,
    pair_name("two", "two"): -2000,
    pair_name("one", "two"): 500,
}
SAME, DIFFERS = 1, 2
Row = tuple[int, str, str]


@pytest.fixture(scope="module")
def model() -> Model:
    silent = [0] * 16
    return Model(
        entity="contact",
        records=1000,
        prior_log2=PRIOR_BITS,
        weights={
            feature.name: (WORTH[feature.name] + silent)[:16] if feature.name in WORTH else silent
            for feature in FEATURES["contact"]
        },
        m={},
        u={},
        sources=SOURCES,
        calibration=Calibration(),
    )


def _pattern(**levels: int) -> int:
    place = {feature.name: index for index, feature in enumerate(FEATURES["contact"])}
    return sum(level << BITS * place[name] for name, level in levels.items())


def _batch(rows: list[Row]) -> pa.RecordBatch:
    columns = [pa.array(list(column)) for column in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(columns, ["pattern", "source_low", "source_high"])


def _weighed(model: Model, rows: list[Row]) -> int:
    places = np.arange(len(rows))
    return int(Together(model, _batch(rows)).weigh(places, np.zeros_like(places))[0])


def test_one_pair_weighs_what_it_weighs(model: Model) -> None:
    rows: list[Row] = [(_pattern(first=SAME, title=DIFFERS), "one", "two"), (_pattern(linkedin=SAME), "one", "one")]

    alone = Together(model, _batch(rows)).weigh(np.arange(2), np.arange(2))

    assert alone.tolist() == model.weigh(pa.Table.from_batches([_batch(rows)]))["weight"].to_pylist()


def test_a_pair_that_is_silent_does_not_soften_what_another_tells(model: Model) -> None:
    rows: list[Row] = [(_pattern(first=SAME, linkedin=DIFFERS), "one", "two"), (_pattern(first=SAME), "one", "two")]

    assert _weighed(model, rows) == -8000 + 12000 - 6000 + 500


def test_a_fact_told_by_many_pairs_counts_once(model: Model) -> None:
    row: Row = (_pattern(first=SAME, title=DIFFERS), "one", "two")

    assert _weighed(model, [row] * 6) == _weighed(model, [row])


def test_each_source_that_names_both_groups_counts_once(model: Model) -> None:
    told = _pattern(first=SAME)
    rows: list[Row] = [(told, "one", "one"), (told, "one", "one"), (told, "two", "two"), (told, "one", "two")]

    assert _weighed(model, rows) == -8000 + 12000 - 3000 - 2000 + 500


def test_what_is_no_record_of_a_source_says_nothing_of_sources(model: Model) -> None:
    told = _pattern(first=SAME)
    rows: list[Row] = [(told, "", "one"), (told, "", ""), (told, "one", "two")]

    assert _weighed(model, rows) == -8000 + 12000 + 500
    assert _weighed(model, rows[:2]) == -8000 + 12000


def test_an_employer_beside_a_contact_is_no_record_of_its_source() -> None:
    """One source wrote an employer in two ways; counted as two records of it, they and the real one stayed apart."""
    keys = ["one:7", "one:name:acme", "one:name:acme uk", "two:domain:acme.com", "two:9"]
    rids = range(len(keys))
    with DuckDBEngine() as engine:
        one_component = {"component": [0] * len(keys), "judged_as": rids}
        engine.put("resolved.organisation_component", pa.table({"rid": rids, **one_component}))
        engine.put("resolved.organisation_reopened", pa.table({"rid": rids}))
        sources = [key.split(":")[0] for key in keys]
        engine.put("resolved.organisation_feature", pa.table({"rid": rids, "record_key": keys, "source": sources}))
        pairs = [(0, 1), (1, 2), (1, 3), (0, 4)]
        ends = {"l": [left for left, _ in pairs], "r": [right for _, right in pairs]}
        rest = {"weight": [0] * len(pairs), "pattern": [0] * len(pairs)}
        engine.put("resolved.organisation_pair", pa.table({**ends, **rest}))

        engine.sql("resolved.organisation_inside")
        found = engine.fetch("resolved.organisation_inside").sort_by([("l", "ascending"), ("r", "ascending")])

    sources_of = zip(found["source_low"].to_pylist(), found["source_high"].to_pylist(), strict=True)
    assert list(sources_of) == [("", ""), ("one", "two"), ("", ""), ("", "")]


def test_two_namesakes_told_by_many_records_stay_two(model: Model) -> None:
    """Each pair across has little against it, so the mean would join; put together page, title and mailbox differ."""
    inside = _pattern(first=SAME, linkedin=SAME, title=SAME)
    across = {
        (1, 3): _pattern(first=SAME, linkedin=DIFFERS),
        (1, 4): _pattern(first=SAME, title=DIFFERS),
        (2, 3): _pattern(first=SAME, mail=DIFFERS),
        (2, 4): _pattern(first=SAME),
    }
    patterns = {(1, 2): inside, (3, 4): inside, **across}
    batch = _batch([(pattern, "one", "two") for _, pattern in sorted(patterns.items())])
    weight = model.weigh(pa.Table.from_batches([batch]))["weight"]
    crossing = [figure for pair, figure in zip(sorted(patterns), weight.to_pylist(), strict=True) if pair in across]
    assert sum(crossing) > 0

    left, right = zip(*sorted(patterns), strict=True)
    whole = pa.RecordBatch.from_arrays(
        [pa.array([1] * len(left)), pa.array(left), pa.array(right), weight.combine_chunks(), *batch.columns],
        ["component", "l", "r", "weight", *batch.schema.names],
    )

    assert refine(whole, never_met=-4000).column("cluster_rid").to_pylist() == [1, 1, 1, 1]
    assert refine(whole, never_met=-4000, model=model).column("cluster_rid").to_pylist() == [1, 1, 3, 3]


def test_what_somebody_decided_is_not_refused(model: Model) -> None:
    """A yes between two that all evidence keeps apart."""
    inside, apart = _pattern(first=SAME, linkedin=SAME), _pattern(first=DIFFERS, linkedin=DIFFERS)
    rows: list[Row] = [(inside, "one", "two"), (apart, "one", "one"), (apart, "one", "two")]
    whole = pa.RecordBatch.from_arrays(
        [
            pa.array([1] * 3),
            pa.array([1, 1, 2]),
            pa.array([2, 3, 3]),
            pa.array([24500, 10**12, -23000]),
            *_batch(rows).columns,
        ],
        ["component", "l", "r", "weight", "pattern", "source_low", "source_high"],
    )

    assert refine(whole, never_met=-4000, model=model).column("cluster_rid").to_pylist() == [1, 1, 1]
