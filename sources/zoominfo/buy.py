"""Buy from ZoomInfo what the watch found new, straight into the archive.

Belongs here: what is due, enrich calls, credits, misses. Does not: finding records (`watch.py`), loading (`paid.py`).
Surprise: the key of a bought record is the id we asked by. In the published samples the item's own `id` is the
company's number even for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sources.archive import Archive, ArchiveRow
from sources.http import BadRequest
from sources.intake import Meter, Poison, content_hash, screen
from sources.zoominfo import settings
from sources.zoominfo.client import ZoomInfoClient, is_out_of_credits
from sources.zoominfo.settings import EntityRoutes
from sources.zoominfo.watch import Walk


def buy(
    client: ZoomInfoClient, archive: Archive, meter: Meter, walk: Walk, *, is_sweep: bool = False
) -> tuple[list[str], list[Poison]]:
    """Enrich what moved; returns the ids that were due and did not come, and the poison among the answers.

    With `is_sweep` undated records under management are read again too: their search row hides most fields, and the
    reading is free.
    """
    purchase = Purchase(client, archive, meter, walk)
    used_before = client.credits_used() if purchase.due else None
    try:
        purchase.read(purchase.due)
        if is_sweep:
            purchase.read(purchase.free_to_refresh)
    finally:
        purchase.keep()  # whatever stopped us: what was paid for is kept
    _report_misses(meter, walk, purchase.missed)
    if used_before is not None:
        _check_bill(client, meter, used_before, purchase.credits)
    return purchase.unbought, purchase.poison


class Purchase:
    """One round of enrich calls for one entity."""

    def __init__(self, client: ZoomInfoClient, archive: Archive, meter: Meter, walk: Walk) -> None:
        self.routes: EntityRoutes = walk.routes
        self.poison: list[Poison] = []
        self.unbought: list[str] = []
        self.credits = 0
        self.missed = 0  # asked for and not delivered: no match, opted out, poison
        self._client, self._archive, self._meter, self._walk = client, archive, meter, walk
        self._drawer: list[ArchiveRow] = []
        self._is_broke = False
        stamps = archive.stamps(settings.SOURCE, self.routes.entity)
        self._hashes = _content_hashes(archive, self.routes.entity)
        self.due = [row_id for row_id, seen in walk.seen.items() if stamps.get(row_id) != seen.stamp]
        self.free_to_refresh = [
            row_id
            for row_id, seen in walk.seen.items()
            if seen.is_managed and not seen.is_dated and stamps.get(row_id) == seen.stamp
        ]

    def read(self, ids: Sequence[str]) -> None:
        """Enrich ids, 25 a call, until done or out of credits."""
        for start in range(0, len(ids), settings.ENRICH_INPUTS_MAX):
            chunk = ids[start : start + settings.ENRICH_INPUTS_MAX]
            came = set() if self._is_broke else self._read_chunk(chunk)
            self.unbought += [row_id for row_id in chunk if row_id not in came]
            if len(self._drawer) >= settings.ARCHIVE_ROWS:
                self.keep()

    def keep(self) -> None:
        """Append what has come so far to the archive, durably."""
        self._archive.append(settings.SOURCE, self.routes.entity, self._drawer)
        self._drawer = []

    def _read_chunk(self, chunk: Sequence[str]) -> set[str]:
        try:
            items = self._client.enrich(self.routes, chunk)
        except BadRequest as error:
            if not is_out_of_credits(error):
                raise
            self._stop_buying()
            return set()
        if any(_status(item) == "LIMIT_EXCEEDED" for item in items):
            self._stop_buying()
        asked = set(chunk)
        matches = (item for item in items if not isinstance(item, dict) or _is_match(item))
        good, poison = screen(matches, entity=self.routes.entity, id_of=lambda item: _asked_id(item, self.routes))
        self.poison += poison
        came = dict(pair for pair in good if pair[0] in asked)
        for row_id, item in came.items():
            self._take(row_id, item)
        self.missed += len(asked) - len(came)
        return set(came)

    def _take(self, row_id: str, item: dict[str, Any]) -> None:
        seen = self._walk.seen[row_id]
        credits = 0 if seen.is_managed else 1
        self.credits += credits
        self._meter.credits += credits
        hashed = content_hash(item)
        if credits == 0 and self._hashes.get(row_id) == (seen.stamp, hashed):
            return  # read again for nothing and nothing new
        self._drawer.append(ArchiveRow(row_id, seen.stamp, item, float(credits), self._client.clock.now()))
        self._hashes[row_id] = (seen.stamp, hashed)
        self._meter.bought[self.routes.entity] += 1

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
