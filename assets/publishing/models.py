"""The model store: what matching learned, by entity and version, as JSON.

Belongs here: storing and reading whole models. Does not: what is inside one (transforms/model.py).
Surprise: a model is never changed in place; storing the newest one again is not a new version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.publishing.ledger import Ledger
from assets.publishing.tables import model


def latest(ledger: Ledger, entity: str) -> dict[str, Any] | None:
    """The newest model of `entity`, None where nothing was ever trained."""
    with ledger.read() as connection:
        return _newest(connection, entity)[1]


def versions(ledger: Ledger, entity: str) -> Iterator[dict[str, Any]]:
    """Every model of `entity`, the newest first."""
    query = sa.select(model.c.body).where(model.c.entity == entity).order_by(model.c.version.desc())
    with ledger.read() as connection:
        yield from connection.execution_options(yield_per=1).scalars(query)


def differing(connection: sa.Connection, models: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Those of `models` (entity -> body) that are not the newest stored already."""
    return {entity: body for entity, body in models.items() if _newest(connection, entity)[1] != body}


def store(connection: sa.Connection, models: Mapping[str, dict[str, Any]], *, run_id: str, at: datetime) -> None:
    for entity, body in models.items():
        version = _newest(connection, entity)[0] + 1
        connection.execute(
            sa.insert(model).values(entity=entity, version=version, body=body, run_id=run_id, stored_at=at)
        )


def _newest(connection: sa.Connection, entity: str) -> tuple[int, dict[str, Any] | None]:
    query = sa.select(model.c.version, model.c.body).where(model.c.entity == entity).order_by(model.c.version.desc())
    row = connection.execute(query.limit(1)).first()
    return (0, None) if row is None else (row.version, row.body)
