"""The members of whole clusters, as numbers: what the survivorship kernel counts and compares.

Belongs here: bringing a batch into one order and each column into codes of its distinct values, and hanging locks on
cells. Does not: any rule (ranks.py, kernel.py). Surprise: rows lie cluster by cluster, inside by record_key, so "the
first row" always means the smallest record_key and no order of arrival can show.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.int64]

SILENT = -1  # the code of "says nothing"; of a lock: locked empty
FREE = -2  # of a lock: none
NEVER = np.iinfo(np.int64).max - 1  # recency of a record that does not say when it changed
VENDOR_OF_EXPORT = r"^exports:(?P<vendor>[^:]+):"


@dataclass(frozen=True)
class Column:
    """One field: per row a code into `text` (or SILENT); per cluster the code locked there (or FREE, SILENT)."""

    codes: Numbers
    text: pa.Array
    locked: Numbers
    lock_row: Numbers


class Members:
    """A batch of golden.<entity>_member: whole clusters."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        golden = batch.column("golden_id").dictionary_encode()
        code = golden.indices.to_numpy()
        self._order = np.lexsort((_rank_of_text(batch.column("record_key")), code))
        self.cluster: Numbers = code[self._order].astype(np.int64)
        self.golden_id: pa.Array = golden.dictionary  # per cluster
        self.record_key: pa.Array = batch.column("record_key").take(pa.array(self._order))  # per row

    @property
    def clusters(self) -> int:
        return len(self.golden_id)

    def column(self, field: str) -> Column:
        locks = self._locks.get(field, {})
        values = pa.array([value for _, value, _ in locks.values()], pa.string())
        said = pa.concat_arrays([self._batch.column(field).cast(pa.string()), values]).dictionary_encode()
        codes = said.indices.fill_null(SILENT).to_numpy().astype(np.int64)
        locked, lock_row = np.full(self.clusters, FREE), np.full(self.clusters, -1)
        if locks:
            where = np.fromiter(locks, np.int64)
            locked[where] = codes[len(self._order) :]
            lock_row[where] = [row for _, _, row in locks.values()]
        return Column(codes[: len(self._order)][self._order], said.dictionary, locked, lock_row)

    @cached_property
    def voice(self) -> tuple[Numbers, list[str]]:
        """Whose word a record is, coded; what a vendor's export says, the vendor says."""
        source, key = self._batch.column("source"), self._batch.column("record_key")
        vendor = pc.struct_field(pc.extract_regex(key, VENDOR_OF_EXPORT), [0])
        said = pc.if_else(pc.equal(source, "exports"), pc.coalesce(vendor, source), source).dictionary_encode()
        return said.indices.to_numpy()[self._order].astype(np.int64), said.dictionary.to_pylist()

    @cached_property
    def age(self) -> Numbers:
        """Small is new."""
        moment = self._batch.column("source_updated_at").cast(pa.timestamp("us")).cast(pa.int64())
        return pc.negate(moment).fill_null(NEVER).to_numpy()[self._order]

    @cached_property
    def _locks(self) -> dict[str, dict[int, tuple[int, str | None, int]]]:
        """field -> cluster -> (seq, value, row); the latest decision of each cell."""
        found: dict[str, dict[int, tuple[int, str | None, int]]] = {}
        held: list[Any] = self._batch.column("locks").take(pa.array(self._order)).drop_null().to_pylist()
        rows = np.flatnonzero(self._batch.column("locks").is_valid().to_numpy(zero_copy_only=False)[self._order])
        for row, locks in zip(rows.tolist(), held, strict=True):
            for lock in locks:
                cells, cluster = found.setdefault(lock["field"], {}), int(self.cluster[row])
                if cluster not in cells or cells[cluster][0] < lock["seq"]:
                    cells[cluster] = (lock["seq"], lock["value"], row)
        return found


def _rank_of_text(column: pa.Array) -> Numbers:
    rank = np.empty(len(column), np.int64)
    rank[pc.sort_indices(column).to_numpy()] = np.arange(len(column))
    return rank
