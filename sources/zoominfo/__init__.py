"""ZoomInfo through its GTM API: two tables out of free searches and paid enrich calls.

    companies/search (free) -> watch -> companies/enrich -> archive -> raw_zoominfo.organisation
    contacts/search  (free) -> watch -> contacts/enrich  -> archive -> raw_zoominfo.contact

Vendor's pages: https://docs.zoominfo.com (reference, authentication, rate limits, changelog).
Credits: 1 for each record enriched that is not under management; within twelve months the same record is free.
Limits: per package, all windows at once; see `settings.RATE_LIMITS`. Cap: 10,000 rows a query, split in `watch.py`.
Belongs here: the source and what fills each of its tables. Does not: paging, splitting, buying (the files beside).
Surprise: the cursor lives in dlt's state, that is in the warehouse. A new warehouse therefore walks everything again,
which is free, and buys nothing, because the archive holds it already.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from datetime import date
from typing import Any

import dlt
from dlt.extract import DltResource

from sources.archive import Archive
from sources.intake import Meter, Poison
from sources.paid import archived, quarantine
from sources.volume import hold_unlikely
from sources.zoominfo import settings
from sources.zoominfo.buy import buy
from sources.zoominfo.client import ZoomInfoClient
from sources.zoominfo.watch import cursor_day, next_cursor, walk_all, walk_since


@dlt.source(name=settings.SOURCE, max_table_nesting=0)
def zoominfo(
    client: ZoomInfoClient, archive: Archive, meter: Meter, sweep_days: int = settings.SWEEP_DAYS
) -> Iterator[DltResource]:
    """Organisations, contacts and quarantine. `sweep_days=0` walks and refreshes everything in every run."""
    poison: list[Poison] = []

    def organisations(state: MutableMapping[str, Any]) -> None:
        is_sweep = _is_sweep_due(state, client, sweep_days)
        walk = walk_all(client, settings.COMPANY, meter)
        poison.extend(walk.poison)
        hold_unlikely(
            state, len(walk.seen), of="companies", source=settings.SOURCE, clock=client.clock, is_whole=not walk.gap
        )
        buy(client, archive, meter, walk, is_sweep=is_sweep)
        _note_sweep(state, client, is_sweep=is_sweep and not walk.gap)

    def contacts(state: MutableMapping[str, Any]) -> None:
        cursor = state.get("cursor")
        since = cursor_day(cursor, client.clock.now().date())
        is_sweep = since is None or _is_sweep_due(state, client, sweep_days)
        walk = walk_all(client, settings.CONTACT, meter) if is_sweep or not since else walk_since(client, since, meter)
        poison.extend(walk.poison)
        if is_sweep:
            hold_unlikely(
                state, len(walk.seen), of="contacts", source=settings.SOURCE, clock=client.clock, is_whole=not walk.gap
            )
        unbought = buy(client, archive, meter, walk, is_sweep=is_sweep)
        if walk.gap:
            return  # whoever was jumped over may be older than anybody who came: the cursor stays where it was
        state["cursor"] = next_cursor(walk, cursor, unbought)
        _note_sweep(state, client, is_sweep=is_sweep)
        if any(not walk.seen[row_id].is_dated for row_id in unbought):
            state.pop("swept_date", None)  # no cursor finds these again, so the next run walks everything

    yield archived("organisation", archive, meter, organisations, client.session)
    yield archived("contact", archive, meter, contacts, client.session)
    yield quarantine(archive, meter, client.clock, poison)


def _is_sweep_due(state: MutableMapping[str, Any], client: ZoomInfoClient, sweep_days: int) -> bool:
    swept = state.get("swept_date")
    return swept is None or (client.clock.now().date() - date.fromisoformat(swept)).days >= sweep_days


def _note_sweep(state: MutableMapping[str, Any], client: ZoomInfoClient, *, is_sweep: bool) -> None:
    if is_sweep:
        state["swept_date"] = client.clock.now().date().isoformat()
