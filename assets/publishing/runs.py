"""The run book: when each run began, how it ended and what it said.

Belongs here: the rows behind `ops.run`. Does not: what a run does, or its log.
Surprise: a run without an end was killed; the next `begin` of the same kind says so in its row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing.ledger import Ledger
from assets.publishing.tables import run

END_STATES = ("done", "partial", "held", "failed")
GOOD_STATES = ("done", "partial")  # the golden records are as new as the vendors let them be


def begin(ledger: Ledger, clock: Clock, *, run_id: str, kind: str) -> None:
    """Open a run; runs of this kind that never ended are closed as `killed`."""
    with ledger.transaction() as connection:
        connection.execute(
            sa.update(run)
            .where(run.c.kind == kind, run.c.state == "running")
            .values(state="killed", ended_at=clock.now())
        )
        connection.execute(sa.delete(run).where(run.c.run_id == run_id))  # begun again: a retry of the same run
        connection.execute(sa.insert(run).values(run_id=run_id, kind=kind, state="running", started_at=clock.now()))


def end(ledger: Ledger, clock: Clock, *, run_id: str, state: str, summary: dict[str, Any]) -> None:
    """Close a run; `state` is one of END_STATES."""
    if state not in END_STATES:
        raise ValueError(f"run {run_id}: state is {state!r}, expected one of {END_STATES}")
    with ledger.transaction() as connection:
        connection.execute(
            sa.update(run).where(run.c.run_id == run_id).values(state=state, ended_at=clock.now(), summary=summary)
        )


def last(ledger: Ledger, kind: str) -> dict[str, Any] | None:
    """The newest run of `kind`, None before the first."""
    query = sa.select(run).where(run.c.kind == kind).order_by(run.c.started_at.desc(), run.c.run_id.desc()).limit(1)
    with ledger.read() as connection:
        row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)


def last_good_at(ledger: Ledger) -> datetime | None:
    """When a run last brought the golden records up to date, None before the first."""
    with ledger.read() as connection:
        return connection.scalar(sa.select(sa.func.max(run.c.ended_at)).where(run.c.state.in_(GOOD_STATES)))
