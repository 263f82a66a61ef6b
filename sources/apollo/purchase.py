"""Buying: only what moved, kept durably before anything else happens.

Belongs here: which ids to pay for, `people/bulk_match`, what its answers mean, putting them into the archive.
Does not: finding them (`watch.py`), loading them (`__init__.py`).
Surprise: a poison row was paid for too. It goes into the archive's `quarantine` with its stamp, so that it is not
bought again every half hour; once Apollo refreshes the person, the stamp moves and the next run takes it in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sources.apollo import settings
from sources.apollo.client import ApolloClient, Delivery, OutOfCredits
from sources.archive import Archive, ArchiveRow
from sources.intake import Meter, Poison, screen

SOURCE = "apollo"


def buy_moved(
    client: ApolloClient,
    archive: Archive,
    meter: Meter,
    stamps: dict[str, str],
    *,
    credits_max: float | None = None,
) -> None:
    """Buy every id whose stamp differs from the archived one, the newest first; stop when credits run out.

    `credits_max` bounds what one run may spend; None leaves it to the account's balance.

    Raises:
        VendorError: Apollo could not be reached; what was bought until then is archived.
    """
    wanted = _wanted(archive, stamps)
    for bought, ids in enumerate(_parts(wanted, settings.MATCH_IDS_MAX)):
        left = len(wanted) - bought * settings.MATCH_IDS_MAX
        if credits_max is not None and meter.credits + len(ids) > credits_max:
            meter.problem(
                f"apollo: this run may spend {credits_max:g} credits and has spent {meter.credits:g}; {left:,} people "
                "wait for the next run. To go faster raise SOURCES__APOLLO__CREDITS_MAX."
            )
            return
        try:
            delivery = client.match(ids)
        except OutOfCredits:
            meter.problem(
                f"apollo: out of credits; {left:,} people could not be bought, what is archived is loaded. They follow "
                "by themselves when the credit cycle renews or credits are added."
            )
            return
        _keep(archive, meter, {person_id: stamps[person_id] for person_id in ids}, delivery, client)


def _wanted(archive: Archive, stamps: dict[str, str]) -> list[str]:
    """Ids to buy, the most recently refreshed first: if credits run out, the freshest news was worth most."""
    held = archive.stamps(SOURCE, "contact")
    poisoned = archive.stamps(SOURCE, "quarantine")
    moved = (
        person_id for person_id, stamp in stamps.items() if stamp not in (held.get(person_id), poisoned.get(person_id))
    )
    return sorted(moved, key=lambda person_id: (stamps[person_id], person_id), reverse=True)


def _parts(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(ids)
    while part := list(islice(iterator, size)):
        yield part


def _keep(archive: Archive, meter: Meter, asked: dict[str, str], delivery: Delivery, client: ApolloClient) -> None:
    """Archive one delivery. Rows are joined by id, never by place: Apollo reorders them and drops some."""
    meter.credits += delivery.credits
    good, poison = screen(
        (row for row in delivery.rows if row is not None), entity="contact", id_of=lambda row: row.get("id")
    )
    people = {person_id: person for person_id, person in good if person_id in asked}
    poison += [_unasked(person_id, person) for person_id, person in good if person_id not in asked]
    price = _price_each(delivery.credits, [*people.values()], len(poison))
    fetched_at = client.clock.now()
    archive.append(
        SOURCE,
        "contact",
        [
            ArchiveRow(person_id, asked[person_id], person, 0.0 if _is_saved(person) else price, fetched_at)
            for person_id, person in people.items()
        ],
    )
    if poison:
        archive.append(
            SOURCE,
            "quarantine",
            [ArchiveRow(row.id, asked.get(row.id, ""), _poison_payload(row), price, fetched_at) for row in poison],
        )
    meter.bought["contact"] += len(people)
    meter.missed["contact"] += len(asked.keys() - people.keys() - {row.id for row in poison})
    meter.quarantined += len(poison)


def _is_saved(person: dict[str, Any]) -> bool:
    """People saved in the workspace cost nothing to read."""
    return bool(person.get("contact_id"))


def _price_each(credits: float, people: list[dict[str, Any]], poison_count: int) -> float:
    """What each charged row cost: 1 but for fractional answers."""
    charged = sum(not _is_saved(person) for person in people) + poison_count
    return credits / charged if charged else 0.0


def _unasked(person_id: str, person: dict[str, Any]) -> Poison:
    return Poison(person_id, "contact", "id", "not one of the ids asked for", json.dumps(person, sort_keys=True))


def _poison_payload(row: Poison) -> dict[str, Any]:
    """A poison row as the archive and the quarantine table hold it; its own payload is escaped text."""
    return {
        "entity": row.entity,
        "field": row.field,
        "reason": row.reason,
        "remedy": row.remedy,
        "payload": row.payload,
    }
