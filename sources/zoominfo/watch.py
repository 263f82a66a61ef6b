"""Watch ZoomInfo for free: which records exist, and which version of each.

Belongs here: search walks, the split of queries larger than the vendor's cap, the stamp of a record, the cursor.
Does not: anything that costs a credit (`buy.py`).
Surprise: a split is proven, not trusted. Rows without a country match no country, so the distinct ids found below a
query are compared with the total the query itself announced, and further ways are tried until they agree: sorted
forwards and backwards up to twice the cap, then score by score, then every filter in turn. The score matters: some
people have neither level nor state, and an employer without a head count, so that no other filter reaches them (3 of
55,210 in a world of 100,000 people); a score everybody has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sources.http import VendorError
from sources.intake import Meter, Poison, content_hash, screen
from sources.zoominfo import settings
from sources.zoominfo.client import SearchPage, ZoomInfoClient
from sources.zoominfo.settings import EntityRoutes

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|$)")
_HASH_PREFIX = "hash:"
# What a search row says about us rather than about the record; it changes by our own buying.
_VOLATILE = ("managementStatus", "logo")


class CapOverflow(VendorError):
    """A query that no filter splits small enough: rows exist that no walk can reach."""


@dataclass(frozen=True)
class Seen:
    """One record as the free search shows it. `stamp` is its version: a date, or a hash of the row."""

    stamp: str
    is_managed: bool  # paid for within twelve months: reading it again is free

    @property
    def is_dated(self) -> bool:
        return not self.stamp.startswith(_HASH_PREFIX)


@dataclass
class Walk:
    """All that one watch found. `announced` is what the vendor says there is."""

    client: ZoomInfoClient
    routes: EntityRoutes
    seen: dict[str, Seen] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)
    announced: int = 0
    overflowed: list[str] = field(default_factory=list)
    gap: int = 0  # rows announced and not delivered
    _values: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def cover(self, query: Mapping[str, Any], splits: Sequence[str]) -> tuple[set[str], int]:
        """Walk a query, splitting it where it is larger than the cap; returns the ids found and the total announced."""
        first = self.client.search(self.routes, query)
        if first.rows_total <= self.client.rows_max:
            return self._read(query, first), first.rows_total
        is_within_both_ends = first.rows_total <= 2 * self.client.rows_max
        found = self._read_both_ends(query, first) if is_within_both_ends or not splits else set()
        if len(found) < first.rows_total <= len(self.routes.scores) * self.client.rows_max:
            self._read_by_score(query, found, enough=first.rows_total)
        for position, split in enumerate(splits):
            if len(found) >= first.rows_total:
                break
            for part in self._parts(split):
                found |= self.cover({**query, **part}, splits[position + 1 :])[0]
        if not splits and len(found) < first.rows_total:
            self.overflowed.append(f"{dict(query)} ({first.rows_total} rows)")
        return found, first.rows_total

    def _read_both_ends(self, query: Mapping[str, Any], first: SearchPage) -> set[str]:
        """Sorted forwards and backwards, one query yields twice the cap, rows without country or employer included."""
        found = self._read(query, first)
        sort = f"-{self.routes.sort}"
        backwards = self.client.search(self.routes, query, sort=sort)
        return self._read(query, backwards, sort=sort, found=found, enough=first.rows_total)

    def _read_by_score(self, query: Mapping[str, Any], found: set[str], *, enough: int) -> None:
        """From each score upwards in the order of scores: so each shows up to the cap of its own rows."""
        for score in self.routes.scores:
            part = {**query, settings.SCORE_FILTER: score}
            first = self.client.search(self.routes, part, sort=settings.SCORE)
            is_rest = first.rows_total <= self.client.rows_max
            score_max = None if is_rest else score
            self._read(part, first, sort=settings.SCORE, found=found, enough=enough, score_max=score_max)
            if is_rest or len(found) >= enough:
                return

    def _read(
        self,
        query: Mapping[str, Any],
        first: SearchPage,
        *,
        sort: str | None = None,
        found: set[str] | None = None,
        enough: int | None = None,
        score_max: int | None = None,
    ) -> set[str]:
        """Add a query's ids to `found`, until its pages end, `enough` are there or the scores pass `score_max`.

        Poison counts as found: it was delivered.
        """
        found = set() if found is None else found
        for page in self.client.pages(self.routes, query, first, sort=sort):
            good, poison = screen(page.rows, entity=self.routes.entity, id_of=lambda row: row.get("id"))
            self.poison += poison
            found.update(row.id for row in poison)
            for row_id, row in good:
                found.add(row_id)
                self.seen[row_id] = _seen(row)
            if enough is not None and len(found) >= enough:
                break
            if score_max is not None and good and _score(good[-1][1]) > score_max:
                break
        return found

    def _parts(self, split: str) -> list[dict[str, Any]]:
        if split not in self._values:
            self._values[split] = list(_split_parts(self.client, split))
        return self._values[split]


def walk_all(client: ZoomInfoClient, routes: EntityRoutes, meter: Meter) -> Walk:
    """Every record there is. Raises `CapOverflow` where the cap hides some."""
    return _walk(client, routes, meter, client.roots(routes))


def walk_since(client: ZoomInfoClient, day: date, meter: Meter) -> Walk:
    """Contacts whose date is later than `day` (exclusive, day grain, as the vendor has it)."""
    return _walk(client, settings.CONTACT, meter, ({"lastUpdatedDateAfter": day.isoformat()},))


def cursor_day(cursor: str | None, today: date) -> date | None:
    """The day to ask after: one before the cursor, so that its own day comes again. None where there is no cursor.

    A date in the future (a defect at the vendor) must not blind every later run: today is the latest.
    """
    return min(date.fromisoformat(cursor), today) - timedelta(days=1) if cursor else None


def next_cursor(walk: Walk, cursor: str | None, unbought: Sequence[str]) -> str | None:
    """The cursor after a watch: the newest day seen, but never past a record that was due and not delivered."""
    days = {row_id: _day_of(seen.stamp) for row_id, seen in walk.seen.items()}
    open_days = [day for row_id in unbought if (day := days.get(row_id))]
    if open_days:
        return min([*open_days, *([cursor] if cursor else [])])
    return max([day for day in days.values() if day] + ([cursor] if cursor else []), default=None)


def _walk(client: ZoomInfoClient, routes: EntityRoutes, meter: Meter, roots: Sequence[Mapping[str, Any]]) -> Walk:
    walk = Walk(client, routes)
    for root in roots:
        found, announced = walk.cover(root, routes.splits)
        walk.announced += announced
        _judge(walk, root, gap=announced - len(found), meter=meter)
    meter.fetched[routes.entity] += len(walk.seen)
    return walk


def _judge(walk: Walk, root: Mapping[str, Any], *, gap: int, meter: Meter) -> None:
    if -gap > (walk.announced + gap) * settings.GROWTH_SHARE and -gap > settings.GROWTH_ROWS:
        meter.problem(
            f"zoominfo: {-gap} {walk.routes.folder} more came than were announced for "
            f"{dict(root) or 'the whole search'}. All of them are loaded; whether there are more nobody can tell, the "
            "next run looks again."
        )
    if gap <= 0:
        return
    walk.gap += gap
    what = f"zoominfo: {gap} of {walk.announced} {walk.routes.folder}"
    if walk.overflowed:
        raise CapOverflow(
            f"{what} cannot be reached: one query yields at most {walk.client.rows_max} rows, and no filter makes "
            f"these smaller: {'; '.join(walk.overflowed[:3])}. Nothing was bought. Narrow what is watched."
        )
    meter.problem(
        f"{what} were announced and not delivered for {dict(root) or 'the whole search'}. "
        "What came is loaded, nothing is taken for deleted; the next run asks again."
    )


def _split_parts(client: ZoomInfoClient, split: str) -> Iterator[dict[str, Any]]:
    if split == "employees":
        for low, high in settings.EMPLOYEE_RANGES:
            yield {"employeeRangeMin": low, "employeeRangeMax": high}
        return
    lookups = {"country": "countries", "state": "states", "managementLevel": "management-levels"}
    for value in client.lookup(lookups[split]):
        yield {split: value}


def _attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    attributes = row.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _score(row: Mapping[str, Any]) -> float:
    """The accuracy score; 0 where it is no number, so that a walk goes on."""
    score = _attributes(row).get(settings.SCORE)
    return score if isinstance(score, int | float) and not isinstance(score, bool) else 0


def _seen(row: Mapping[str, Any]) -> Seen:
    attributes = _attributes(row)
    status = attributes.get("managementStatus")
    is_managed = isinstance(status, dict) and status.get("underManagement") is True
    stamp = attributes.get("lastUpdatedDate")
    if not isinstance(stamp, str) or not _day_of(stamp):
        lasting = {key: value for key, value in attributes.items() if key not in _VOLATILE}
        stamp = _HASH_PREFIX + content_hash(lasting)
    return Seen(stamp=stamp, is_managed=is_managed)


def _day_of(stamp: str) -> str | None:
    """The ISO day a stamp starts with; None for hashes and for text that only looks like a date."""
    found = _ISO_DATE.match(stamp)
    if not found:
        return None
    try:
        return date.fromisoformat(found[0]).isoformat()
    except ValueError:
        return None
