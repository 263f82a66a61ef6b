"""Rows from one ledger into another, whichever databases they are in.

Belongs here: copying tables as they are stored. Does not: why (rehearsal.py, backup.py, restore.py).
Surprise: a backup of a ledger in PostgreSQL is an SQLite file made here, so a backup of either store goes into either:
that is how a ledger moves from one to the other.
"""

from __future__ import annotations

import sqlalchemy as sa

from assets.publishing.ledger import ROWS_PER_STATEMENT
from assets.publishing.tables import mark, metadata, stored


def copy_rows(
    source: sa.Connection, target: sa.Connection, table: sa.Table, condition: sa.ColumnElement[bool] | None = None
) -> None:
    """Rows as the database holds them: decoding and encoding JSON would take most of the time."""
    columns = [stored(column) for column in table.columns]
    raw = sa.table(table.name, *(sa.column(str(column.key), column.type) for column in columns))
    query = sa.select(*columns) if condition is None else sa.select(*columns).where(condition)
    rows = source.execution_options(yield_per=ROWS_PER_STATEMENT).execute(query)
    for part in rows.mappings().partitions(ROWS_PER_STATEMENT):
        target.execute(sa.insert(raw), [dict(row) for row in part])


def replace_everything(source: sa.Connection, target: sa.Connection) -> None:
    """Make `target` what `source` is; only fencing numbers never go back, for a sleeper may hold a high one."""
    fences = {row.name: row.value for row in target.execute(sa.select(mark).where(mark.c.name.like("fence:%")))}
    for table in reversed(metadata.sorted_tables):
        target.execute(sa.delete(table))
    for table in metadata.sorted_tables:
        copy_rows(source, target, table)
        _count_on(target, table)
    for name, value in fences.items():
        higher = sa.update(mark).where(mark.c.name == name, mark.c.value < value).values(value=value)
        target.execute(higher)


def _count_on(connection: sa.Connection, table: sa.Table) -> None:
    """Keys that PostgreSQL counts itself go on after the highest; SQLite looks at the table each time."""
    key = table.autoincrement_column
    if key is None or connection.dialect.name != "postgresql":
        return
    highest = connection.scalar(sa.select(sa.func.max(key)))
    if highest is not None:
        sequence = sa.func.pg_get_serial_sequence(table.name, key.name)
        connection.execute(sa.select(sa.func.setval(sequence, highest)))
