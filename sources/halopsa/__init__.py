"""HaloPSA as a dlt source: the mirror, what the tenant holds now.

    GET /api/Client, /api/Site, /api/Users (all pages, inactive rows included)
        -> raw_halopsa.client, raw_halopsa.site, raw_halopsa.user     key: id
        -> raw_halopsa.quarantine

API: TENANT.halopsa.com/api/swagger and https://halo.halopsa.com/apidoc; key: an API application that uses client
credentials, with an agent that may see all customers (https://halo.halopsa.com/guides/article/?kbid=1566).

Belongs here: the source and its guards. Does not: reading (`client.py`, `walk.py`), meaning (`fields.py`), matching the
mirror to golden (`assets/publishing`).
Surprise: each table is replaced whole, so that what was deleted in Halo leaves it; and a table is left as it was when
its reading was cut short, shrank by more than half or failed. Nobody may conclude from a bad list that Halo is empty.
Surprise: a poison row is quarantined *and* stays in its table, without the fields that are wrong. A record that the
mirror does not show would be taken for absent and made a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sources.halopsa import settings
from sources.halopsa.client import HaloClient
from sources.halopsa.fields import as_id
from sources.halopsa.settings import Resource
from sources.http import VendorError
from sources.intake import QUARANTINE_COLUMNS, RAW_COLUMNS, RAW_SCHEMA, Meter, Poison, quarantine_rows, raw_row, screen

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

SOURCE = "halopsa"


def halopsa(client: HaloClient, meter: Meter) -> DltSource:
    """Tables `client`, `site`, `user` and `quarantine`. A table that is held leaves a problem in `meter`."""
    # Here and not above: to import dlt takes a second, and who only wants a client or a name comes by this module too.
    import dlt

    from sources.load import raw_hints

    mirror = _Mirror(client, meter)

    @dlt.source(name=SOURCE, max_table_nesting=0)
    def source() -> Iterator[DltResource]:
        for resource in settings.RESOURCES:
            # Not "replace" from the start: then dlt empties a table whose resource yields nothing, and yielding nothing
            # is how a table is held. What is yielded carries its own disposition.
            hints = raw_hints(RAW_COLUMNS, disposition="append")
            yield dlt.resource(mirror.tables(resource), name=settings.TABLE[resource], **hints)
        yield dlt.resource(mirror.quarantined(), name="quarantine", **raw_hints(QUARANTINE_COLUMNS))

    return source()


class _Mirror:
    """Reads the three lists, one after the other, and lets each into its table if it may replace what is there."""

    def __init__(self, client: HaloClient, meter: Meter) -> None:
        self._client = client
        self._meter = meter
        self._poison: list[Poison] = []
        self._read_tables: dict[Resource, pa.Table | None] = {}

    def tables(self, resource: Resource) -> Iterator[Any]:
        """The whole list as one table, or nothing where the old one is held."""
        import dlt

        table = self._once(resource)
        if table is None:
            return
        loaded = dlt.current.source_state().setdefault("rows", {})
        name = settings.TABLE[resource]
        before = int(loaded.get(name, 0))
        if table.num_rows < before * (1 - settings.SHRINK_SHARE_MAX):
            self._hold(resource, f"shows {table.num_rows:,} rows, at the last good load {before:,}")
            return
        if resource == "Client" and table.num_rows == 0:
            self._meter.problem(
                "halopsa: the tenant shows no client at all. Where it is not new, the agent of the API application may "
                "not see all customers: allow it on all of them in HaloPSA."
            )
        loaded[name] = table.num_rows
        yield dlt.mark.with_hints(table, dlt.mark.make_hints(write_disposition="replace"))

    def quarantined(self) -> Iterator[Any]:
        """Rows that were not let in. dlt takes its resources in turn, so this one may be asked first."""
        import dlt

        for resource in settings.RESOURCES:
            self._once(resource)
        yield dlt.mark.materialize_table_schema()  # a mirror without poison still has its table
        if self._poison:
            yield quarantine_rows(self._poison, self._client.clock.now())

    def _once(self, resource: Resource) -> pa.Table | None:
        if resource not in self._read_tables:
            self._read_tables[resource] = self._read(resource)
        return self._read_tables[resource]

    def _read(self, resource: Resource) -> pa.Table | None:
        retried_before = self._client.retried.copy()
        try:
            walk = self._client.walk(resource)
            batches = [self._batch(resource, page) for page in walk]
        except VendorError as error:
            self._hold(resource, f"could not be read to the end ({error})")
            return None
        finally:
            self._meter.retried += self._client.retried - retried_before
        table = pa.Table.from_batches(batches, schema=RAW_SCHEMA)
        self._meter.fetched[settings.TABLE[resource]] += table.num_rows
        if not walk.is_complete:
            self._hold(resource, f"shows {walk.seen_rows:,} rows where HaloPSA counts {walk.expected_rows or 0:,}")
            return None
        if walk.is_count_disputed:
            self._meter.problem(
                f"halopsa: {resource} counts {walk.expected_rows:,} rows and shows {walk.seen_rows:,} from both ends; "
                "what it shows is loaded."
            )
        return table

    def _batch(self, resource: Resource, page: list[Any]) -> pa.RecordBatch:
        entity = settings.TABLE[resource]
        good, poison = screen(page, entity=entity, id_of=_id_of)
        if poison:
            sound = {row_id for row_id, _ in good}
            spoilt = (row for row in page if isinstance(row, dict) and str(_id_of(row)) not in sound)
            good += screen(map(_without_faults, spoilt), entity=entity, id_of=_id_of)[0]
        self._poison += poison
        self._meter.quarantine(poison)
        fetched_at = self._client.clock.now()
        return pa.RecordBatch.from_pylist(
            [raw_row(row_id, payload, fetched_at=fetched_at) for row_id, payload in good], schema=RAW_SCHEMA
        )

    def _hold(self, resource: Resource, why: str) -> None:
        self._meter.problem(
            f"halopsa: the list of {resource} {why}. Table raw_halopsa.{settings.TABLE[resource]} stays as it was; the "
            "next run reads it anew."
        )


def _id_of(row: dict[str, Any]) -> int | None:
    return as_id(row.get("id"))


def _without_faults(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a poison row that are fit to be kept, each judged alone."""
    named = {"id": row.get("id")}
    fields = ({**named, name: value} for name, value in row.items())
    return {name: value for good in screen(fields, entity="", id_of=_id_of)[0] for name, value in good[1].items()}
