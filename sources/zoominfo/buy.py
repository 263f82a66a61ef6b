"""Buy from ZoomInfo what the watch found new, straight into the archive.

Belongs here: what is due, enrich calls, credits, misses. Does not: finding records (`watch.py`), loading (`paid.py`).
Surprise: the key of a bought record is the id we asked by. In the published samples the item's own `id` is the
company's number even for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sources.archive import Archive, ArchiveRow
from sources.http import BadRequest, Forbidden
from sources.intake import Meter, Poison, content_hash, screen
from sources.paid import Till, attributed
from sources.zoominfo import settings
from sources.zoominfo.client import ZoomInfoClient, is_out_of_credits
from sources.zoominfo.settings import EntityRoutes
from sources.zoominfo.watch import Seen, Walk


def buy(client: ZoomInfoClient, archive: Archive, meter: Meter, walk: Walk, *, is_sweep: bool = False) -> list[str]:
    """Enrich what moved; returns the ids that were due and did not come.

    With `is_sweep` two kinds of records under management are read again too, which is free: undated ones, because their
    search row hides most fields, and quarantined ones, because the vendor may have mended them.
    """
    purchase = Purchase(client, archive, meter, walk)
    used_before = client.credits_used() if purchase.due else None
    try:
        purchase.read(purchase.due)
        if is_sweep:
            purchase.read(purchase.free_to_refresh)
    finally:
        purchase.till.keep()  # whatever stopped us: what was paid for is kept
    _report_misses(meter, walk, purchase.missed)
    if used_before is not None and not client.tells_management:
        used_after = client.credits_used()
        if used_after is not None:  # what was counted is a guess there
            meter.credits += used_after - used_before - purchase.credits
    elif used_before is not None:
        _check_bill(client, meter, used_before, purchase.credits)
    return purchase.unbought


class Purchase:
    """One round of enrich calls for one entity."""

    def __init__(self, client: ZoomInfoClient, archive: Archive, meter: Meter, walk: Walk) -> None:
        self.routes: EntityRoutes = walk.routes
        self.unbought: list[str] = []
        self.credits = 0
        self.missed = 0  # asked for and not delivered: no match, opted out
        self.till = Till(archive, meter, self.routes.entity, rows_max=settings.ARCHIVE_ROWS)
        self._client, self._meter, self._walk = client, meter, walk
        self._is_broke = False
        self._hashes = _content_hashes(archive, self.routes.entity)
        self.due = [row_id for row_id, seen in walk.seen.items() if not self._holds(row_id, seen.stamp)]
        self.free_to_refresh = [
            row_id
            for row_id, seen in walk.seen.items()
            if seen.is_managed and self._holds(row_id, seen.stamp) and self._may_have_moved(row_id, seen)
        ]

    def read(self, ids: Sequence[str]) -> None:
        """Enrich ids, 25 a call, until done or out of credits."""
        for start in range(0, len(ids), settings.ENRICH_INPUTS_MAX):
            chunk = ids[start : start + settings.ENRICH_INPUTS_MAX]
            came = set() if self._is_broke else self._read_chunk(chunk)
            self.unbought += [row_id for row_id in chunk if row_id not in came]

    def _may_have_moved(self, row_id: str, seen: Seen) -> bool:
        return not seen.is_dated or self.till.holds_poison(self.routes.entity, row_id, seen.stamp)

    def _holds(self, row_id: str, stamp: str) -> bool:
        return self.till.holds(self.routes.entity, row_id, stamp)

    def _read_chunk(self, chunk: Sequence[str]) -> set[str]:
        """Take in one answer; returns the ids it settled, by a good record or by poison that was paid for."""
        try:
            items = self._client.enrich(self.routes, chunk)
        except (BadRequest, Forbidden) as error:
            if not is_out_of_credits(error):
                raise
            self._stop_buying()
            return set()
        if any(_status(item) == "LIMIT_EXCEEDED" for item in items):
            self._stop_buying()
        matches = [item for item in items if not isinstance(item, dict) or _is_match(item)]
        misses = {str(_asked_id(item, self.routes)) for item in items if isinstance(item, dict) and not _is_match(item)}
        good, found = screen(matches, entity=self.routes.entity, id_of=lambda item: _asked_id(item, self.routes))
        came = {row_id: item for row_id, item in good if row_id in chunk}
        expected = [row_id for row_id in chunk if row_id not in misses]
        poison = attributed(found, asked=expected, came=came)
        for row_id, item in came.items():
            self._take(row_id, item)
        for row in poison:
            self._refuse(row)
        settled = came.keys() | {row.id for row in poison if row.id in chunk}
        self.missed += len(chunk) - len(settled)
        return settled

    def _take(self, row_id: str, item: dict[str, Any]) -> None:
        seen = self._walk.seen[row_id]
        credits, hashed = self._charge(row_id, seen), content_hash(item)
        if credits == 0 and self._hashes.get(row_id) == (seen.stamp, hashed):
            return  # read again for nothing and nothing new
        self.till.take(self.routes.entity, ArchiveRow(row_id, seen.stamp, item, credits, self._client.clock.now()))
        self._hashes[row_id] = (seen.stamp, hashed)

    def _refuse(self, poison: Poison) -> None:
        seen = self._walk.seen.get(poison.id, Seen(stamp="", is_managed=True))  # a row more than was asked for is free
        credits = self._charge(poison.id, seen)
        if credits == 0 and self.till.holds_poison(self.routes.entity, poison.id, seen.stamp):
            return  # read again for nothing and still poison
        self.till.refuse(poison, stamp=seen.stamp, credits=credits, at=self._client.clock.now())

    def _charge(self, row_id: str, seen: Seen) -> float:
        """What an answer about a record cost."""
        is_free = seen.is_managed if self._client.tells_management else row_id in self._hashes
        credits = 0 if is_free else 1
        self.credits += credits
        self._meter.credits += credits
        return float(credits)

    def _stop_buying(self) -> None:
        self._is_broke = True
        self._meter.problem(
            "zoominfo: the account is out of credits. What was bought is loaded; the rest is bought by a later run, "
            "once credits are added. Nothing is taken for deleted."
        )


def _report_misses(meter: Meter, walk: Walk, missed: int) -> None:
    if missed:
        meter.missed[walk.routes.entity] += missed
        meter.problem(
            f"zoominfo: {missed} {walk.routes.entity} record(s) were found by search and not delivered by enrich. "
            "They cost nothing, nothing is taken for deleted; the next run asks again."
        )


def _check_bill(client: ZoomInfoClient, meter: Meter, used_before: int, expected: int) -> None:
    """Compare what we think we spent with what the account's usage says."""
    used_after = client.credits_used()
    if used_after is not None and used_after - used_before != expected:
        meter.problem(
            f"zoominfo: the account's usage grew by {used_after - used_before} records, this run bought {expected}. "
            "Another user of the account, or a lost answer, may explain it."
        )


def _content_hashes(archive: Archive, entity: str) -> dict[str, tuple[str, str]]:
    """Newest archived (stamp, content hash) per id."""
    newest: dict[str, tuple[str, str]] = {}
    for _, table in archive.batches(settings.SOURCE, entity, columns=["id", "stamp", "content_hash"]):
        columns: Iterable[list[str]] = (table[name].to_pylist() for name in ("id", "stamp", "content_hash"))
        newest.update({row_id: (stamp, hashed) for row_id, stamp, hashed in zip(*columns, strict=True)})
    return newest


def _meta(item: Any) -> dict[str, Any]:
    meta = item.get("meta") if isinstance(item, dict) else None
    return meta if isinstance(meta, dict) else {}


def _status(item: Any) -> str:
    return str(_meta(item).get("matchStatus") or "")


def _is_match(item: dict[str, Any]) -> bool:
    return item.get("type") != "NoMatch" and _status(item) in settings.MATCHED_STATUSES


def _asked_id(item: dict[str, Any], routes: EntityRoutes) -> Any:
    asked = _meta(item).get("input")
    asked_id = asked.get(routes.id_key) if isinstance(asked, dict) else None
    return item.get("id") if asked_id in (None, "") else asked_id
