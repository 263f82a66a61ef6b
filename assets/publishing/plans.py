"""The plans that were made, in the ledger: whether one may still be applied, and what the last publishing stood on.

Belongs here: the rows of `plan`. Does not: the file (planfile.py), applying (applying.py).
Surprise: the key of a plan's digests is kept here and nowhere else, so a plan file alone lets nobody guess a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from assets.publishing.tables import plan

# made: waits for apply. applying: its effects are being sent, or that run was killed. applied: used up.
# direct: published without a file.
STATES = ("made", "applying", "applied", "direct")
_DONE = ("applied", "direct")


@dataclass(frozen=True)
class Known:
    plan_id: str
    state: str
    expires_at: datetime
    applied_at: datetime | None
    secret: str


def add(
    connection: sa.Connection,
    *,
    plan_id: str,
    made_at: datetime,
    expires_at: datetime,
    records: Mapping[str, Mapping[str, int]],
    sources: Mapping[str, int],
    secret: str = "",
    state: str = "made",
    run_id: str | None = None,
) -> None:
    """`records`: per entity and operation; `sources`: golden records that name each source at this moment."""
    connection.execute(
        sa.insert(plan).values(
            plan_id=plan_id,
            made_at=made_at,
            expires_at=expires_at,
            counts={"records": dict(records), "sources": dict(sources), "secret": secret},
            state=state,
            applied_at=made_at if state in _DONE else None,
            run_id=run_id,
        )
    )


def find(connection: sa.Connection, plan_id: str) -> Known | None:
    row = connection.execute(sa.select(plan).where(plan.c.plan_id == plan_id)).first()
    if row is None:
        return None
    return Known(row.plan_id, row.state, row.expires_at, row.applied_at, row.counts["secret"])


def begin(connection: sa.Connection, plan_id: str, *, run_id: str) -> None:
    connection.execute(sa.update(plan).where(plan.c.plan_id == plan_id).values(state="applying", run_id=run_id))


def end(connection: sa.Connection, plan_id: str, *, at: datetime, sources: Mapping[str, int]) -> None:
    counts = connection.scalar(sa.select(plan.c.counts).where(plan.c.plan_id == plan_id)) or {}
    connection.execute(
        sa.update(plan)
        .where(plan.c.plan_id == plan_id)
        .values(state="applied", applied_at=at, counts={**counts, "sources": dict(sources)})
    )


def is_first(connection: sa.Connection) -> bool:
    """Whether nothing was ever published by a plan."""
    return connection.scalar(sa.select(sa.func.count()).where(plan.c.state.in_((*_DONE, "applying")))) == 0


def sources_before(connection: sa.Connection) -> dict[str, int] | None:
    """Golden records per source at the last publishing, None before the first."""
    query = sa.select(plan.c.counts).where(plan.c.state.in_(_DONE)).order_by(plan.c.applied_at.desc()).limit(1)
    counts = connection.scalar(query)
    return None if counts is None else counts["sources"]
