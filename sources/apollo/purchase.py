"""Buying: only what moved, kept durably before anything else happens.

Belongs here: which ids to pay for, `people/bulk_match`, what its answers mean.
Does not: finding them (`watch.py`), sending and the balance (`checkout.py`), keeping and loading (`sources/paid.py`).
Surprise: the same person bought twice is charged twice, so every answer is made durable before the next call, and who
was paid for and did not come is kept aside. Where a ledger keeps the credits (`meter.purse`), the tollgate sees to
answers that were lost, for every vendor alike; a source that is read without one has its own checkout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sources.apollo import settings
from sources.apollo.checkout import Checkout, LostPurchase
from sources.apollo.client import ApolloClient, Delivery, OutOfCredits
from sources.archive import Archive, ArchiveRow
from sources.intake import Meter, Poison, canonical_json, screen
from sources.paid import Till, attributed

SOURCE = "apollo"
_LOST_REMEDY = "It was paid for and is not paid for again; the next run after Apollo refreshed the person takes it in."


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
    till = Till(archive, meter, "contact")
    checkout = None if meter.purse else Checkout(client)  # with a ledger the tollgate below the client does it
    wanted = _wanted(till, stamps)
    for bought, ids in enumerate(_parts(wanted, settings.MATCH_IDS_MAX)):
        left = len(wanted) - bought * settings.MATCH_IDS_MAX
        if credits_max is not None and meter.credits + len(ids) > credits_max:
            meter.problem(
                f"apollo: this run may spend {credits_max:g} credits and has spent {meter.credits:g}; {left:,} people "
                "wait for the next run. To go faster raise SOURCES__APOLLO__CREDITS_MAX."
            )
            break
        asked = {person_id: stamps[person_id] for person_id in ids}
        try:
            delivery = checkout.buy(asked) if checkout else client.match(ids, is_guarded=True)
        except OutOfCredits:
            meter.problem(
                f"apollo: out of credits; {left:,} people could not be bought, what is archived is loaded. They follow "
                "by themselves when the credit cycle renews or credits are added."
            )
            return
        except LostPurchase as lost:
            _write_off(till, meter, asked, lost.credits, client)
            till.keep()
            raise
        _take(till, meter, asked, delivery, client)
        till.keep()
    if checkout:
        _check_bill(checkout, meter)


def _write_off(till: Till, meter: Meter, lost: Mapping[str, str], credits: float, client: ApolloClient) -> None:
    """Keep people aside who were paid for and did not come, so that no run pays for the same version twice."""
    meter.credits += credits
    for person_id, stamp in lost.items():
        row = Poison(person_id, "contact", "", "paid for and not delivered", "{}", remedy=_LOST_REMEDY)
        till.refuse(row, stamp=stamp, credits=credits / len(lost), at=client.clock.now())
    meter.problem(
        f"apollo: {len(lost):,} people were paid for ({credits:g} credits) and did not come, because an answer was "
        "lost. They are not paid for twice: they come once Apollo has refreshed them. See raw_apollo.quarantine."
    )


def _check_bill(checkout: Checkout, meter: Meter) -> None:
    gap = checkout.unexplained()
    if gap:
        meter.problem(
            f"apollo: the account's balance fell by {gap:g} credits more than the answers of this run say. Another "
            "user of the account may explain it."
        )


def _wanted(till: Till, stamps: dict[str, str]) -> list[str]:
    """Ids to buy, the most recently refreshed first: if credits run out, the freshest news was worth most."""
    moved = (person_id for person_id, stamp in stamps.items() if not till.holds("contact", person_id, stamp))
    return sorted(moved, key=lambda person_id: (stamps[person_id], person_id), reverse=True)


def _parts(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(ids)
    while part := list(islice(iterator, size)):
        yield part


def _take(till: Till, meter: Meter, asked: dict[str, str], delivery: Delivery, client: ApolloClient) -> None:
    """Take in one delivery. Rows are joined by id, never by place: Apollo reorders them and drops some."""
    good, found = screen(
        (row for row in delivery.rows if row is not None), entity="contact", id_of=lambda row: row.get("id")
    )
    people = {person_id: person for person_id, person in good if person_id in asked}
    found += [_unasked(person_id, person) for person_id, person in good if person_id not in asked]
    poison = attributed(found, asked=asked, came=people)
    charged = sum(not _is_saved(person) for person in people.values()) + len(found)
    missing = {row_id: asked[row_id] for row_id in asked.keys() - people.keys() - {row.id for row in poison}}
    lost = max(delivery.credits - charged, 0.0) if missing else 0.0
    price = (delivery.credits - lost) / charged if charged else 0.0
    at = client.clock.now()
    for person_id, person in people.items():
        till.take("contact", ArchiveRow(person_id, asked[person_id], person, 0.0 if _is_saved(person) else price, at))
    for place, row in enumerate(poison):
        # More rows than answers only where one answer stands for several ids; it was paid for once.
        till.refuse(row, stamp=asked.get(row.id, ""), credits=price if place < len(found) else 0.0, at=at)
    meter.credits += delivery.credits - lost
    if lost:
        _write_off(till, meter, missing, lost, client)
    else:
        meter.missed["contact"] += len(missing)


def _is_saved(person: dict[str, Any]) -> bool:
    """People saved in the workspace cost nothing to read."""
    return bool(person.get("contact_id"))


def _unasked(person_id: str, person: dict[str, Any]) -> Poison:
    return Poison(person_id, "contact", "id", "not one of the ids asked for", canonical_json(person))
