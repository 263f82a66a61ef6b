"""Raw tables of a paid source: its archive loaded by dlt, and its quarantine.

Belongs here: the dlt resources that ZoomInfo and UpLead have in common. Does not: watching and buying (each source's
own `fill`), the archive itself. Surprise: the order of the resources in a source matters. dlt asks each in turn for
its first item, and the first one gives it only after its `fill` has run; what the same fill found for the others
(nested organisations, poison) is therefore complete when they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import dlt
from dlt.extract import DltResource

from sources.archive import Archive
from sources.clock import Clock
from sources.http import PatientSession, VendorError
from sources.intake import QUARANTINE_COLUMNS, RAW_COLUMNS, Meter, Poison, quarantine_rows
from sources.load import raw_hints

# Watches and buys into the archive; the mapping is the resource's dlt state, kept in the warehouse.
Fill = Callable[[MutableMapping[str, Any]], None]


def archived(
    entity: str, archive: Archive, meter: Meter, fill: Fill | None = None, session: PatientSession | None = None
) -> DltResource:
    """The resource `entity`: fills the archive, then loads the files after the last one loaded.

    A vendor that fails part-way leaves a problem in the meter; what the archive holds is loaded all the same.
    `fill` goes with the `session` it speaks through, whose retries are counted. The last sequence number lives in
    dlt's resource state, so it goes with the warehouse: a new warehouse gets all.
    """

    def load() -> Iterator[Any]:
        state = dlt.current.resource_state()
        if fill is not None and session is not None:
            _fill(fill, state, meter, session)
        yield dlt.mark.materialize_table_schema()  # a source without rows still has its table
        for seq, table in archive.batches(meter.source, entity, state.get("archive_seq", 0)):
            yield table
            state["archive_seq"] = seq

    return dlt.resource(load, name=entity, **raw_hints(_columns()))


def quarantine(poison: list[Poison], meter: Meter, clock: Clock) -> DltResource:
    """The resource `quarantine`: drains the poison that the fills of this run put into the list."""

    def load() -> Iterator[Any]:
        rows = {row["id"]: row for row in quarantine_rows(poison, clock.now())}
        poison.clear()
        meter.quarantined += len(rows)
        yield dlt.mark.materialize_table_schema()
        yield list(rows.values())

    return dlt.resource(load, name="quarantine", **raw_hints(QUARANTINE_COLUMNS))


def _columns() -> dict[str, dict[str, Any]]:
    """The raw columns with `nullable` spelt out: a frozen contract takes an unsaid one for a change of type."""
    return {name: {"nullable": True} | hints for name, hints in RAW_COLUMNS.items()}


def _fill(fill: Fill, state: MutableMapping[str, Any], meter: Meter, session: PatientSession) -> None:
    retries_before = session.retries
    try:
        fill(state)
    except VendorError as error:
        meter.problem(f"{error}. What the archive holds is loaded, nothing is taken for deleted; the next run goes on.")
    finally:
        meter.retries += session.retries - retries_before
