"""The engine port: the few verbs in which the whole pipeline is said.

Belongs here: the protocol and the type of a kernel. Does not: any engine (duckdb.py, later spark.py), any table.
Surprise: no verb returns a float sum and no verb takes SQL text for a table; a table's SQL lives in its own file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from transforms.engines.pairing import Side

# A kernel turns one batch into one batch; `map_groups` promises that no group is cut by a batch's edge.
Kernel = Callable[[pa.RecordBatch], pa.RecordBatch]
# Pairs of row keys, and the two rows of each pair, their text as numbers of one dictionary.
PairKernel = Callable[[pa.RecordBatch, Side, Side], pa.RecordBatch]


@dataclass(frozen=True)
class Renewal:
    """Which rows of a standing table a step replaces: those whose `keys` (any of them) stand in `stale`."""

    keys: tuple[str, ...]
    stale: str  # a table
    column: str  # of `stale`


class Engine(Protocol):
    """What a step may ask of an engine. Table names are `schema.table`.

    The verbs that make a table take `renewal`: without it the table is made anew, with it the rows made replace the
    stale ones and all others stay.
    """

    def raw(self, table: str, source: Path | str | pa.Table) -> None:
        """Name an input: a Parquet path (or glob), or a small Arrow table."""

    def alias(self, table: str, source: str) -> None:
        """Let one more name stand for a table, as it is whenever it is read."""

    def view(self, table: str) -> None:
        """As `sql`, but read anew whenever it is asked for: for what is read once or twice."""

    def sql(self, table: str, *, renewal: Renewal | None = None) -> None:
        """Materialise `transforms/sql/<schema>/<table>.sql` under its own name."""

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
        """Materialise the batches of `source` sent through `kernel`; `is_heavy` kernels may use several threads."""

    def map_pairs(
        self, target: str, pairs: str, side: str, columns: tuple[str, ...], kernel: PairKernel, schema: pa.Schema
    ) -> None:
        """Materialise the pairs `l`, `r` of `pairs` sent through `kernel` with these columns of both rows of `side`.

        The first of `columns` is the key that `l` and `r` name.
        """

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
        """As `map`, over rows sorted by `group` (one column); batches hold whole groups, unordered inside."""

    def put(self, table: str, data: pa.Table, *, renewal: Renewal | None = None) -> None:
        """Materialise a small table from the driver."""

    def fetch(self, table: str, columns: tuple[str, ...] = ()) -> pa.Table:
        """Bring a table to the driver, rows in no promised order."""

    def count(self, table: str) -> int:
        """Rows of a table."""

    def has(self, table: str) -> bool:
        """Whether the table exists."""
