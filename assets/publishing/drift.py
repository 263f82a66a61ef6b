"""The drift book: what changed in what a vendor sends, since when, and how many rows are held for it.

Belongs here: the rows behind `ops.drift`. Does not: noticing drift (`sources/drift.py`), the held rows themselves
(`raw_<source>.quarantine` and the archive).
Surprise: a change that is seen again keeps the moment when it was first seen; its count is that of the last load.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sources.clock import Clock
from sources.intake import Drift

from assets.publishing.ledger import Ledger
from assets.publishing.tables import drift


def note(ledger: Ledger, clock: Clock, source: str, found: Iterable[Drift]) -> None:
    """Keep what one load found; nothing is written for nothing found."""
    changes = list(found)
    if not changes:
        return
    with ledger.transaction() as connection:
        for change in changes:
            key = {"source": source, "entity": change.entity, "field": change.field, "change_kind": change.change}
            told = {"found": change.detail, "rows_held": change.rows, "seen_at": clock.now()}
            where = [drift.c[name] == value for name, value in key.items()]
            if not connection.execute(sa.update(drift).where(*where).values(told)).rowcount:
                connection.execute(sa.insert(drift).values(key | told | {"opened_at": clock.now()}))
