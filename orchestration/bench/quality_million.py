"""A report on a million source records: seconds of the tables, of the second implementation, of the page.

Belongs here: multiplying a real warehouse, and the report on it. Does not: receipts (quality.py).
Surprise: the warehouse of a demo is copied with other ids, as bench publish does: matching a million records anew takes
hours with HaloPSA's limits in it and changes nothing of what a report costs. So the seconds of the full path are those
of the demo times the copies, and said to be that.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from assets.quality import night
from assets.quality.document import document
from assets.quality.page import page
from transforms.engines.duckdb import DuckDBEngine
from transforms.pipeline import SOURCES

OFFSET = 10_000_000  # between the numbers of two copies; rids are wider and wrap nowhere near
_NUMBERS = frozenset({"rid", "l", "r", "effect_id", "halo_id"})
_NAMES = frozenset(
    {"id", "source_id", "record_key", "record_key_l", "record_key_r", "golden_id", "other_id", "organisation_golden_id"}
    | {"organisation_key", "parent_key", "email", "linkedin_url", "linkedin_slug", "domain"}
)
_TABLES = (
    *(f"raw_{source}.{entity}" for source in SOURCES if source != "exports" for entity in ("contact", "organisation")),
    *(f"standardised.{name}" for name in ("contact", "contact_input", "organisation", "organisation_input")),
    *(f"golden.{name}" for name in ("contact", "organisation", "crosswalk", "provenance", "lineage")),
    *("resolved.contact_pair", "resolved.organisation_pair", "ops.outbox", "ops.effect", "ops.feed"),
    *("raw_halopsa.client", "raw_halopsa.user"),
)


def multiplied(path: Path, records: int) -> int:
    """Copy the tables in the warehouse at `path` until there are so many source records; gives the copies."""
    with duckdb.connect(str(path), config={"temp_directory": str(path.parent)}) as connection:
        ((there,),) = connection.execute(
            "select (select count(*) from standardised.contact) + (select count(*) from standardised.organisation)"
        ).fetchall()
        copies = -(-records // there)
        for table in _TABLES:
            columns = [column for column, *_ in connection.execute(f"describe {table}").fetchall()]
            shown = ", ".join(_copied(column) for column in columns)
            connection.execute(
                f"create or replace table {table} as select {shown} from {table} "
                f"cross join (select range as n from range({copies}))"
            )
        connection.execute("checkpoint")
    return copies


def _copied(column: str) -> str:
    name = f'"{column}"'
    if column in _NAMES:
        return f"{name} || case when n = 0 then '' else '~' || n end as {name}"
    return f"{name} + n * {OFFSET} as {name}" if column in _NUMBERS else name


def timed(path: Path) -> dict[str, Any]:
    """Seconds, wall and CPU, of one report on the warehouse at `path`."""
    began, cpu = time.perf_counter(), time.process_time()
    second_s = 0.0
    with duckdb.connect(str(path), config={"temp_directory": str(path.parent)}) as connection:
        engine = DuckDBEngine(connection)
        night.prepare(engine, datetime(2026, 11, 2, 12, tzinfo=UTC))
        steps: dict[str, float] = {}
        for name in night.NAMES:
            at = time.perf_counter()
            night.make(engine, name)
            steps[name] = round(time.perf_counter() - at, 2)
        second_s = steps["quality.self_check"]
        text = page(document(engine))
        ((differing,),) = connection.execute("select count(*) from quality.self_check where differs").fetchall()
        ((records,),) = connection.execute(
            "select (select count(*) from standardised.contact) + (select count(*) from standardised.organisation)"
        ).fetchall()
    return {
        "records": int(records),
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "of which second implementation": second_s,
        "slowest": dict(sorted(steps.items(), key=lambda item: -item[1])[:5]),
        "page_bytes": len(text.encode()),
        "numbers_that_differ": int(differing),
    }
