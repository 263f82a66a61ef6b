"""The outbox: for each golden record, whether HaloPSA has its newest version, and if not, why not.

Belongs here: what is waiting, settling it, the tally by state and reason. Does not: single writes (effects.py).
Surprise: a held or suppressed record is looked at again on every run, a rejected one only when golden has something
new to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import reasons, remedies
from assets.publishing.ledger import IDS_PER_QUERY, Ledger, chunked
from assets.publishing.tables import effect, outbox

WAITING = ("pending", "planned", "held", "suppressed")  # all that a run looks at
READY = ("pending", "planned", "held")  # all of it that is for HaloPSA
UNSENT = ("pending", "planned")
STATES = ("pending", "planned", "held", "suppressed", "unknown", "published", "rejected")


class Verdict(NamedTuple):
    """What became of one version of a golden record; `reason` is a sentence without personal data.

    `error_class` (remedies.py) is set where a write failed; `is_counted` where that speaks against the record.
    """

    version: int
    state: str
    reason: str | None = None
    error_class: str | None = None
    is_counted: bool = False


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
    at = clock.now()
    rows = [
        {
            "of_id": name,
            "of_version": verdict.version,
            "to_state": verdict.state,
            "why": verdict.reason,
            "failed_by": verdict.error_class,
            "help": None if verdict.error_class is None else remedies.remedy(verdict.error_class),
            "more": int(verdict.is_counted),
            "kept": int(verdict.state not in ("published", "held", "suppressed")),
            "at": at,
        }
        for name, verdict in verdicts.items()
    ]
    with ledger.transaction() as connection:
        connection.execute(_SETTLE, rows)


def failed_before(connection: sa.Connection) -> set[str]:
    """Golden ids of what waits and has failed since its data last changed."""
    query = sa.select(outbox.c.golden_id).where(outbox.c.attempts > 0, outbox.c.state.in_((*WAITING, "unknown")))
    return set(connection.scalars(query))


def forbidden(connection: sa.Connection) -> set[str]:
    """Golden ids of what waits because the API application may not write it."""
    query = sa.select(outbox.c.golden_id).where(outbox.c.error_class == "forbidden", outbox.c.state.in_(WAITING))
    return set(connection.scalars(query))


def tally(ledger: Ledger) -> dict[str, int]:
    """How many golden records stand in each state; retired ones that are settled count nowhere."""
    is_live = sa.or_(outbox.c.action == "upsert", outbox.c.state != "published")
    query = sa.select(outbox.c.state, sa.func.count()).where(is_live).group_by(outbox.c.state)
    with ledger.read() as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in STATES}


def states(connection: sa.Connection, golden_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """golden id -> (state, reason)."""
    found: dict[str, tuple[str, str | None]] = {}
    for some in chunked(golden_ids, IDS_PER_QUERY):
        query = sa.select(outbox.c.golden_id, outbox.c.state, outbox.c.reason).where(outbox.c.golden_id.in_(some))
        found.update({row.golden_id: (row.state, row.reason) for row in connection.execute(query)})
    return found


def by_reason(ledger: Ledger) -> list[tuple[str, str, str, int]]:
    """(state, entity, sentence, count) of everything that waits for a person or a look-up, most frequent first."""
    query = (
        sa.select(outbox.c.state, outbox.c.entity, outbox.c.reason, sa.func.count().label("records"))
        .where(outbox.c.state.in_(("held", "rejected", "unknown")))
        .group_by(outbox.c.state, outbox.c.entity, outbox.c.reason)
    )
    counts: Counter[tuple[str, str, str]] = Counter()
    with ledger.read() as connection:
        for row in connection.execute(query):
            counts[row.state, row.entity, reasons.sentence_of(row.reason)] += row.records
    return [(*key, count) for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def held_by_reason(ledger: Ledger) -> dict[str, dict[str, int]]:
    """entity -> sentence -> how many golden records are held for it, most frequent first."""
    found: dict[str, dict[str, int]] = {}
    for state, entity, sentence, count in by_reason(ledger):
        if state == "held":
            found.setdefault(entity, {})[sentence] = count
    return found


def unknown(connection: sa.Connection) -> list[str]:
    """Golden ids whose last write has no outcome as far as the outbox knows; every effect may have one by now."""
    query = sa.select(outbox.c.golden_id).where(
        outbox.c.entity.in_(("organisation", "contact")),
        outbox.c.action.in_(("upsert", "retire")),  # both named, so that the index serves
        outbox.c.state == "unknown",
    )
    return sorted(connection.scalars(query))


def mark_planned(connection: sa.Connection, golden_ids: Sequence[str]) -> None:
    """Only what the newest plan holds is `planned`; what an older one held waits as before."""
    connection.execute(sa.update(outbox).where(outbox.c.state == "planned").values(state="pending"))
    for some in chunked(golden_ids, IDS_PER_QUERY):
        connection.execute(
            sa.update(outbox)
            .where(outbox.c.golden_id.in_(some), outbox.c.state.in_(WAITING))
            .values(state="planned", reason=None)
        )


def requeue(connection: sa.Connection, golden_ids: Sequence[str], *, attempts_max: int) -> None:
    """Put records whose unknown write was cleared up back in the queue: they are planned afresh, never re-sent.

    One whose write was proven absent for the `attempts_max`th time is parked instead: it is `rejected` until its data
    change, and holds nobody up.
    """
    any_effect = effect.alias("any_effect")
    newest = (
        sa.select(sa.func.max(any_effect.c.effect_id))
        .where(any_effect.c.golden_id == outbox.c.golden_id)
        .correlate(outbox)
        .scalar_subquery()
    )
    is_absent = sa.exists().where(effect.c.effect_id == newest, effect.c.state == "absent")
    is_parked = sa.and_(outbox.c.attempts >= attempts_max, is_absent)
    parked = f"it failed {attempts_max} times and is parked until its data change"
    for some in chunked(golden_ids, IDS_PER_QUERY):
        connection.execute(
            sa.update(outbox)
            .where(outbox.c.golden_id.in_(some), outbox.c.state == "unknown")
            .values(
                state=sa.case((is_parked, "rejected"), else_="pending"),
                reason=sa.case((is_parked, parked), else_=None),
            )
        )


def plan_again(connection: sa.Connection, golden_ids: Iterable[str]) -> None:
    """Put records that count as published back in the queue, for HaloPSA no longer holds what we wrote."""
    rows = [{"of_id": golden_id} for golden_id in golden_ids]
    if rows:
        connection.execute(
            sa.update(outbox)
            .where(outbox.c.golden_id == sa.bindparam("of_id"), outbox.c.state == "published")
            .values(state="pending", reason=None),
            rows,
        )


_SETTLE = (
    sa.update(outbox)
    .where(outbox.c.golden_id == sa.bindparam("of_id"), outbox.c.version == sa.bindparam("of_version"))
    .values(
        state=sa.bindparam("to_state"),
        reason=sa.bindparam("why"),
        error_class=sa.bindparam("failed_by"),
        remedy=sa.bindparam("help"),
        attempts=outbox.c.attempts * sa.bindparam("kept", type_=sa.Integer) + sa.bindparam("more", type_=sa.Integer),
        settled_at=sa.bindparam("at"),
    )
)
