"""The free walk: which people there are, and when Apollo last refreshed each.

Belongs here: walking `mixed_people/api_search`, splitting it where it is larger than its cap, telling what stayed
out of reach. Does not: buying (`purchase.py`), HTTP (`client.py`).
Surprise: a split by country misses people without a country. So the parts are counted against the whole, and where they
fall short the same people are looked for along the next dimension; walking is free, a missing person is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sources.apollo import settings
from sources.apollo.client import ApolloClient, Filters, Page
from sources.apollo.settings import Dimension
from sources.http import VendorError
from sources.intake import Meter, Poison, screen


class TooBroad(VendorError):
    """The query names more people than anybody would want to watch."""


class Watch:
    """One walk. `stamps` holds what was seen: id -> `last_refreshed_at`, empty text where a stub tells none."""

    def __init__(
        self,
        client: ApolloClient,
        meter: Meter,
        *,
        rows_max: int = settings.SEARCH_ROWS_MAX,
        split_by: Sequence[Dimension] = settings.SPLIT_BY,
    ) -> None:
        self._client = client
        self._meter = meter
        self._rows_max = rows_max
        self._split_by = tuple(split_by)
        self._shortfalls: list[tuple[Filters, int, int]] = []
        self.gap = 0
        self.stamps: dict[str, str] = {}
        self.poison: list[Poison] = []

    def walk(self, query: Filters) -> dict[str, str]:
        """See everybody the query names; a gap is a problem of the run, never a silent one.

        Raises:
            TooBroad: more than `WATCH_ROWS_MAX` people.
            VendorError: Apollo could not be read to the end.
        """
        first = self._client.people(query, page=1)
        if first.total > settings.WATCH_ROWS_MAX:
            raise TooBroad(
                f"apollo: the query names {first.total:,} people (at most {settings.WATCH_ROWS_MAX:,}); nothing was "
                "fetched. Narrow SOURCES__APOLLO__QUERY, for example by person_locations."
            )
        self._cover(query, self._split_by, first)
        self._report_gap(first.total)
        self._meter.fetched["contact"] += len(self.stamps)
        return self.stamps

    def _cover(self, query: Filters, spare: Sequence[Dimension], first: Page) -> set[str]:
        """See everybody of a query that still has `spare` dimensions to be split by; returns the ids seen."""
        if first.total <= self._rows_max:
            return self._pages(query, first)
        seen: set[str] = set()
        for dimension in spare:
            rest = [other for other in spare if other is not dimension]
            for value in query.get(dimension.filter) or dimension.values:
                part = {**query, dimension.filter: [value]}
                seen |= self._cover(part, rest, self._client.people(part, page=1))
                if len(seen) >= first.total:
                    return seen
        if len(spare) <= 1:
            seen |= self._pages(query, first)  # no split is left, but the first pages up to the cap are there
        if len(seen) < first.total:
            self._shortfalls.append((query, first.total, first.total - len(seen)))
        return seen

    def _pages(self, query: Filters, first: Page) -> set[str]:
        """Every page of a query, up to the cap; an early empty page ends it.

        A full last page is followed by one more, for a total may be too low.
        """
        seen, number, page = self._take(first.rows), 1, first
        pages_told = math.ceil(min(first.total, self._rows_max) / settings.PAGE_ROWS)
        while number * settings.PAGE_ROWS < self._rows_max and page.rows:
            if number >= pages_told and (len(page.rows) < settings.PAGE_ROWS or len(seen) == first.total):
                break
            number += 1
            page = self._client.people(query, page=number)
            seen |= self._take(page.rows)
        if len(seen) - first.total > first.total * settings.GROWTH_SHARE:
            self._meter.problem(
                f"apollo: the search said {first.total:,} people and gave {len(seen):,} for {_spoken(query)}. All of "
                "them are loaded; whether there are more nobody can tell, the next run looks again."
            )
        return seen

    def _take(self, rows: list[Any]) -> set[str]:
        good, poison = screen(rows, entity="contact", id_of=lambda row: row.get("id"))
        self.poison += poison
        for person_id, stub in good:
            refreshed_at = stub.get("last_refreshed_at")
            self.stamps[person_id] = refreshed_at if isinstance(refreshed_at, str) else ""
        return {person_id for person_id, _ in good} | {row.id for row in poison}  # poison was seen, too

    def _report_gap(self, total: int) -> None:
        gap = total - len(self.stamps) - len({row.id for row in self.poison})
        if gap <= 0:
            return
        self.gap = gap
        deepest = sorted(self._shortfalls, key=lambda found: (-len(found[0]), -found[2], _spoken(found[0])))
        where = "; ".join(
            f"{_spoken(query)} names {size:,} people (cap {self._rows_max:,}), {short:,} of them in no part of it"
            for query, size, short in deepest[:3]
        )
        self._meter.problem(
            f"apollo: {gap:,} of {total:,} people are out of reach of the search: {where or 'its pages end early'}. "
            "The others are loaded. Narrow SOURCES__APOLLO__QUERY, or run it in parts."
        )


def _spoken(query: Filters) -> str:
    return " and ".join(f"{name}={value}" for name, value in query.items()) or "the query without filters"
