"""The ledger: opening it, bringing its schema up to date, transactions, and who may work on it.

Belongs here: migrations, transactions, the one portable upsert, the stamp clock, fencing numbers.
Does not: how SQLite and PostgreSQL differ (stores.py), what the tables mean (tables.py) or what is written to them
(commit.py, publisher.py and their neighbours).
Surprise: a lease ends with the process that holds it, so a restart needs no hand; the fencing number in the ledger only
ever grows, so whoever lost a lease without noticing writes no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sources.clock import Clock
from sqlalchemy.dialects import postgresql, sqlite

from assets.publishing.stores import WRITES, LedgerBusy, LedgerError, SqliteStore, Store, locked, sqlite_path, store_of
from assets.publishing.tables import from_micros, mark, micros

__all__ = ["Lease", "Ledger", "LedgerBusy", "LedgerError", "locked", "sqlite_path"]  # what others take from here

BUSY_TIMEOUT_S = 20.0
UNFINISHED_RESTORE = "restore.unfinished"  # beside the ledger while restore.py swaps its files
ROWS_PER_STATEMENT = 5_000  # bounds memory of one executemany; speed no longer grows beyond a few thousand
IDS_PER_QUERY = 500  # below the 999 bound variables that older SQLite builds allow
MIGRATIONS = Path(__file__).parent / "migrations"
STAMP = "stamp_clock"
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Lease:
    """The right to do one kind of work alone; `fence` is larger than that of every lease before."""

    name: str
    fence: int


class Ledger:
    """One ledger. Make it with `Ledger.open`; every access is a `read()` or a `transaction()`."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def open(
        cls,
        target: str | Path,
        folder: Path | None = None,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        is_restored: bool = False,
    ) -> Ledger:
        """Open, and migrate to the newest schema. `target` is the path of an SQLite file, or an SQLAlchemy URL.

        `folder` is for the key of the chain where the ledger is in PostgreSQL; an SQLite file has its own beside it.
        `is_restored`: by a restore, which may go on where one that was killed stopped.

        Raises:
            LedgerError: it cannot be reached or written, is not a ledger, or was made by a newer release.
            LedgerBusy: another process holds the write lock for longer than `busy_timeout_s`.
        """
        store = store_of(target, busy_timeout_s)
        if isinstance(store, SqliteStore):
            folder = sqlite_path(target).parent
        elif folder is None:
            raise LedgerError("A ledger in PostgreSQL needs a folder for chain.key: that of the data.")
        if (folder / UNFINISHED_RESTORE).exists() and not is_restored:
            raise LedgerError("A restore of this ledger did not finish. Run it again: halosync restore DIR.")
        ledger = cls(store, folder)
        ledger.migrate()
        return ledger

    def migrate(self) -> None:
        """Bring the schema to the newest version; nothing happens where it is already there."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        try:
            with self.transaction() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                self._store.settle(connection)
        except command.util.CommandError as error:
            raise LedgerError(
                f"The ledger was made by another release of halosync ({error}). Install that one, or restore a backup."
            ) from error
        except sa.exc.DatabaseError as error:
            raise LedgerError(f"The ledger cannot be opened: {error.orig}. Restore it from a backup.") from error

    @property
    def folder(self) -> Path:
        """Where the key of the chain is; with SQLite the file itself and its locks too."""
        return self._folder

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent snapshot; never blocks a writer.

        Raises:
            LedgerError: the database has gone.
        """
        with self._begun(writes=False) as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """All or nothing, durable when the block ends. Takes the write lock at the start, so it cannot fail on upgrade.

        Raises:
            LedgerBusy: the write lock was not free in time.
            LedgerError: the disk is full, cannot be written, or the database has gone; nothing of it was kept.
        """
        with self._begun(writes=True) as connection:
            yield connection

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[sa.Connection]:
        try:
            with self._store.engine.connect().execution_options(**{WRITES: writes}) as connection, connection.begin():
                yield connection
        except sa.exc.OperationalError as error:
            raise self._store.explained(error) from error

    @contextmanager
    def lease(self, name: str) -> Iterator[Lease]:
        """Work under `name` alone, over all processes that use this ledger.

        Raises:
            LedgerBusy: somebody else holds it.
        """
        with self._store.held(name):
            with self.transaction() as connection:
                fence = advance(connection, f"fence:{name}")
            yield Lease(name=name, fence=fence)

    def close(self) -> None:
        self._store.engine.dispose()


def advance(connection: sa.Connection, name: str, at_least: int = 0) -> int:
    """The next value of a counter that never goes back: max(last + 1, at_least)."""
    last = connection.scalar(sa.select(mark.c.value).where(mark.c.name == name))
    value = max(0 if last is None else last + 1, at_least, 1)
    upsert(connection, mark, [{"name": name, "value": value}])
    return value


def next_stamp(connection: sa.Connection, clock: Clock) -> datetime:
    """A moment later than every stamp given before, even where the clock went back."""
    return from_micros(advance(connection, STAMP, micros(clock.now())))


def insert_one(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> int:
    """Insert one row into a table that counts its own key, and give the key."""
    key = connection.execute(sa.insert(table).values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def upsert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]], *, keep: Iterable[str] = ()
) -> None:
    """Insert `rows`; where the primary key exists, replace every given column but the key and those in `keep`."""
    if rows:
        statement = _upsert_statement(connection.dialect.name, table, tuple(rows[0]), frozenset(keep))
        for chunk in chunked(rows, ROWS_PER_STATEMENT):
            connection.execute(statement, chunk)


@lru_cache(maxsize=256)
def _upsert_statement(dialect: str, table: sa.Table, names: tuple[str, ...], keep: frozenset[str]) -> Any:
    """Built once per form: building costs ten times as much as running it for one row."""
    insert = _DIALECT_INSERT[dialect](table)
    key = [column.name for column in table.primary_key]
    replaced = [name for name in names if name not in key and name not in keep]
    if not replaced:
        return insert.on_conflict_do_nothing(index_elements=key)
    return insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in replaced})


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert `rows`; leave those alone whose primary key exists."""
    if rows:
        key = [column.name for column in table.primary_key]
        statement = _DIALECT_INSERT[connection.dialect.name](table).on_conflict_do_nothing(index_elements=key)
        for chunk in chunked(rows, ROWS_PER_STATEMENT):
            connection.execute(statement, chunk)


def chunked(rows: Sequence[_Row], size: int) -> Iterator[list[_Row]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])


_DIALECT_INSERT: dict[str, Callable[[sa.Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
