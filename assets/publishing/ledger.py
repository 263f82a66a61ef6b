"""The ledger: opening it, bringing its schema up to date, transactions, and who may work on it.

Belongs here: connections, migrations, the one portable upsert, the stamp clock, leases.
Does not: what the tables mean (tables.py) or what is written to them (commit.py, publisher.py and their neighbours).
Surprise: a lease is an operating-system lock on a file beside the ledger, so a killed process frees it at once and a
restart needs no hand; the fencing number in the ledger only ever grows.
"""

from __future__ import annotations

import fcntl
import os
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

from assets.publishing.tables import from_micros, mark, micros

BUSY_TIMEOUT_S = 20.0
UNFINISHED_RESTORE = "restore.unfinished"  # beside the ledger while restore.py swaps its files
ROWS_PER_STATEMENT = 5_000  # bounds memory of one executemany; speed no longer grows beyond a few thousand
IDS_PER_QUERY = 500  # below the 999 bound variables that older SQLite builds allow
MIGRATIONS = Path(__file__).parent / "migrations"
STAMP = "stamp_clock"
_UNWRITABLE = ("disk is full", "disk I/O error", "readonly database", "unable to open database file")  # SQLite's words
_Row = TypeVar("_Row")


class LedgerError(Exception):
    """The ledger cannot be used as it is; the message says what to do."""


class LedgerBusy(LedgerError):
    """Another run holds the ledger or the lease; nothing was changed. Exit code 5."""


@dataclass(frozen=True)
class Lease:
    """The right to do one kind of work alone; `fence` is larger than that of every lease before."""

    name: str
    fence: int


class Ledger:
    """One ledger. Make it with `Ledger.open`; every access is a `read()` or a `transaction()`."""

    def __init__(self, engine: sa.Engine, lock_folder: Path) -> None:
        self._engine = engine
        self._lock_folder = lock_folder

    @classmethod
    def open(cls, target: str | Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Ledger:
        """Open, and migrate to the newest schema. `target` is a path, or an SQLAlchemy URL.

        Raises:
            LedgerError: the folder cannot be written, the file is not a ledger, or it was made by a newer release.
            LedgerBusy: another process holds the write lock for longer than `busy_timeout_s`.
        """
        path = sqlite_path(target)
        if (path.parent / UNFINISHED_RESTORE).exists():
            raise LedgerError("A restore of this ledger did not finish. Run it again: halosync restore DIR.")
        _create_private(path)
        ledger = cls(_sqlite_engine(path, busy_timeout_s), path.parent)
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
        except command.util.CommandError as error:
            raise LedgerError(
                f"The ledger was made by another release of halosync ({error}). Install that one, or restore a backup."
            ) from error
        except sa.exc.DatabaseError as error:
            raise LedgerError(f"The ledger cannot be opened: {error.orig}. Restore it from a backup.") from error

    @property
    def folder(self) -> Path:
        """Where the files beside the ledger are: locks, the key of the chain."""
        return self._lock_folder

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent snapshot; never blocks a writer."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def kept(self) -> sa.Connection:
        """A connection that the caller keeps, uses from one thread and closes; it reads only what he begins himself."""
        return self._engine.connect()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """All or nothing, durable when the block ends. Takes the write lock at the start, so it cannot fail on upgrade.

        Raises:
            LedgerBusy: the write lock was not free in time.
            LedgerError: the disk is full or cannot be written; nothing of this transaction was kept.
        """
        with self._engine.connect().execution_options(halosync_write=True) as connection:
            try:
                transaction = connection.begin()
            except sa.exc.OperationalError as error:
                raise _busy_or(error) from error
            try:
                with transaction:
                    yield connection
            except sa.exc.OperationalError as error:
                raise _unwritable_or(error) from error

    @contextmanager
    def lease(self, name: str) -> Iterator[Lease]:
        """Work under `name` alone, over all processes of this machine.

        Raises:
            LedgerBusy: somebody else holds it.
        """
        with locked(self._lock_folder, name):
            with self.transaction() as connection:
                fence = advance(connection, f"fence:{name}")
            yield Lease(name=name, fence=fence)

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of the lease `name` of the ledger in `folder`, whether or not that ledger can be opened.

    Raises:
        LedgerBusy: somebody else holds it.
    """
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerBusy(
                f'Another run holds the lease "{name}"; nothing was changed. Wait for it to end.'
            ) from error
        yield
    finally:
        os.close(descriptor)


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


def sqlite_path(target: str | Path) -> Path:
    """The file that a path or an SQLAlchemy URL names.

    Raises:
        LedgerError: it names no SQLite file.
    """
    if isinstance(target, Path) or "://" not in target:
        return Path(target).absolute()
    url = sa.make_url(target)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise LedgerError(
            f"The ledger cannot be kept in {url.get_backend_name()}: give sqlite:///path/to/ledger.sqlite."
        )
    return Path(url.database).absolute()


def _create_private(path: Path) -> None:
    """Make file and folder for the owner alone; SQLite gives its side files the mode of the main file."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise LedgerError(f"The ledger {path.name} cannot be written in {path.parent}: {error.strerror}.") from error


def _sqlite_engine(path: Path, busy_timeout_s: float) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        for setting in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "journal_size_limit=67108864",
        ):
            connection.execute(f"PRAGMA {setting}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("halosync_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _unwritable_or(error: sa.exc.OperationalError) -> Exception:
    said = str(error.orig)
    if any(text in said for text in _UNWRITABLE):
        return LedgerError(
            f"The ledger cannot be written: {said}. What was acknowledged before is kept. Make room, or mend the mode "
            "of the data folder, then run again."
        )
    return error


def _busy_or(error: sa.exc.OperationalError) -> Exception:
    if "locked" in str(error.orig) or "busy" in str(error.orig):
        return LedgerBusy("Another run is writing to the ledger; nothing was changed. Wait for it to end.")
    return error
