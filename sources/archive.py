"""The archive: append-only Parquet of payloads that cost credits.

Belongs here: keeping what was paid for, and telling what is already held. Does not: deciding what to buy (each source),
loading it into the warehouse (dlt). Surprise: the archive, not the warehouse, is what a paid source loads from, so a
deleted warehouse is filled again without a single credit.

Layout: `<root>/<source>/<entity>/<seq, 10 digits>.parquet`, one file per append, never rewritten.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from sources.clock import Clock
from sources.intake import RAW_SCHEMA, raw_row

_FILE_SCHEMA = RAW_SCHEMA.append(pa.field("credits", pa.float64()))


@dataclass(frozen=True)
class ArchiveRow:
    """One payload as bought. `stamp` is the source's own mark of the version (a date, a hash)."""

    id: str
    stamp: str
    payload: dict[str, Any]
    credits: float
    fetched_at: datetime


class Archive:
    """One folder of archives, one writer at a time (the run holds the ledger's lease)."""

    def __init__(self, root: Path, *, paid_life: Mapping[str, timedelta] | None = None, clock: Clock | None = None):
        """`paid_life`: by source, how long a record that was paid for is not bought again, even if it changes; a source
        that is not named buys each version. It needs the `clock`."""
        self._root = Path(root)
        self._paid_life, self._clock = paid_life or {}, clock
        self._last_seq: dict[tuple[str, str], int] = {}

    def stamps(self, source: str, entity: str) -> dict[str, str]:
        """Newest archived stamp per id."""
        paths = [str(path) for _, path in self._files(source, entity)]
        if not paths:
            return {}
        table = ds.dataset(paths, schema=_FILE_SCHEMA).to_table(columns=["id", "stamp"])  # in the order of the paths
        return dict(zip(table["id"].to_pylist(), table["stamp"].to_pylist(), strict=True))

    def young(self, source: str, entity: str) -> frozenset[str]:
        """Ids that were paid for within the paid life of their source."""
        life = self._paid_life.get(source)
        if not life or self._clock is None:
            return frozenset()
        since = pa.scalar(self._clock.now() - life, RAW_SCHEMA.field("fetched_at").type)
        paths = [str(path) for _, path in self._files(source, entity)]
        if not paths:
            return frozenset()
        is_young = (ds.field("fetched_at") > since) & (ds.field("credits") > 0)
        table = ds.dataset(paths, schema=_FILE_SCHEMA).to_table(columns=["id"], filter=is_young)
        return frozenset(table["id"].to_pylist())

    def credits(self, source: str) -> float:
        """All credits that the archived payloads of a source cost."""
        folder = self._root / source
        entities = [path.name for path in folder.iterdir()] if folder.exists() else []
        tables = (table for entity in entities for _, table in self.batches(source, entity, columns=["credits"]))
        return sum(sum(table["credits"].to_pylist()) for table in tables)

    def append(self, source: str, entity: str, rows: Sequence[ArchiveRow]) -> int:
        """Keep rows durably; returns the sequence number of the new file. Nothing is written for no rows."""
        folder = self._root / source / entity
        seq = self.last_seq(source, entity) + 1
        if not rows:
            return seq - 1
        folder.mkdir(parents=True, exist_ok=True)
        records = [
            raw_row(row.id, row.payload, stamp=row.stamp, archive_seq=seq, fetched_at=row.fetched_at)
            | {"credits": float(row.credits)}
            for row in rows
        ]
        target = folder / f"{seq:010d}.parquet"
        draft = target.with_suffix(".tmp")
        with draft.open("wb") as handle:
            pq.write_table(pa.Table.from_pylist(records, schema=_FILE_SCHEMA), handle, compression="zstd")
            handle.flush()
            os.fsync(handle.fileno())
        draft.rename(target)
        _sync_folder(folder)
        self._last_seq[source, entity] = seq
        return seq

    def last_seq(self, source: str, entity: str) -> int:
        """The newest sequence number, 0 where nothing is archived."""
        key = (source, entity)
        if key not in self._last_seq:  # listed once: a folder of thousands of files is slow to list for every append
            self._last_seq[key] = max((seq for seq, _ in self._files(source, entity)), default=0)
        return self._last_seq[key]

    def batches(
        self, source: str, entity: str, after_seq: int = 0, *, columns: list[str] | None = None
    ) -> Iterator[tuple[int, pa.Table]]:
        """Archived files in order, each as (seq, table in the raw shape without `credits` unless asked for)."""
        for seq, path in self._files(source, entity):
            if seq > after_seq:
                yield seq, pq.read_table(path, columns=columns or RAW_SCHEMA.names)

    def payloads(self, source: str, entity: str) -> Iterator[dict[str, Any]]:
        """Every archived payload, oldest first (later versions of an id follow earlier ones)."""
        for _, table in self.batches(source, entity, columns=["payload"]):
            yield from (json.loads(text) for text in table["payload"].to_pylist())

    def _files(self, source: str, entity: str) -> list[tuple[int, Path]]:
        folder = self._root / source / entity
        return sorted((int(path.stem), path) for path in folder.glob("*.parquet"))


def _sync_folder(folder: Path) -> None:
    """Make a rename durable: the entry lives in the folder, not in the file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
