"""The work list: what a person has to settle in HaloPSA or at a source, opened and closed by what a run finds.

Belongs here: items of `work_item`, opening and closing them, the list of merges that wait. Does not: finding out
(reconcile.py), why a single record is held (reasons.py).
Surprise: nobody ticks an item off. It is open as long as the run that looks for its kind finds it, and closes when it
is found no more.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.publishing import mapping
from assets.publishing.tables import crosswalk, head, outbox, work_item

# Kind -> what it is and what to do about it; counted and shown by this sentence.
REMEDIES = {
    "orphan": "a HaloPSA record bears a golden id that no golden record has: clear the field there, or retire it",
    "double": "several HaloPSA records bear one golden id: merge them in HaloPSA",
    "gone": "its HaloPSA record was deleted: restore it there, or leave it out of the sources",
    "lost_write": "HaloPSA shows an older value of ours: if nobody set it back on purpose, correct it there",
    "overwritten": (
        "a person's value was replaced by ours, saved at the very moment: halosync reconcile --restore GOLDEN_ID FIELD "
        "gives it back"
    ),
    "unusable": "a field of a HaloPSA record cannot be read whole: correct it there; until then we write nothing to it",
    "crossed": "a person saved this record while we wrote it: look in HaloPSA whether what they typed is still there",
    "human_edit": "a person has changed what we published: nothing to do, their value stays",
    "merge": "two records that are one person or company are both active in HaloPSA: merge them there",
}
LIVE = ("open", "restoring")  # restoring: somebody asked for a value back, the next publishing gives it
FOR_INFORMATION = frozenset({"human_edit"})


@dataclass(frozen=True)
class Item:
    """One finding; `detail` may hold values of the record and never leaves the ledger unasked."""

    kind: str
    golden_id: str | None
    resource: str
    halo_id: int
    other_halo_id: int | None = None
    field: str | None = None
    detail: dict[str, Any] = dataclasses.field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Moved:
    """What a look at some kinds changed in the list."""

    opened: int
    closed: int


def renew(
    connection: sa.Connection, kinds: Collection[str], found: Iterable[Item], *, at: datetime, run_id: str
) -> Moved:
    """Make the open items of `kinds` exactly those of `found`, each with what was found of it last."""
    wanted = {item: item for item in found}
    known = {item: (item_id, item.detail) for item_id, item in _live(connection, kinds)}
    fresh = [item for item in wanted if item not in known]
    over = [item_id for item, (item_id, _) in known.items() if item not in wanted]
    moved = [
        {"of_id": item_id, "now": wanted[item].detail}
        for item, (item_id, detail) in known.items()
        if item in wanted and wanted[item].detail != detail
    ]
    if fresh:
        connection.execute(sa.insert(work_item), [_as_row(item, at, run_id) for item in fresh])
    if moved:
        of_id = work_item.c.item_id == sa.bindparam("of_id")
        connection.execute(sa.update(work_item).where(of_id).values(detail=sa.bindparam("now")), moved)
    close(connection, over, at=at)
    return Moved(len(fresh), len(over))


def add(connection: sa.Connection, found: Iterable[Item], *, at: datetime, run_id: str) -> None:
    """Open items beside those that are open; what is listed already stays as it is."""
    wanted = {item: item for item in found}
    known = {item for _, item in _live(connection, {item.kind for item in wanted})}
    fresh = [_as_row(item, at, run_id) for item in wanted if item not in known]
    if fresh:
        connection.execute(sa.insert(work_item), fresh)


def close(connection: sa.Connection, item_ids: Collection[int], *, at: datetime) -> None:
    """Settle items."""
    if item_ids:
        connection.execute(
            sa.update(work_item)
            .where(work_item.c.item_id == sa.bindparam("of_id"))
            .values(state="closed", closed_at=sa.bindparam("at")),
            [{"of_id": item_id, "at": at} for item_id in item_ids],
        )


def live(connection: sa.Connection, kinds: Collection[str], states: Collection[str] = LIVE) -> dict[Item, int]:
    """Items that are not closed, the oldest first, with their numbers."""
    return {item: item_id for item_id, item in _live(connection, kinds, states)}


def renew_merges(connection: sa.Connection, *, at: datetime, run_id: str) -> Moved:
    """List every golden record that was merged away and whose HaloPSA record may not be made inactive by us."""
    survivor = crosswalk.alias("survivor")
    query = (
        sa.select(crosswalk.c.golden_id, crosswalk.c.resource, crosswalk.c.halo_id, survivor.c.halo_id.label("other"))
        .join(outbox, outbox.c.golden_id == crosswalk.c.golden_id)
        .join(head, head.c.golden_id == crosswalk.c.golden_id)
        .join(survivor, sa.and_(survivor.c.golden_id == head.c.other_id, survivor.c.resource == crosswalk.c.resource))
        .where(
            outbox.c.action == "retire",
            outbox.c.state == "held",
            crosswalk.c.resource.in_(mapping.MAIN_RESOURCE.values()),
        )
    )
    found = [Item("merge", row.golden_id, row.resource, row.halo_id, row.other) for row in connection.execute(query)]
    return renew(connection, ("merge",), found, at=at, run_id=run_id)


def open_counts(connection: sa.Connection) -> Counter[str]:
    """kind -> items that are not closed."""
    query = sa.select(work_item.c.kind, sa.func.count()).where(work_item.c.state.in_(LIVE)).group_by(work_item.c.kind)
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def of_golden(connection: sa.Connection, golden_id: str) -> list[dict[str, Any]]:
    """Every item about one golden record, the oldest first, closed ones too."""
    query = sa.select(work_item).where(work_item.c.golden_id == golden_id).order_by(work_item.c.item_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _live(connection: sa.Connection, kinds: Collection[str], states: Collection[str] = LIVE) -> list[tuple[int, Item]]:
    is_live = sa.and_(work_item.c.state.in_(states), work_item.c.kind.in_(kinds))
    query = sa.select(work_item).where(is_live).order_by(work_item.c.item_id)
    return [
        (
            row.item_id,
            Item(row.kind, row.golden_id, row.resource, row.halo_id, row.other_halo_id, row.field, row.detail or {}),
        )
        for row in connection.execute(query)
    ]


def _as_row(item: Item, at: datetime, run_id: str) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "golden_id": item.golden_id,
        "resource": item.resource,
        "halo_id": item.halo_id,
        "other_halo_id": item.other_halo_id,
        "field": item.field,
        "detail": item.detail,
        "state": "open",
        "opened_at": at,
        "closed_at": None,
        "run_id": run_id,
    }
