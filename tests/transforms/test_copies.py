"""Exact copies: found however many there are, judged as the first of them, undone by a decision."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from transforms import clusters, pipeline
from transforms.context import Context
from transforms.contracts import TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.kernels.standardise import arrow_schema, record_number
from transforms.resolve import resolve_file

Row = dict[str, str]
ANN: Row = {"source": "a", "first_name": "Ann", "last_name": "Okafor", "email": "ann.okafor@firm.com", "city": "Leeds"}


def _strangers(count: int) -> list[Row]:
    """People, every third one told of twice."""
    people = [
        {
            "first_name": first,
            "last_name": f"{start}{middle}{end}",
            "email": f"{first}.{number}@{start}{end}.com".lower(),
        }
        for number, (first, start, middle, end) in enumerate(
            (first, start, middle, end)
            for first in ("Bea", "Cyd", "Dan", "Eve")
            for start in ("Bor", "Fel", "Gan", "Hux", "Mit")
            for middle in ("ac", "ib", "or", "un")
            for end in ("ton", "ley", "ski", "gard")
        )
    ]
    return [
        {"record_id": f"s{number}", "source": "ab"[number % 2], **people[number * 3 // 4 % len(people)]}
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [2, 16, 17, 18, 64, 65, 66, 400])
def test_exact_copies_are_found_however_many(tmp_path: Path, count: int) -> None:
    """Over 64 of them overflow every block they share; they were all lost."""
    copies = [{"record_id": f"c{number}", **ANN} for number in range(count)]

    found = _clusters([*_strangers(300), *copies], tmp_path)

    assert len({found[f"c{number}"] for number in range(count)}) == 1
    assert Counter(found.values())[found["c0"]] == count


def test_records_that_say_too_little_are_no_copies(tmp_path: Path) -> None:
    """A hundred people called Ann Lee are a hundred people."""
    namesakes = [{"record_id": str(number), "first_name": "Ann", "last_name": "Lee"} for number in range(100)]

    found = _clusters(namesakes, tmp_path)

    assert len(set(found.values())) == 100


def _clusters(rows: list[Row], folder: Path) -> dict[str, str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    pa_csv.write_csv(pa.table({name: [row.get(name) for row in rows] for name in names}), folder / "in.csv")
    resolve_file(folder / "in.csv", "contact", folder / "out.parquet")
    return {row["record_id"]: row["cluster_id"] for row in pq.read_table(folder / "out.parquet").to_pylist()}


@pytest.mark.parametrize("other", ["first", "some other"])
def test_a_decision_between_two_copies_holds_and_leaves_the_rest_together(other: str) -> None:
    """The first record stands for all others: even it may be told apart from one of them."""
    copies = [f"c{number:03}" for number in range(100)]
    ranked = sorted(copies, key=record_number)
    pair = (ranked[0] if other == "first" else ranked[30], ranked[70])
    decision = {"record_key_l": min(pair), "record_key_r": max(pair), "is_same": False}

    found = _decided([*_strangers(300), *({"record_id": key, **ANN} for key in copies)], [decision])

    assert found[pair[0]] != found[pair[1]]
    assert sorted(Counter(found[key] for key in copies).values()) == [1, 99]


def _decided(rows: list[Row], decisions: list[dict[str, object]]) -> dict[str, str]:
    schema = arrow_schema(TABLES["standardised.contact_input"])
    told = [{**row, "record_key": row["record_id"], "source_id": row["record_id"]} for row in rows]
    context = Context(run_at=datetime(2026, 1, 1, tzinfo=UTC), decisions={"contact": pa.Table.from_pylist(decisions)})
    with DuckDBEngine(threads=1) as engine:
        pipeline.prepare(engine, context)
        engine.put("standardised.contact_input", pa.Table.from_pylist(told, schema=schema))
        employers = pa.schema([("record_key", pa.string()), ("cluster_key", pa.string())])
        engine.put("resolved.organisation_cluster", employers.empty_table())
        for name in (*pipeline.STANDARDISE_STEPS["contact"], *pipeline.RESOLVE_STEPS["contact"]):
            pipeline.build(engine, name, context)
        cluster = engine.fetch("resolved.contact_cluster").to_pylist()
    return {row["record_key"]: row["cluster_key"] for row in cluster}


def test_copies_are_judged_as_their_first_record_however_many() -> None:
    """A star of equal edges was cut to nothing when it was over MEMBERS_MAX."""
    copy = np.arange(10, 5010)
    copies = pa.table({"rid": copy, "first_rid": np.full(5000, 2)})
    left, right = np.r_[1, np.full(5000, 2)], np.r_[2, copy]

    table = clusters.components(left, right, np.full(5001, 9000), copies)

    assert set(table["component"].to_pylist()) == {1}
    judged_as = dict(zip(table["rid"].to_pylist(), table["judged_as"].to_pylist(), strict=True))
    assert judged_as == {1: 1, 2: 2} | dict.fromkeys(copy.tolist(), 2)


def test_a_copy_without_an_edge_to_its_first_record_is_judged_by_itself() -> None:
    """Too little evidence, or somebody said that the two are not one."""
    copies = pa.table({"rid": [5, 6], "first_rid": [1, 1]})

    table = clusters.components(np.array([1, 1, 5]), np.array([5, 6, 7]), np.array([-10, 300, 400]), copies)

    rows = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    assert sorted(rows) == [(1, 1, 1), (5, 5, 5), (6, 1, 1), (7, 5, 7)]


def test_what_is_decided_is_not_cut_whatever_its_size() -> None:
    """Raising the demand bit by bit to a decision's weight would also have taken a billion turns."""
    left = np.arange(1, 1000)

    table = clusters.components(left, left + 1, np.full(999, 1_000_000_000_000))

    assert table.num_rows == 1000
    assert set(table["component"].to_pylist()) == {1}
