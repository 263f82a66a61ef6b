"""The credit ledger: what each run bought at each vendor.

Belongs here: adding and summing credits. Does not: the payloads themselves (the archive), budgets (settings).
Surprise: it is written after the payload is safe in the archive, so a killed run may have bought a little more than
it says.
"""

from __future__ import annotations

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing.ledger import Ledger
from assets.publishing.tables import credit


def spend(ledger: Ledger, clock: Clock, *, run_id: str, source: str, entity: str, records: int, credits: float) -> None:
    """Note `credits` paid for `records`; nothing is written for nothing bought."""
    if records == 0 and credits == 0:
        return
    with ledger.transaction() as connection:
        connection.execute(
            sa.insert(credit).values(
                run_id=run_id, source=source, entity=entity, records=records, credits=credits, spent_at=clock.now()
            )
        )


def spent(ledger: Ledger, *, run_id: str | None = None) -> dict[str, float]:
    """Credits per source, of one run or of all."""
    query = (
        sa.select(credit.c.source, sa.func.sum(credit.c.credits)).group_by(credit.c.source).order_by(credit.c.source)
    )
    if run_id is not None:
        query = query.where(credit.c.run_id == run_id)
    with ledger.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
