"""Who brings an entity to HaloPSA: the publisher, or the feed that HaloPSA or a tool beside it polls.

Belongs here: which entities the feed carries and since when, and settings that contradict each other. Does not: pages
(feed.py), the publisher's own modes (rules.py).
Surprise: a switch is a commit of its own, so that it has a place in every poller's order of things. Whoever polls
across it gets an entity that came in whole, and nothing at all of one that left: to leave the feed is no delete, what
pollers have stays theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing.ledger import Ledger, insert_one, next_stamp, upsert
from assets.publishing.rules import Rules
from assets.publishing.tables import commit_log, mark

ENTITIES = ("organisation", "contact")
_MARK = "feed:"  # + entity: the commit since which the feed carries it, OFF where it does not; no mark: since ever
_OFF = -1


def by_feed(rules: Rules, *, has_halo: bool) -> frozenset[str]:
    """Entities that the feed carries. Where HaloPSA is not configured nothing else could, whatever the rules say."""
    return frozenset(entity for entity in ENTITIES if not has_halo or getattr(rules.delivery, entity) != "publisher")


def settle(ledger: Ledger, clock: Clock, carried: Collection[str], *, run_id: str) -> list[str]:
    """Have the feed carry exactly these entities from now on; returns what was switched."""
    with ledger.transaction() as connection:
        since = since_of(connection)
        switched = [entity for entity in ENTITIES if (entity in carried) != (entity in since)]
        if switched:
            row = {"commit_ts": next_stamp(connection, clock), "run_id": run_id, "counts": {}}
            seq = insert_one(connection, commit_log, row)
            rows = [{"name": _MARK + entity, "value": seq if entity in carried else _OFF} for entity in switched]
            upsert(connection, mark, rows)
    return switched


def since_of(connection: sa.Connection) -> Mapping[str, int]:
    """Entity -> the commit since which the feed carries it, 0 for since ever; one that it does not carry is missing."""
    query = sa.select(mark.c.name, mark.c.value).where(mark.c.name.in_([_MARK + entity for entity in ENTITIES]))
    known = {row.name.removeprefix(_MARK): row.value for row in connection.execute(query)}
    return {entity: known.get(entity, 0) for entity in ENTITIES if known.get(entity, 0) != _OFF}


def contradictions(rules: Rules, *, has_halo: bool) -> list[tuple[str, str]]:
    """Settings of the rules that work against each other: (what was found, what to do)."""
    found = []
    for entity in ENTITIES:
        way, mode = getattr(rules.delivery, entity), getattr(rules.mode, entity)
        if way == "publisher" and mode == "off" and has_halo:
            found.append(
                (
                    f"nobody brings {entity} records to HaloPSA: the publisher should, and its mode is off",
                    f'Set delivery.{entity} = "feed", or another mode.{entity}, in the publishing rules.',
                )
            )
        if way == "both_for_test" and rules.plan_first and has_halo:
            found.append(
                (
                    f"publisher and feed both bring {entity} records to HaloPSA, as only a test may",
                    f'Set delivery.{entity} to "publisher" or "feed" in the publishing rules.',
                )
            )
    if (rules.delivery.contact, rules.delivery.organisation) == ("publisher", "feed") and has_halo:
        found.append(
            (
                "the publisher brings people, and the feed the organisations they need: they will wait for ever",
                "Set both to the same in `delivery` of the publishing rules.",
            )
        )
    return found
