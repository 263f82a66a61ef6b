"""What the team has saved in its Apollo workspace: contacts and accounts, whole and for nothing.

    contacts/search, newest first by contact_updated_at -> raw_apollo.contact       key: person_id, else contact:<id>
    accounts/search, newest first by account_updated_at -> raw_apollo.organisation  key: organization_id

Belongs here: walking both, where a walk may stop, what stayed out of reach. Does not: people who are not saved
(`watch.py`, `purchase.py`). Surprise: what is read for nothing needs no archive, so rows go to the warehouse page by
page and nothing is held: a million contacts take the memory of twenty pages and eight bytes each.
Surprise: a search ends at its cap from either end, so sorted both ways it shows twice its cap; the rest is counted and
named. A row that is updated while it is walked comes again at the top of the next walk, for the cursor is the newest
moment of the first page.
"""

from __future__ import annotations

import array
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dlt
import numpy as np
import pyarrow as pa
from dlt.extract import DltResource

from sources.apollo import settings
from sources.apollo.client import ApolloClient, Page
from sources.http import VendorError
from sources.intake import RAW_COLUMNS, RAW_SCHEMA, Meter, Poison, raw_row, screen
from sources.load import raw_hints

_CHUNK_ROWS = 2_000  # rows that wait for one table; one a page would make ten thousand tiny loads of a million
_SPOKEN = {"contact": "contacts", "organisation": "accounts"}
_IN_CONTACT = ("phone_numbers", "contact_emails", "organization_name", "account_id", "updated_at")

Fetch = Callable[..., Page]


def saved(
    client: ApolloClient, meter: Meter, poison: list[Poison], *, rows_max: int | None = settings.SEARCH_ROWS_MAX
) -> Iterator[DltResource]:
    """The resources `saved_contact` and `saved_account`, which load into tables that the archive fills too.

    `rows_max`: what one search shows at most; None where it has no cap.
    """
    walks: dict[str, tuple[str, Callable[[SavedWalk], Iterator[pa.Table]]]] = {
        "saved_contact": ("contact", SavedWalk.contacts),
        "saved_account": ("organisation", SavedWalk.accounts),
    }
    hints = {name: {"nullable": True, **hint} for name, hint in RAW_COLUMNS.items()}
    for name, (table, walk) in walks.items():

        def load(walk: Callable[[SavedWalk], Iterator[pa.Table]] = walk) -> Iterator[pa.Table]:
            yield RAW_SCHEMA.empty_table()
            state = dlt.current.resource_state()
            yield from _guarded(walk(SavedWalk(client, meter, state, poison, rows_max)), client, meter)

        # Called here, for dlt would fill a parameter from the environment.
        yield dlt.resource(load(), name=name, table_name=table, **raw_hints(hints))


def _guarded(tables: Iterator[pa.Table], client: ApolloClient, meter: Meter) -> Iterator[pa.Table]:
    """The same tables; where Apollo fails, what came before is loaded and the run says so."""
    while True:
        retried_before = client.retried.copy()
        try:
            table = next(tables, None)
        except VendorError as error:
            reason = str(error).rstrip(".")
            meter.problem(f"{reason}. What came is loaded, nothing is taken for deleted; the next run goes on.")
            return
        finally:
            meter.retried += client.retried - retried_before
        if table is None:
            return
        yield table


@dataclass
class SavedWalk:
    """One walk over one of the two searches. `state` is kept between runs; `poison` is what was not let in."""

    client: ApolloClient
    meter: Meter
    state: MutableMapping[str, Any]
    poison: list[Poison]
    rows_max: int | None = settings.SEARCH_ROWS_MAX
    sweep_days: int = settings.SAVED_SWEEP_DAYS
    _seen: array.array[int] = field(default_factory=lambda: array.array("q"))
    _waiting: list[dict[str, Any]] = field(default_factory=list)

    def contacts(self) -> Iterator[pa.Table]:
        """Rows in the shape in which a match tells a saved person. Since the cursor, or all in a sweep."""
        cursor = None if self._is_sweep_due() else self.state.get("cursor")
        enough = _before(cursor) if cursor else _nothing
        first = self.client.contacts(page=1)
        yield from self._walk("contact", self.client.contacts, first, _as_person, enough)
        if "swept_at" not in self.state:
            return  # whoever was jumped over may be older than anybody who came
        newest = max((moment for row in first.rows if (moment := _updated_at(row))), default=None)
        if newest:
            self.state["cursor"] = min(newest, self.client.clock.now().isoformat())

    def accounts(self) -> Iterator[pa.Table]:
        """Rows tell no update time, so a walk ends at the first row that stood at the top last time, unaltered."""
        known = set() if self._is_sweep_due() else set(self.state.get("known", ()))
        first = self.client.accounts(page=1)
        yield from self._walk(
            "organisation", self.client.accounts, first, _as_organisation, lambda row: _mark(row) in known
        )
        if "swept_at" not in self.state:
            return
        self.state["known"] = [_mark(row) for row in first.rows]

    def _walk(
        self,
        entity: str,
        fetch: Fetch,
        first: Page,
        told: Callable[[dict[str, Any]], dict[str, Any]],
        is_known: Callable[[Any], bool],
    ) -> Iterator[pa.Table]:
        """Newest first, then oldest first for what the cap hides. A row that `is_known` ends the walk with its page."""
        is_whole = True
        for page in self._pages(fetch, first, is_ascending=False):
            self._take(entity, page, told)
            if len(self._waiting) >= _CHUNK_ROWS:
                yield self._table()
            if any(is_known(row) for row in page.rows):
                is_whole = False
                break
        hidden = first.total - self.rows_max if is_whole and self.rows_max is not None else 0
        if hidden > 0:
            for page in self._pages(fetch, fetch(page=1, is_ascending=True), is_ascending=True, rows=hidden):
                self._take(entity, page, told)
                if len(self._waiting) >= _CHUNK_ROWS:
                    yield self._table()
        if self._waiting:
            yield self._table()
        found = len(np.unique(np.frombuffer(self._seen, dtype=np.int64))) if self._seen else 0
        self.meter.fetched[entity] += found
        if is_whole:
            self._judge(entity, first.total, found)

    def _pages(self, fetch: Fetch, first: Page, *, is_ascending: bool, rows: int | None = None) -> Iterator[Page]:
        """Pages until one is short, the cap is reached, or `rows` are there."""
        number, page = 1, first
        while page.rows:
            yield page
            read = number * settings.PAGE_ROWS
            is_at_cap = self.rows_max is not None and read + settings.PAGE_ROWS > self.rows_max
            if len(page.rows) < settings.PAGE_ROWS or is_at_cap or (rows is not None and read >= rows):
                return
            number += 1
            page = fetch(page=number, is_ascending=is_ascending)

    def _take(self, entity: str, page: Page, told: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        shaped = [told(row) if isinstance(row, dict) else row for row in page.rows]
        good, poison = screen(shaped, entity=entity, id_of=lambda row: row.get("id"))
        self.poison += poison
        at = self.client.clock.now()
        for row_id, row in good:
            # A moment is later than any number of an archive file: what is saved now wins over what was once bought.
            moment = _updated_at(row)
            self._waiting.append(raw_row(row_id, row, fetched_at=at, stamp=moment, archive_seq=int(at.timestamp())))
        self._seen.extend(_number(row_id) for row_id in (*(row_id for row_id, _ in good), *(row.id for row in poison)))

    def _table(self) -> pa.Table:
        rows, self._waiting = {row["id"]: row for row in self._waiting}, []
        return pa.Table.from_pylist(list(rows.values()), schema=RAW_SCHEMA)

    def _judge(self, entity: str, total: int, found: int) -> None:
        """After a whole walk: name what did not come; what came too much means that the total was wrong."""
        gap, what = total - found, _SPOKEN[entity]
        out_of_reach = max(total - 2 * self.rows_max, 0) if self.rows_max is not None else 0
        if gap > 0:
            cap = f" (one search shows {self.rows_max:,}, both its ends are read)" if out_of_reach else ""
            self.meter.problem(
                f"apollo: {gap:,} of {total:,} saved {what} are out of reach of the search{cap}. The others are "
                "loaded, nothing is taken for deleted; the next run looks again."
            )
        elif -gap > total * settings.GROWTH_SHARE:
            self.meter.problem(
                f"apollo: the search said {total:,} saved {what} and gave {found:,}. All of them are loaded; whether "
                "there are more nobody can tell, the next run looks again."
            )
        if 0 <= gap <= out_of_reach:
            self.state["swept_at"] = self.client.clock.now().isoformat()

    def _is_sweep_due(self) -> bool:
        swept_at = self.state.get("swept_at")
        due = timedelta(days=self.sweep_days)
        return swept_at is None or self.client.clock.now() - datetime.fromisoformat(swept_at) >= due


def _as_person(row: dict[str, Any]) -> dict[str, Any]:
    """A saved contact as a match tells a saved person: keyed by the person, with the contact beside it."""
    person_id, contact_id = row.get("person_id"), row.get("id")
    key = person_id or (f"contact:{contact_id}" if isinstance(contact_id, str) and contact_id else None)
    return {**row, "id": key, "contact_id": contact_id, "contact": {name: row.get(name) for name in _IN_CONTACT}}


def _as_organisation(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "id": row.get("organization_id") or None, "account_id": row.get("id")}


def _updated_at(row: Any) -> str | None:
    """The moment in UTC; None where there is none that can be read."""
    told = row.get("updated_at") if isinstance(row, dict) else None
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).isoformat()


def _mark(row: Any) -> str:
    """A hash of a row as sent, poison included."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()


def _nothing(row: Any) -> bool:
    """Nothing is known yet: a sweep."""
    return False


def _before(cursor: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a row is older than the cursor and the overlap before it."""
    limit = (datetime.fromisoformat(cursor) - settings.SAVED_OVERLAP).isoformat()
    return lambda row: (_updated_at(row) or limit) < limit


def _number(row_id: str) -> int:
    """Eight bytes that stand for an id; two of a million are alike once in forty million walks."""
    return int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=8).digest(), "big", signed=True)
