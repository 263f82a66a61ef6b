"""What Apollo, ZoomInfo and UpLead have in common: paying once, and loading what was paid for.

Belongs here: the till (what is held, what is bought, what was paid for and is poison) and the dlt resources that load
the archive. Does not: watching and choosing (each source's own `fill`), the files of the archive (`archive.py`).
Surprise: poison that was paid for is archived too, with the stamp of its version, so that it is not bought again
every half hour. Once the vendor changes the record, the stamp moves and the next run takes it in.
Surprise: the order of the resources in a source matters. dlt asks each in turn for its first item, and the first one
gives it only after its `fill` has run; what the same fill kept for the others (nested organisations, poison) is
therefore complete when they are asked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Protocol

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from sources.archive import Archive, ArchiveRow
from sources.clock import Clock
from sources.http import VendorError
from sources.intake import QUARANTINE_COLUMNS, RAW_COLUMNS, RAW_SCHEMA, Meter, Poison, quarantine_rows
from sources.load import raw_hints

QUARANTINE = "quarantine"
_CHUNK_ROWS = 2_000  # archive files may be as small as one call; loading each alone would take longer than buying it

# Watches and buys into the archive; the mapping is the resource's dlt state, kept in the warehouse.
Fill = Callable[[MutableMapping[str, Any]], None]


class Asker(Protocol):
    """Whoever asks the vendor, and counts why it had to ask again."""

    @property
    def retried(self) -> Counter[str]: ...


class Till:
    """What one fill buys, on its way into the archive, and which versions were paid for before.

    `rows_max`: how many rows may wait before they are made durable; None waits for `keep`. Entities are kept in the
    order given.
    """

    def __init__(self, archive: Archive, meter: Meter, *entities: str, rows_max: int | None = None) -> None:
        self._archive, self._meter, self._rows_max = archive, meter, rows_max
        self._held = {entity: archive.stamps(meter.source, entity) for entity in entities}
        self._refused = archive.stamps(meter.source, QUARANTINE)
        self._young = {entity: archive.young(meter.source, entity) for entity in entities}
        self._withheld = meter.purse.withheld() if meter.purse else ()
        self._drawers: dict[str, list[ArchiveRow]] = {entity: [] for entity in (*entities, QUARANTINE)}

    def holds(self, entity: str, row_id: str, stamp: str) -> bool:
        """Whether this version was paid for, be it good, poison or lost on its way."""
        is_held = self._held[entity].get(row_id) == stamp or self._refused.get(_key(entity, row_id)) == stamp
        return is_held or row_id in self._withheld or row_id in self._young[entity]

    def holds_poison(self, entity: str, row_id: str, stamp: str) -> bool:
        """Whether this version was paid for and is poison."""
        return self._refused.get(_key(entity, row_id)) == stamp

    def count(self, entity: str) -> int:
        """How many records are held."""
        return len(self._held[entity])

    def take(self, entity: str, row: ArchiveRow) -> None:
        """A good row that is new."""
        self._held[entity][row.id] = row.stamp
        self._meter.bought[entity] += 1
        self._put(entity, row)

    def refuse(self, poison: Poison, *, stamp: str, credits: float, at: datetime) -> None:
        """A row that was paid for and may not be loaded."""
        key = _key(poison.entity, poison.id)
        self._refused[key] = stamp
        self._meter.quarantine([poison])
        self._put(QUARANTINE, ArchiveRow(key, stamp, asdict(poison), credits, at))

    def keep(self) -> None:
        """Make durable what came so far."""
        for entity, rows in self._drawers.items():
            self._archive.append(self._meter.source, entity, rows)
            self._drawers[entity] = []
        if self._meter.purse:
            self._meter.purse.received()

    def _put(self, entity: str, row: ArchiveRow) -> None:
        self._drawers[entity].append(row)
        if self._rows_max is not None and len(self._drawers[entity]) >= self._rows_max:
            self.keep()


def attributed(poison: Iterable[Poison], *, asked: Collection[str], came: Collection[str]) -> list[Poison]:
    """Poison of one paid call under the ids it was asked by.

    A row that is no object, has no id or another one was charged for all the same, and does not say whom it is about.
    So every id of the call that did not come counts as that row; else it would be bought again by every run.
    """
    rows = list(poison)
    strangers = [row for row in rows if row.id not in asked]
    missing = [row_id for row_id in asked if row_id not in came and row_id not in {row.id for row in rows}]
    if not strangers:
        return rows
    named = [replace(strangers[min(place, len(strangers) - 1)], id=row_id) for place, row_id in enumerate(missing)]
    return [row for row in rows if row.id in asked] + named + strangers[len(missing) :]


def archived(
    entity: str,
    archive: Archive,
    meter: Meter,
    fill: Fill | None = None,
    asker: Asker | None = None,
    *,
    kept_as: str | None = None,
    rows_of: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> DltResource:
    """The resource `entity`: fills the archive, then loads the files after the last one loaded.

    A vendor that fails part-way leaves a problem in the meter; what the archive holds is loaded all the same.
    `fill` goes with the `asker` it speaks through, whose retries are counted. `rows_of` makes the rows where they are
    archived inside another entity, `kept_as`. The last sequence number lives in dlt's resource state, so it goes with
    the warehouse: a new warehouse gets all.
    """

    def load() -> Iterator[Any]:
        state = dlt.current.resource_state()
        if fill is not None and asker is not None:
            _fill(fill, state, meter, asker)
        # A source without rows still has its table. By an empty one of the same kind: dlt's own mark would make columns
        # that rows of Arrow tables do not fill, and every later load would fail.
        yield rows_of(RAW_SCHEMA.empty_table())
        for seq, table in _chunks(archive.batches(meter.source, kept_as or entity, state.get("archive_seq", 0))):
            yield rows_of(table)
            state["archive_seq"] = seq

    return dlt.resource(load, name=entity, **raw_hints(_nullable(RAW_COLUMNS)))


def quarantine(archive: Archive, meter: Meter, clock: Clock, free: list[Poison] | None = None) -> DltResource:
    """The resource `quarantine`: poison that was paid for, from the archive, and what this run's `free` walk met."""

    def load() -> Iterator[Any]:
        state = dlt.current.resource_state()
        yield dlt.mark.materialize_table_schema()
        rows: dict[str, dict[str, Any]] = {}
        for seq, table in archive.batches(meter.source, QUARANTINE, state.get("archive_seq", 0)):
            rows |= {row["id"]: row for row in _quarantine_rows(table)}
            state["archive_seq"] = seq
        met = {_key(row.entity, row.id): row for row in free or ()}
        meter.quarantine(met.values())
        rows |= {row["id"]: row for row in quarantine_rows(met.values(), clock.now())}
        yield list(rows.values())

    return dlt.resource(load, name=QUARANTINE, **raw_hints(_nullable(QUARANTINE_COLUMNS)))


def _key(entity: str, row_id: str) -> str:
    """The id of a quarantined row, as `quarantine_rows` makes it."""
    return f"{entity}:{row_id}"


def _quarantine_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for row in table.to_pylist():
        yield from quarantine_rows([Poison(**json.loads(row["payload"]))], row["fetched_at"])


def _chunks(batches: Iterable[tuple[int, pa.Table]]) -> Iterator[tuple[int, pa.Table]]:
    """Files put together to a few thousand rows, each with the sequence number of its last file."""
    pending: list[pa.Table] = []
    seq = 0
    for seq, table in batches:
        pending.append(table)
        if sum(part.num_rows for part in pending) >= _CHUNK_ROWS:
            yield seq, pa.concat_tables(pending)
            pending = []
    if pending:
        yield seq, pa.concat_tables(pending)


def _nullable(columns: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Columns with `nullable` spelt out: a frozen contract takes an unsaid one for a change of type."""
    return {name: {"nullable": True, **hints} for name, hints in columns.items()}


def _fill(fill: Fill, state: MutableMapping[str, Any], meter: Meter, asker: Asker) -> None:
    retried_before = asker.retried.copy()
    try:
        fill(state)
    except VendorError as error:
        reason = str(error).rstrip(".")
        meter.problem(
            f"{reason}. What the archive holds is loaded, nothing is taken for deleted; the next run goes on."
        )
    finally:
        meter.retried += asker.retried - retried_before
