"""The outbox: for each golden record, whether HaloPSA has its newest version, and if not, why not.

Belongs here: what is waiting, settling it, the tally by state and reason. Does not: single writes (effects.py).
Surprise: a held record is looked at again on every run, a rejected one only when golden has something new to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing.ledger import Ledger
from assets.publishing.tables import outbox

WAITING = ("pending", "held")
STATES = ("pending", "held", "unknown", "published", "rejected")


class Verdict(NamedTuple):
    """What became of one version of a golden record; `reason` is a sentence without personal data."""

    version: int
    state: str
    reason: str | None = None


def waiting(connection: sa.Connection, entity: str, action: str, states: tuple[str, ...] = WAITING) -> dict[str, int]:
    """golden id -> version of everything that is not settled, ordered by golden id."""
    query = (
        sa.select(outbox.c.golden_id, outbox.c.version)
        .where(outbox.c.entity == entity, outbox.c.action == action, outbox.c.state.in_(states))
        .order_by(outbox.c.golden_id)
    )
    return {row.golden_id: row.version for row in connection.execute(query)}


def settle(ledger: Ledger, clock: Clock, verdicts: Mapping[str, Verdict]) -> None:
    """Write verdicts; one about an older version than the outbox holds by now changes nothing."""
    if not verdicts:
        return
    statement = (
        sa.update(outbox)
        .where(outbox.c.golden_id == sa.bindparam("of_id"), outbox.c.version == sa.bindparam("of_version"))
        .values(state=sa.bindparam("to_state"), reason=sa.bindparam("why"), settled_at=sa.bindparam("at"))
    )
    at = clock.now()
    rows = [
        {"of_id": name, "of_version": verdict.version, "to_state": verdict.state, "why": verdict.reason, "at": at}
        for name, verdict in verdicts.items()
    ]
    with ledger.transaction() as connection:
        connection.execute(statement, rows)


def tally(ledger: Ledger) -> dict[str, int]:
    """How many golden records stand in each state; retired ones that are settled count nowhere."""
    is_live = sa.or_(outbox.c.action == "upsert", outbox.c.state != "published")
    query = sa.select(outbox.c.state, sa.func.count()).where(is_live).group_by(outbox.c.state)
    with ledger.read() as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in STATES}


def reasons(ledger: Ledger) -> list[tuple[str, str, str, int]]:
    """(state, entity, reason, count) of everything held or rejected, most frequent first."""
    count = sa.func.count()
    query = (
        sa.select(outbox.c.state, outbox.c.entity, outbox.c.reason, count)
        .where(outbox.c.state.in_(("held", "rejected", "unknown")))
        .group_by(outbox.c.state, outbox.c.entity, outbox.c.reason)
        .order_by(count.desc(), outbox.c.entity, outbox.c.reason)
    )
    with ledger.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def requeue(connection: sa.Connection, golden_ids: Iterable[str]) -> None:
    """Put records whose unknown write was cleared up back in the queue: they are planned afresh, never re-sent."""
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.golden_id == sa.bindparam("of_id"), outbox.c.state == "unknown")
        .values(state="pending", reason=None),
        [{"of_id": golden_id} for golden_id in golden_ids],
    )
