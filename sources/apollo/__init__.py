"""Apollo.io as a dlt source: people, and their employers, by the route that costs least.

    mixed_people/api_search (free stubs) -> stamps that moved -> people/bulk_match (1 credit each) -> archive
    archive/apollo/contact    -> raw_apollo.contact        key: id, the person's 24 hex digits
                              -> raw_apollo.organisation   key: organization.id, inside each person: no extra credit
    archive/apollo/quarantine -> raw_apollo.quarantine

API: https://docs.apollo.io/reference/people-api-search and https://docs.apollo.io/reference/bulk-people-enrichment;
key: https://docs.apollo.io/docs/create-api-key; changelog: https://docs.apollo.io/changelog.

Belongs here: the source and its resources. Does not: walking (`watch.py`), paying (`purchase.py`), HTTP (`client.py`),
the placeholder address of locked e-mails (mapped to null when standardising; the payload stays as sent).
Surprise: the tables load from the archive, never from an answer. The cursor (the last archive file loaded) lives in
dlt's state, and that lives in the warehouse: delete the warehouse, and the archive is replayed for 0 credits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from sources.apollo import settings
from sources.apollo.client import ApolloClient, Filters
from sources.apollo.purchase import SOURCE, buy_moved
from sources.apollo.watch import Watch
from sources.archive import Archive
from sources.http import VendorError
from sources.intake import QUARANTINE_COLUMNS, RAW_COLUMNS, Meter, Poison, quarantine_rows, raw_row, screen
from sources.load import raw_hints

_CHUNK_ROWS = 2_000


def apollo(
    client: ApolloClient,
    archive: Archive,
    meter: Meter,
    *,
    query: Filters | None = None,
    credits_max: float | None = None,
    rows_max: int = settings.SEARCH_ROWS_MAX,
) -> DltSource:
    """Tables `contact`, `organisation` and `quarantine`.

    `query` holds Apollo's own filters (`{"person_locations": ["United Kingdom"]}`); none means everybody, which only a
    simulator or a small account can mean. A vendor that fails part-way leaves a problem in `meter`; what the archive
    holds is loaded all the same. `rows_max` is the search's cap, lower in tests.
    """
    intake = _Intake(client, archive, meter, query or {}, credits_max, rows_max)

    @dlt.source(name=SOURCE, max_table_nesting=0)
    def source() -> Iterator[DltResource]:
        yield _resource(intake.contacts, "contact", RAW_COLUMNS)
        yield _resource(intake.organisations, "organisation", RAW_COLUMNS)
        yield _resource(intake.quarantined, "quarantine", QUARANTINE_COLUMNS)

    return source()


def _resource(rows: Any, name: str, columns: dict[str, dict[str, Any]]) -> DltResource:
    # Arrow tables say of every column whether it may be null; the hints must say the same, or the freeze sees a change.
    @dlt.resource(name=name, **raw_hints({column: {"nullable": True, **hints} for column, hints in columns.items()}))
    def resource() -> Iterator[Any]:
        yield dlt.mark.materialize_table_schema()  # a run without rows still makes the table
        yield from rows()

    return resource


class _Intake:
    """Watches and buys once, whichever resource dlt asks first, then lets each read the archive."""

    def __init__(
        self,
        client: ApolloClient,
        archive: Archive,
        meter: Meter,
        query: Filters,
        credits_max: float | None,
        rows_max: int,
    ) -> None:
        self._client = client
        self._archive = archive
        self._meter = meter
        self._query = query
        self._credits_max = credits_max
        self._rows_max = rows_max
        self._is_filled = False
        self._stub_poison: list[Poison] = []

    def contacts(self) -> Iterator[pa.Table]:
        """Archive files that this warehouse has not loaded, a few thousand rows at a time."""
        pending: list[pa.Table] = []
        for table in self._new_batches("contact"):
            pending.append(table)
            if sum(part.num_rows for part in pending) >= _CHUNK_ROWS:
                yield pa.concat_tables(pending)
                pending = []
        if pending:
            yield pa.concat_tables(pending)

    def organisations(self) -> Iterator[list[dict[str, Any]]]:
        """Employers out of the same files; of several copies the one bought last wins."""
        pending: dict[str, dict[str, Any]] = {}
        known: set[str] = set()
        for table in self._new_batches("contact"):
            pending |= {row["id"]: row for row in organisations_in(table)}
            if len(pending) >= _CHUNK_ROWS:
                known |= pending.keys()
                yield list(pending.values())
                pending = {}
        self._meter.fetched["organisation"] += len(known | pending.keys())
        if pending:
            yield list(pending.values())

    def quarantined(self) -> Iterator[list[dict[str, Any]]]:
        """Poison rows: those paid for, out of the archive, and those of this run's free walk."""
        for table in self._new_batches("quarantine"):
            yield [
                _quarantine_row(row["id"], json.loads(row["payload"]), row["fetched_at"]) for row in table.to_pylist()
            ]
        yield quarantine_rows(self._stub_poison, self._client.clock.now())

    def _new_batches(self, entity: str) -> Iterator[pa.Table]:
        """Files past the cursor; the cursor moves with what was yielded and is kept only if the load succeeds."""
        self._fill()
        state = dlt.current.resource_state()
        for seq, table in self._archive.batches(SOURCE, entity, int(state.get("archive_seq", 0))):
            yield table
            state["archive_seq"] = seq

    def _fill(self) -> None:
        if self._is_filled:
            return
        self._is_filled = True
        watch = Watch(self._client, self._meter, rows_max=self._rows_max)
        try:
            stamps = watch.walk(self._query)
            buy_moved(self._client, self._archive, self._meter, stamps, credits_max=self._credits_max)
        except VendorError as error:
            self._meter.problem(f"{error}. What the archive holds is loaded; the rest follows with the next run.")
        self._stub_poison = watch.poison
        self._meter.quarantined += len(watch.poison)
        self._meter.retries += self._client.retries


def organisations_in(table: pa.Table) -> list[dict[str, Any]]:
    """Raw rows of the employers inside a file of people. People without one, or with one without id, give none."""
    rows: list[dict[str, Any]] = []
    for person in table.to_pylist():
        employer = json.loads(person["payload"]).get("organization")
        if not isinstance(employer, dict):
            continue
        good, _ = screen([employer], entity="organisation", id_of=lambda row: row.get("id"))
        for employer_id, payload in good:
            rows.append(
                raw_row(employer_id, payload, fetched_at=person["fetched_at"], archive_seq=person["archive_seq"])
            )
    return rows


def _quarantine_row(row_id: str, payload: dict[str, Any], fetched_at: Any) -> dict[str, Any]:
    return {"id": f"{payload['entity']}:{row_id}", **payload, "fetched_at": fetched_at}
