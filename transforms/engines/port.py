"""The engine port: the few verbs in which the whole pipeline is said.

Belongs here: the protocol and the type of a kernel. Does not: any engine (duckdb.py, later spark.py), any table.
Surprise: no verb returns a float sum and no verb takes SQL text for a table; a table's SQL lives in its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pyarrow as pa

# A kernel turns one batch into one batch; `map_groups` promises that no group is cut by a batch's edge.
Kernel = Callable[[pa.RecordBatch], pa.RecordBatch]


class Engine(Protocol):
    """What a step may ask of an engine. Table names are `schema.table`."""

    def raw(self, table: str, source: Path | str | pa.Table) -> None:
        """Name an input: a Parquet path (or glob), or a small Arrow table."""

    def sql(self, table: str) -> None:
        """Materialise `transforms/sql/<schema>/<table>.sql` under its own name."""

    def map(self, target: str, source: str, kernel: Kernel, schema: pa.Schema, *, is_heavy: bool = False) -> None:
        """Materialise the batches of `source` sent through `kernel`; `is_heavy` kernels may use several threads."""

    def map_groups(self, target: str, source: str, group: str, kernel: Kernel, schema: pa.Schema) -> None:
        """As `map`, over rows sorted by `group` (one column); batches hold whole groups, unordered inside."""

    def put(self, table: str, data: pa.Table) -> None:
        """Materialise a small table from the driver."""

    def fetch(self, table: str, columns: tuple[str, ...] = ()) -> pa.Table:
        """Bring a table to the driver, rows in no promised order."""

    def count(self, table: str) -> int:
        """Rows of a table."""

    def has(self, table: str) -> bool:
        """Whether the table exists."""
