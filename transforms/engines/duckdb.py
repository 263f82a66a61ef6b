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

from transforms.engines.port import Kernel

SQL_ROOT = Path(__file__).parent.parent / "sql"
BATCH_ROWS = 100_000
HEAVY_BATCH_ROWS = 50_000  # smaller, since each thread holds one


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

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._is_owner:
            self.connection.close()

    def raw(self, table: str, source: Path | str | pa.Table) -> None:
        if isinstance(source, pa.Table):
            self.put(table, source)
            return
        self._make_schema(table)
        path = str(source).replace("'", "''")
        self.connection.execute(f"create or replace view {table} as select * from read_parquet('{path}')")

    def sql(self, table: str) -> None:
        schema, name = table.split(".")
        text = (SQL_ROOT / schema / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";")
        self._replace(table, text)

    def map(self, target: str, source: str, kernel: Kernel, schema: pa.Schema, *, is_heavy: bool = False) -> None:
        # Threads, not processes: heavy kernels are mostly Arrow, which lets go of the interpreter. A process costs 2 s
        # of imports, memoises every value for itself, and dies cryptically where a script has no main guard.
        threads = self._threads() if is_heavy else 1
        batches = self._batches(source, HEAVY_BATCH_ROWS if is_heavy else BATCH_ROWS)
        if threads == 1:
            self._fill(target, map(kernel, batches), schema)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="kernel") as pool:
            self._fill(target, _ahead(pool, kernel, batches, threads), schema)

    def map_groups(self, target: str, source: str, group: str, kernel: Kernel, schema: pa.Schema) -> None:
        batches = self._batches(source, BATCH_ROWS, order_by=group)
        self._fill(target, (kernel(batch) for batch in _whole_groups(batches, group)), schema)

    def put(self, table: str, data: pa.Table) -> None:
        self._fill(table, iter(data.to_batches()), data.schema)

    def fetch(self, table: str, columns: tuple[str, ...] = ()) -> pa.Table:
        return self.connection.sql(f"select {', '.join(columns) or '*'} from {table}").to_arrow_table()

    def count(self, table: str) -> int:
        row = self.connection.execute(f"select count(*) from {table}").fetchone()
        assert row is not None
        return int(row[0])

    def has(self, table: str) -> bool:
        schema, name = table.split(".")
        found = self.connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
        )
        return found.fetchone() is not None

    def _threads(self) -> int:
        row = self.connection.execute("select current_setting('threads')").fetchone()
        assert row is not None
        return int(row[0])

    def _set(self, option: str, value: str) -> None:
        self.connection.execute(f"set {option} = {value}")

    def _make_schema(self, table: str) -> None:
        self.connection.execute(f"create schema if not exists {table.split('.')[0]}")

    def _replace(self, table: str, text: str) -> None:
        self._make_schema(table)
        self.connection.execute(f"create or replace table {table} as\n{text}")

    def _batches(self, source: str, rows: int, order_by: str = "") -> Iterator[pa.RecordBatch]:
        order = f" order by {order_by}" if order_by else ""
        cursor = self.connection.cursor()
        try:
            yield from cursor.sql(f"select * from {source}{order}").to_arrow_reader(rows)
        finally:
            cursor.close()

    def _fill(self, table: str, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        self._make_schema(table)
        self.connection.register("arriving", reader)
        try:
            self.connection.execute(f"create or replace table {table} as select * from arriving")
        finally:
            self.connection.unregister("arriving")


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
