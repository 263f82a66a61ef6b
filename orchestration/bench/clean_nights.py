"""Nights on which nothing is wrong: a warehouse that breathes, as real ones do, and a report every night.

Belongs here: what changes from one clean night to the next, coherent over all tables. Does not: judging (quality.py).
Surprise: who is there tonight is drawn by golden record, with all its source records, rows and writes, so that the
funnel must balance; were records dropped one by one, the planted unrest itself would not add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
from assets.quality import night
from transforms.engines.duckdb import DuckDBEngine
from transforms.pipeline import SOURCES

FIRST = datetime(2026, 11, 3, 2, tzinfo=UTC)
ABSENT_SHARE = 0.04  # golden records that are not there on the first night; half of them are at the end
LOST_SHARE = 0.01  # cells that are empty tonight and not tomorrow
QUARANTINED_MEAN = 0.5
_VENDORS = tuple(source for source in SOURCES if source != "exports")
# Table -> how its rows are known to be tonight's: the column, and which keys it holds.
_BY_RECORD = {
    **{
        f"standardised.{name}": "record_key"
        for name in ("contact", "contact_input", "organisation", "organisation_input")
    },
    "golden.crosswalk": "record_key",
}
_BY_GOLDEN = {
    **{f"golden.{name}": "golden_id" for name in ("contact", "organisation", "provenance", "lineage")},
    **{f"ops.{name}": "golden_id" for name in ("outbox", "effect", "feed")},
}
_RAW = tuple(f"raw_{source}.{entity}" for source in _VENDORS for entity in ("contact", "organisation"))
_PAIRS = ("resolved.contact_pair", "resolved.organisation_pair")
_CELLS = ("email", "phone", "mobile", "city", "job_title")


@dataclass(frozen=True)
class Night:
    """What the report of one night said."""

    night: str
    warnings: tuple[str, ...]
    unexplained: int
    places: int
    differing: int


def play(connection: duckdb.DuckDBPyConnection, nights: int, *, seed: int) -> Iterator[Night]:
    """One report after the other on `connection`, which holds a run's tables and is changed."""
    dice = np.random.Generator(np.random.PCG64(seed))
    engine = DuckDBEngine(connection)
    _keep(connection)
    golden = _column(connection, "select distinct golden_id from clean.golden_crosswalk order by 1")
    arrival = dice.permutation(len(golden)) / len(golden)
    keys = _column(connection, "select record_key from clean.standardised_contact order by 1")
    for index in range(nights):
        as_of = FIRST + timedelta(days=index)
        absent = ABSENT_SHARE * (1 - 0.5 * index / max(nights - 1, 1))
        away = (arrival < absent) ^ (dice.random(len(golden)) < 0.004)
        _tonight(connection, dice, golden[away], keys, as_of)
        night.build(engine, as_of)
        yield _told(connection)


def _column(connection: duckdb.DuckDBPyConnection, query: str) -> np.ndarray:
    return np.array([value for (value,) in connection.execute(query).fetchall()], dtype=object)


def _keep(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema clean")
    for table in (*_BY_RECORD, *_BY_GOLDEN, *_RAW, *_PAIRS):
        connection.execute(f"create table clean.{table.replace('.', '_')} as from {table}")


def _tonight(
    connection: duckdb.DuckDBPyConnection,
    dice: np.random.Generator,
    away: np.ndarray,
    keys: np.ndarray,
    as_of: datetime,
) -> None:
    connection.register("away", pa.table({"golden_id": pa.array(away, pa.string())}))
    gone = "(select record_key from clean.golden_crosswalk where golden_id in (select golden_id from away))"
    for table in _RAW:
        source = table.removeprefix("raw_").split(".")[0]
        connection.execute(
            f"create or replace table {table} as select * replace "
            # A few rows say something new, so the source is not frozen.
            f"(case when rowid % 97 = {int(dice.integers(97))} then md5(id || '{as_of}') || content_hash "
            f"else content_hash end as content_hash) from clean.{table.replace('.', '_')} as raw "
            f"where '{source}:' || id not in {gone}"
        )
    for table, column in _BY_RECORD.items():
        connection.execute(
            f"create or replace table {table} as from clean.{table.replace('.', '_')} where {column} not in {gone}"
        )
    for table, column in _BY_GOLDEN.items():
        connection.execute(
            f"create or replace table {table} as from clean.{table.replace('.', '_')} "
            f"where {column} not in (select golden_id from away)"
        )
    for table in _PAIRS:
        noise = f"cast(hash(l, r, '{as_of}') % 401 as bigint) - 200"
        connection.execute(
            f"create or replace table {table} as select * replace (weight + {noise} as weight) "
            f"from clean.{table.replace('.', '_')} where record_key_l not in {gone} and record_key_r not in {gone}"
        )
    for cell in _CELLS:
        chosen = keys[dice.random(len(keys)) < LOST_SHARE]
        connection.register("chosen", pa.table({"record_key": pa.array(chosen, pa.string())}))
        for table in ("standardised.contact", "standardised.contact_input"):
            connection.execute(f"update {table} set {cell} = null where record_key in (select record_key from chosen)")
    connection.execute("delete from raw_apollo.quarantine")
    connection.execute(
        "insert into raw_apollo.quarantine "
        "(id, entity, field, reason, remedy, payload, fetched_at, _dlt_load_id, _dlt_id) "
        "select 'q' || range, 'contact', 'email', 'too long', '', '', now(), '', '' from range(?)",
        [int(dice.poisson(QUARANTINED_MEAN))],
    )
    ran = as_of - timedelta(hours=2)
    connection.execute("update ops.freshness set read_at = ?", [ran])
    connection.execute("update ops.run set started_at = ?, ended_at = ?", [ran, ran])


def _told(connection: duckdb.DuckDBPyConnection) -> Night:
    ((told,),) = connection.execute("select night from quality.night").fetchall()
    bad = connection.execute(
        "select severity || ': ' || number_id || ' = ' || value || ', ' || reason from quality.judged "
        "where severity <> 'ok' order by 1"
    ).fetchall()
    ((unexplained, places),) = connection.execute(
        "select sum(abs(unexplained)), count(*) from quality.funnel_balance"
    ).fetchall()
    ((differing,),) = connection.execute("select count(*) from quality.self_check where differs").fetchall()
    return Night(str(told), tuple(line for (line,) in bad), int(unexplained), int(places), int(differing))
