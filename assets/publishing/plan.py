"""The plan for one record: from what golden wants, what we published and what Halo holds to at most one write.

Belongs here: pure decisions. Does not: reading, sending (publisher.py), the merge of a field (merge.py).
Surprise: against the mirror a decision is only tentative; before an update is sent it is made again on a fresh read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sources.halopsa import fields as halo_fields

from assets.publishing import mapping, reasons
from assets.publishing.crosswalk import Link
from assets.publishing.merge import Owner, RecordMerge, Value, merge_record
from assets.publishing.mirror import HaloRecord


@dataclass(frozen=True)
class Hold:
    """Nothing is sent, on purpose."""

    reason: str


@dataclass(frozen=True)
class Create:
    values: dict[str, Value]


@dataclass(frozen=True)
class Update:
    """`merge.writes` may be empty where only the golden id is stamped or the record is woken up."""

    merge: RecordMerge
    stamp: bool = False
    reactivate: bool = False


@dataclass(frozen=True)
class Nothing:
    """Halo has it all; `agreed` values are noted as published."""

    agreed: dict[str, Value]


Decision = Hold | Create | Update | Nothing


def decide(
    resource: str,
    wanted: Mapping[str, Value],
    link: Link | None,
    now: HaloRecord | None,
    owners: Mapping[str, Owner],
    *,
    can_stamp: bool,
    is_newer: bool | None = None,
) -> Decision:
    """What one golden record means for one Halo record; `now` None where the mirror does not know it yet.

    `owners` names who owns each field (rules.py). `is_newer`: golden changed after Halo did; None before a detail read
    has told.
    """
    if link is None:
        missing = [name for name in mapping.REQUIRED[resource] if wanted.get(name) is None]
        if missing:
            return Hold(reasons.missing(missing))
        return Create({name: value for name, value in wanted.items() if value is not None})
    if now is not None and now.is_inactive and not link.is_retired_by_us:
        return Hold(reasons.INACTIVE)
    merge = merge_record(
        link.published, wanted, now.fields if now else {}, owners, mapping.GROUPS[resource], is_newer=is_newer
    )
    stamp = can_stamp and not link.is_stamped
    if merge.writes or stamp or link.is_retired_by_us:
        return Update(merge, stamp=stamp, reactivate=link.is_retired_by_us)
    return Nothing(merge.agreed)


def body_of_create(resource: str, decision: Create, golden_id: str, stamp_field: int | None) -> dict[str, Any]:
    """The element to post; creation is the one moment at which the golden id costs no read."""
    body = mapping.payload(resource, decision.values, address_now={})
    return body | ({"customfields": [{"id": stamp_field, "value": golden_id}]} if stamp_field is not None else {})


def body_of_update(
    resource: str, decision: Update, golden_id: str, stamp_field: int | None, detail: Mapping[str, Any]
) -> dict[str, Any]:
    """The changed fields only; `detail` is the fresh read that custom fields and address lines are completed from."""
    now = mapping.seen(resource, detail)
    body = mapping.payload(resource, decision.merge.writes, address_now=now)
    if decision.stamp and stamp_field is not None:
        body["customfields"] = halo_fields.merged_custom_fields(detail, {stamp_field: golden_id})
    if decision.reactivate:
        body["inactive"] = False
    return body


def untouched(link: Link, now: HaloRecord) -> bool:
    """Whether every field we could publish still holds what we put there, or nothing where we put nothing."""
    return not now.is_inactive and all(
        now.fields.get(name) == (link.published[name].held if name in link.published else None)
        for name in mapping.FIELDS[link.resource]
    )
