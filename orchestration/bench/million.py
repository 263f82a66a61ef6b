"""How long `why GOLDEN_ID` takes on a million golden records: their ledger, and the tables of the run that made them.

Belongs here: multiplying a small real world into a large one, and asking. Does not: receipts (publish.py), the answer
(orchestration/why.py).
Surprise: the world is made by the demo and then copied with other ids, ledger and tables alike, for what is measured is
finding one record among many; matching a million records anew would take hours and change nothing of that.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from assets.publishing import heads, tables
from assets.publishing.ledger import Ledger
from assets.publishing.tables import stored
from transforms.contracts import ENTITIES

from orchestration import settings as settings_module
from orchestration.bench.processes import Limits, measure
from orchestration.why import _of_one
from orchestration.why_tables import of_data

PEOPLE = 3_000  # of the world that is multiplied
ASKED = 40
PROCESSES = 5
OFFSET = 10_000_000  # between the numbers of two copies
_NUMBERS = frozenset({"rid", "l", "r", "component", "first_rid", "effect_id", "event_id", "item_id", "halo_id"})
_NAMES = frozenset({"record_key", "golden_id", "other_id", "parent_golden_id", "organisation_golden_id", "cluster_key"})
_LEDGER = (
    *(tables.golden_id, tables.registry, tables.lineage, tables.head, tables.outbox),
    *(tables.effect, tables.effect_event, tables.crosswalk, tables.work_item),
)


def why_figures(records: int) -> dict[str, Any]:
    """Seconds per answer, wall and CPU: the look-up alone, and the whole program with its start."""
    with tempfile.TemporaryDirectory(prefix="halosync-bench-") as folder:
        root = Path(folder)
        environment = {**os.environ, "HALOSYNC_DATA": str(root), "HALOSYNC_LEDGER_URL": ""}
        program = [sys.executable, "-m", "orchestration"]
        made = _run([*program, "demo", "--people", str(PEOPLE), "--json"], root, environment)
        assert made["exit_code"] == 0, (root / "err").read_text()[-2_000:]
        data = root / "demo"
        ids = _multiplied(data, records)
        settings = settings_module.load(env_file=None).model_copy(update={"data": data, "ledger_url": None})
        look_ups = []
        for golden_id in ids:
            began, cpu = time.perf_counter(), time.process_time()
            with ExitStack() as stack:
                found = of_data(settings, stack)
                assert _of_one(found, found.entities, golden_id)
            look_ups.append((time.perf_counter() - began, time.process_time() - cpu))
        asked = {**environment, "HALOSYNC_DATA": str(data)}
        whole = [_run([*program, "why", golden_id, "--json"], root, asked) for golden_id in ids[:PROCESSES]]
        assert all(one["exit_code"] == 0 for one in whole), (root / "err").read_text()[-2_000:]
        return {
            "golden_records": _count(data),
            "ledger_mb": round((data / "ledger.sqlite").stat().st_size / 1e6),
            "tables_mb": round((data / "inspect.duckdb").stat().st_size / 1e6),
            "look_up": _spread([wall for wall, _ in look_ups]),
            "look_up_cpu": _spread([cpu for _, cpu in look_ups]),
            "program": _spread([one["wall_s"] for one in whole]),
            "program_cpu": _spread([one["cpu_s"] for one in whole]),
            "program_peak_mb": max(one["peak_mb"] for one in whole),
            "load": os.getloadavg()[0],
        }


def _run(command: list[str], root: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    return asdict(measure(command, stdout=root / "out", stderr=root / "err", limits=Limits(), environment=environment))


def _spread(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median_s": round(statistics.median(ordered), 3),
        "p95_s": round(ordered[int(len(ordered) * 0.95)], 3),
        "max_s": round(ordered[-1], 3),
    }


def _multiplied(data: Path, records: int) -> list[str]:
    """Copies until there are so many live golden records; gives some of their ids, from all over."""
    ledger = Ledger.open(data / "ledger.sqlite")
    copies = -(-records // sum(heads.count_live(ledger).values()))
    with ledger.transaction() as connection:
        for table in _LEDGER:
            _copy_in_ledger(connection, table, copies)
    with ledger.read() as connection:
        is_some = sa.and_(tables.head.c.is_live, tables.head.c.golden_id.like(f"%~{copies // 2}"))
        query = sa.select(tables.head.c.golden_id).where(is_some).order_by(tables.head.c.golden_id)
        found = list(connection.scalars(query))
    ledger.close()
    _copy_tables(data / "inspect.duckdb", copies)
    return found[:: max(1, len(found) // ASKED)][:ASKED]


def _copy_in_ledger(connection: sa.Connection, table: sa.Table, copies: int) -> None:
    number = sa.select(sa.literal(1).label("n")).cte("number", recursive=True)
    number = number.union_all(sa.select(number.c.n + 1).where(number.c.n < copies - 1))

    def copied(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        raw = stored(column)
        if column.name in _NAMES:
            return sa.case((raw.element == "", ""), else_=raw.element + "~" + sa.cast(number.c.n, sa.Text))
        return raw.element + number.c.n * OFFSET if column.name in _NUMBERS else raw.element

    raw = sa.table(table.name, *(sa.column(str(column.key)) for column in table.columns))
    names = [str(column.key) for column in table.columns]
    connection.execute(
        sa.insert(raw).from_select(
            names, sa.select(*map(copied, table.columns)).select_from(table).join(number, sa.true())
        )
    )


def _copy_tables(path: Path, copies: int) -> None:
    """The tables that `why` reads, each copied with other ids; the others stay as they are."""
    with duckdb.connect(str(path), config={"memory_limit": "4GB", "temp_directory": str(path.parent)}) as connection:
        numbers = connection.sql(f"select range as n from range({copies})")
        for name in _read_by_why(connection):
            relation = connection.table(name)
            columns = ", ".join(_copied(column) for column in relation.columns)
            copied = relation.cross(numbers).project(columns)
            if name == "golden.provenance":  # in its own order, as provenance.sql makes it
                copied = copied.order("golden_id, field")
            copied.create(f"{name}_copied")
            schema, table = name.split(".")
            connection.execute(f"drop table {name}")
            connection.execute(f"alter table {schema}.{table}_copied rename to {table}")
        connection.execute("checkpoint")


def _read_by_why(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    known = {f"{schema}.{table}" for schema, table in connection.sql(
        "select schema_name, table_name from duckdb_tables()").fetchall()}  # fmt: skip
    wanted = ["golden.provenance", "golden.crosswalk", "golden.lineage"]
    for entity in ENTITIES:
        wanted += [f"golden.{entity}", f"golden.{entity}_identity", f"standardised.{entity}"]
        wanted += [f"resolved.{entity}_{part}" for part in ("pair", "cluster", "feature", "key")]
    return (name for name in wanted if name in known)


def _copied(column: str) -> str:
    name = f'"{column}"'
    if column in _NAMES:
        return f"{name} || case when n = 0 then '' else '~' || n end as {name}"
    return f"{name} + n * {OFFSET} as {name}" if column in _NUMBERS else name


def _count(data: Path) -> int:
    ledger = Ledger.open(data / "ledger.sqlite")
    try:
        return sum(heads.count_live(ledger).values())
    finally:
        ledger.close()
