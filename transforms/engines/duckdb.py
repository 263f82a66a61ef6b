"""DuckDB under the engine port: one connection, tables made in place, kernels fed by Arrow batches.

Belongs here: everything that is particular to DuckDB. Does not: any table's meaning, any step's order (pipeline.py).
Surprise: no extension is ever installed by itself, so that a slip fails at once and on every machine alike.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from transforms.engines.pairing import Sides
from transforms.engines.port import Kernel, PairKernel, Renewal

SQL_ROOT = Path(__file__).parent.parent / "sql"
BATCH_ROWS = 100_000
HEAVY_BATCH_ROWS = 50_000  # half: two threads hold two
PAIR_BATCH_ROWS = 500_000


class DuckDBEngine:
    """The embedded engine. Give it a path to own a connection, or a connection to borrow one."""

    def __init__(
        self,
        target: duckdb.DuckDBPyConnection | str | Path = ":memory:",
        *,
        threads: int | None = None,
        memory_limit: str = "3GB",
    ) -> None:
        self._is_owner = not isinstance(target, duckdb.DuckDBPyConnection)
        self.connection = target if isinstance(target, duckdb.DuckDBPyConnection) else duckdb.connect(str(target))
        self._set("autoinstall_known_extensions", "false")
        self._set("TimeZone", "'UTC'")
        self._set("memory_limit", f"'{memory_limit}'")
        self._set("preserve_insertion_order", "false")
        if threads is not None:
            self._set("threads", str(threads))
        if str(target) == ":memory:":
            self._set("temp_directory", f"'{Path(tempfile.gettempdir()) / 'halosync_duckdb'}'")
            # What DuckDB opens as ":memory:" is never compressed; a database attached to it may be.
            self.connection.execute("attach ':memory:' as compressed (compress)")
            self.connection.execute("use compressed")

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._is_owner:
            self.connection.close()

    def raw(self, table: str, source: Path | str | pa.Table) -> None:
        self._clear(table)
        if isinstance(source, pa.Table):
            name = table.replace(".", "_") + "_given"
            self.connection.register(name, source)  # read where it lies, not copied
            self.connection.execute(f"create view {table} as select * from {name}")
            return
        path = str(source).replace("'", "''")
        self.connection.execute(f"create view {table} as select * from read_parquet('{path}')")

    def alias(self, table: str, source: str) -> None:
        self._clear(table)
        self.connection.execute(f"create view {table} as select * from {source}")

    def view(self, table: str) -> None:
        self._clear(table)
        self.connection.execute(f"create view {table} as\n{_query(table)}")

    def sql(self, table: str, *, renewal: Renewal | None = None) -> None:
        self._write(table, _query(table), renewal)

    def map(
        self,
        target: str,
        source: str,
        kernel: Kernel,
        schema: pa.Schema,
        *,
        is_heavy: bool = False,
        renewal: Renewal | None = None,
    ) -> None:
        # Threads, not processes: heavy kernels are mostly Arrow, which lets go of the interpreter. A process costs 2 s
        # of imports, memoises every value for itself, and dies cryptically where a script has no main guard.
        threads = self._threads() if is_heavy else 1
        batches = self._batches(source, HEAVY_BATCH_ROWS if is_heavy else BATCH_ROWS)
        if threads == 1:
            self._fill(target, map(kernel, batches), schema, renewal)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="kernel") as pool:
            self._fill(target, _ahead(pool, kernel, batches, threads), schema, renewal)

    def map_pairs(
        self, target: str, pairs: str, side: str, columns: tuple[str, ...], kernel: PairKernel, schema: pa.Schema
    ) -> None:
        key = columns[0]
        needed = f"{side} where {key} in (select l from {pairs} union all select r from {pairs})"
        sides = Sides(self._batches(needed, BATCH_ROWS, columns=columns), key)
        threads = self._threads()
        with ThreadPoolExecutor(threads, thread_name_prefix="kernel") as pool:
            batches = self._batches(pairs, PAIR_BATCH_ROWS)
            self._fill(target, _ahead(pool, lambda batch: kernel(batch, *sides.of(batch)), batches, threads), schema)

    def map_groups(
        self,
        target: str,
        source: str,
        group: str,
        kernel: Kernel,
        schema: pa.Schema,
        *,
        renewal: Renewal | None = None,
    ) -> None:
        batches = self._batches(source, BATCH_ROWS, order_by=group)
        self._fill(target, (kernel(batch) for batch in _whole_groups(batches, group)), schema, renewal)

    def put(self, table: str, data: pa.Table, *, renewal: Renewal | None = None) -> None:
        self._fill(table, iter(data.to_batches()), data.schema, renewal)

    def fetch(self, table: str, columns: tuple[str, ...] = ()) -> pa.Table:
        return self.connection.sql(f"select {', '.join(columns) or '*'} from {table}").to_arrow_table()

    def count(self, table: str) -> int:
        row = self.connection.execute(f"select count(*) from {table}").fetchone()
        assert row is not None
        return int(row[0])

    def has(self, table: str) -> bool:
        return self._kind(table) is not None

    def _kind(self, table: str) -> str | None:
        """Whether there is a table or a view of this name."""
        schema, name = table.split(".")
        # No parameters: to bind one, DuckDB imports pandas, which takes half as long as to match ten thousand records.
        of_name = f"table_schema = '{schema}' and table_name = '{name}'"
        found = self.connection.execute(f"select table_type from information_schema.tables where {of_name}").fetchone()
        return None if found is None else "view" if found[0] == "VIEW" else "table"

    def _database(self) -> str:
        row = self.connection.execute("select current_database()").fetchone()
        assert row is not None
        return str(row[0])

    def _threads(self) -> int:
        row = self.connection.execute("select current_setting('threads')").fetchone()
        assert row is not None
        return int(row[0])

    def _set(self, option: str, value: str) -> None:
        self.connection.execute(f"set {option} = {value}")

    def _make_schema(self, table: str) -> None:
        self.connection.execute(f"create schema if not exists {table.split('.')[0]}")

    def _clear(self, table: str) -> None:
        """Make room for a table or a view of this name."""
        self._make_schema(table)
        kind = self._kind(table)
        if kind:
            self.connection.execute(f"drop {kind} {table}")

    def _write(
        self, table: str, text: str, renewal: Renewal | None, connection: duckdb.DuckDBPyConnection | None = None
    ) -> None:
        connection = connection or self.connection
        if renewal is None:
            self._clear(table)
            connection.execute(f"create table {table} as\n{text}")
            return
        # Made before anything is taken away: the query may read the rows that it replaces.
        connection.execute(f"create or replace temp table renewed as\n{text}")
        for key in renewal.keys:
            connection.execute(f"delete from {table} where {key} in (select {renewal.column} from {renewal.stale})")
        connection.execute(f"insert into {table} by name select * from renewed")
        connection.execute("drop table renewed")

    def _batches(
        self, source: str, rows: int, *, columns: tuple[str, ...] = (), order_by: str = ""
    ) -> Iterator[pa.RecordBatch]:
        order = f" order by {order_by}" if order_by else ""
        chosen = ", ".join(columns) or "*"
        yield from self.connection.sql(f"select {chosen} from {source}{order}").to_arrow_reader(rows)

    def _fill(
        self, table: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema, renewal: Renewal | None = None
    ) -> None:
        """Written by a second cursor, for the batches are being read by the first."""
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        cursor = self.connection.cursor()
        try:
            cursor.execute(f'use "{self._database()}"')  # a cursor begins in the database that was opened
            cursor.register("arriving", reader)
            self._write(table, "select * from arriving", renewal, cursor)
        finally:
            cursor.close()


def _query(table: str) -> str:
    schema, name = table.split(".")
    return (SQL_ROOT / schema / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")


def _ahead(pool: Executor, kernel: Kernel, batches: Iterator[pa.RecordBatch], threads: int) -> Iterator[pa.RecordBatch]:
    """Results in order, with one batch more under way than there are threads, so that memory stays bounded."""
    under_way: deque[Future[pa.RecordBatch]] = deque()
    for batch in batches:
        under_way.append(pool.submit(kernel, batch))
        if len(under_way) > threads:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _whole_groups(batches: Iterator[pa.RecordBatch], group: str) -> Iterator[pa.RecordBatch]:
    """Re-cut sorted batches so that no group lies across an edge."""
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows == 0:
            continue
        keys = batch.column(group).to_numpy(zero_copy_only=False)
        first_of_last = int(np.flatnonzero(keys == keys[-1])[0])
        if first_of_last == 0 and (not kept or kept[-1].column(group)[-1].as_py() == keys[0]):
            kept.append(batch)
            continue
        kept.append(batch.slice(0, first_of_last))
        yield pa.Table.from_batches(kept).combine_chunks().to_batches()[0]
        kept = [batch.slice(first_of_last)]
    if kept:
        yield pa.Table.from_batches(kept).combine_chunks().to_batches()[0]
