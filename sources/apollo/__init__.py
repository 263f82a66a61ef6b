"""Apollo.io as a dlt source: people, and their employers, by the route that costs least.

    mixed_people/api_search (free stubs) -> stamps that moved -> people/bulk_match (1 credit each) -> archive
    archive/apollo/contact    -> raw_apollo.contact        key: id, the person's 24 hex digits
                              -> raw_apollo.organisation   key: organization.id, inside each person: no extra credit
    archive/apollo/quarantine -> raw_apollo.quarantine
    contacts/search, accounts/search (free, what the team has saved; `saved.py`) -> the same tables

API: https://docs.apollo.io/reference/people-api-search and https://docs.apollo.io/reference/bulk-people-enrichment;
key: https://docs.apollo.io/docs/create-api-key; changelog: https://docs.apollo.io/changelog.

Belongs here: the source and its resources. Does not: walking (`watch.py`), paying (`purchase.py`), HTTP (`client.py`),
loading (`sources/paid.py`), the placeholder address of locked e-mails (mapped to null when standardising; the payload
stays as sent).
Surprise: what costs credits loads from the archive, never from an answer. The cursor (the last archive file loaded)
lives in dlt's state, and that lives in the warehouse: delete the warehouse, and the archive is replayed for 0 credits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from sources.apollo import settings
from sources.apollo.client import ApolloClient, Filters
from sources.apollo.purchase import SOURCE, buy_moved
from sources.apollo.saved import saved
from sources.apollo.watch import Watch
from sources.archive import Archive
from sources.intake import RAW_SCHEMA, Meter, Poison, content_hash, raw_row, screen
from sources.paid import archived, quarantine
from sources.volume import hold_unlikely


def apollo(
    client: ApolloClient,
    archive: Archive,
    meter: Meter,
    *,
    query: Filters | None = None,
    domains: Sequence[str] = (),
    credits_max: float | None = None,
    rows_max: int = settings.SEARCH_ROWS_MAX,
    is_buying: bool = True,
    has_saved: bool = False,
    saved_rows_max: int | None = settings.SEARCH_ROWS_MAX,
) -> DltSource:
    """Tables `contact`, `organisation` and `quarantine`.

    `query` holds Apollo's own filters (`{"person_locations": ["United Kingdom"]}`); none means everybody, which only a
    simulator or a small account can mean. `domains` are companies that somebody waits for: where `query` leaves people
    out, theirs are looked for besides, and bought first.
    `rows_max` is the search's cap, lower in tests. `is_buying`: whether people of the query are bought; `has_saved`:
    whether the saved contacts and accounts are read (`saved_rows_max` is that search's cap, None where it has none).
    """
    poison: list[Poison] = []
    employers: set[str] = set()

    def contacts(state: MutableMapping[str, Any]) -> None:
        for filters in (*(_at_domains(domains) if query else ()), query or {}):
            watch = Watch(client, meter, rows_max=rows_max)
            try:
                stamps = watch.walk(filters)
                of = f"people of the query {content_hash(filters)[:8]}"
                hold_unlikely(state, len(stamps), of=of, source=SOURCE, clock=client.clock, is_whole=not watch.gap)
                buy_moved(client, archive, meter, stamps, credits_max=credits_max)
            finally:
                poison.extend(watch.poison)

    def organisations(table: pa.Table) -> pa.Table:
        rows = {row["id"]: row for row in organisations_in(table)}  # of several copies the one bought last wins
        meter.fetched["organisation"] += len(rows.keys() - employers)
        employers.update(rows)
        return pa.Table.from_pylist(list(rows.values()), schema=RAW_SCHEMA)

    # Without parameters of its own: dlt would fill those that are None from the environment.
    @dlt.source(name=SOURCE, max_table_nesting=0)
    def source() -> Iterator[DltResource]:
        yield archived("contact", archive, meter, contacts if is_buying else None, client)
        yield archived("organisation", archive, meter, kept_as="contact", rows_of=organisations)
        if has_saved:
            yield from saved(client, meter, poison, rows_max=saved_rows_max)
        yield quarantine(archive, meter, client.clock, poison)

    return source()


def _at_domains(domains: Sequence[str]) -> Iterator[Filters]:
    """Searches for the people of some companies, few enough of them in each."""
    for first in range(0, len(domains), settings.DOMAINS_MAX):
        yield {"q_organization_domains_list": list(domains[first : first + settings.DOMAINS_MAX])}


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
