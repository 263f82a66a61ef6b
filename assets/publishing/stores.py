"""The two databases a ledger can live in, SQLite and PostgreSQL: where they differ, and nothing else.

Belongs here: making the engine, how a transaction begins, leases, what their errors mean. Does not: the schema
(migrations/), what is read and written (SQLAlchemy Core everywhere else runs on both).
Surprise: on PostgreSQL too one transaction writes at a time, by an advisory lock taken as it begins. The feed promises
that positions become visible in their order, and the chain of effects must not fork; that is worth more than parallel
writers, whose transactions take milliseconds.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

WRITES = "halosync_write"  # execution option of a connection whose next transaction writes
_SQLITE_UNWRITABLE = ("disk is full", "disk I/O error", "readonly database", "unable to open database file")
_POSTGRESQL_UNWRITABLE = ("53100", "25006")  # SQLSTATE: disk full, read only
_POSTGRESQL_BUSY = ("55P03",)  # SQLSTATE: a lock was not free in time
LEASE_GRACE_MS = 1_000  # how long the server may take to notice that the holder of a lease was killed
# Durable whatever the server's default. A client that vanishes with its machine loses its leases within a minute.
_POSTGRESQL_SESSION = {
    "synchronous_commit": "on",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_SQLITE_SESSION = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "journal_size_limit=67108864",
)


class LedgerError(Exception):
    """The ledger cannot be used as it is; the message says what to do."""


class LedgerBusy(LedgerError):
    """Another run holds the ledger or the lease; nothing was changed. Exit code 5."""


class Store(Protocol):
    """What the ledger asks of a database."""

    @property
    def engine(self) -> sa.Engine: ...

    def held(self, name: str) -> AbstractContextManager[None]:
        """Hold the lease `name` alone, until the block or the process ends; LedgerBusy where somebody else has it."""

    def settle(self, connection: sa.Connection) -> None:
        """Do what migrations cannot say for this database alone, in their transaction."""

    def explained(self, error: sa.exc.OperationalError) -> Exception:
        """LedgerBusy or LedgerError where a person can do something, else the error itself."""


def store_of(target: str | Path, busy_timeout_s: float) -> Store:
    """The store that a path or an SQLAlchemy URL names.

    Raises:
        LedgerError: the URL names another database, or its file or folder cannot be written.
    """
    if isinstance(target, str) and is_postgresql(target):
        return PostgresqlStore(target, busy_timeout_s)
    return SqliteStore(sqlite_path(target), busy_timeout_s)


def is_postgresql(target: str) -> bool:
    return target.startswith(("postgresql://", "postgresql+psycopg://"))


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
            f"The ledger cannot be kept in {url.get_backend_name()}: give sqlite:///path/to/ledger.sqlite or "
            "postgresql://user:password@host/database."
        )
    return Path(url.database).absolute()


class SqliteStore:
    """One file in WAL mode; a lease is an operating-system lock on a file beside it."""

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        self._folder = path.parent
        _create_private(path)
        self.engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
        )

        @sa.event.listens_for(self.engine, "connect")
        def _connect(connection: Any, _record: Any) -> None:
            for setting in _SQLITE_SESSION:
                connection.execute(f"PRAGMA {setting}")

        @sa.event.listens_for(self.engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")

    def held(self, name: str) -> AbstractContextManager[None]:
        return locked(self._folder, name)

    def settle(self, connection: sa.Connection) -> None:
        """Nothing: SQLite compares text by its bytes."""

    def explained(self, error: sa.exc.OperationalError) -> Exception:
        said = str(error.orig)
        if "locked" in said or "busy" in said:
            return _busy()
        return _unwritable(said) if any(text in said for text in _SQLITE_UNWRITABLE) else error


class PostgresqlStore:
    """One schema of a database; a lease is an advisory lock of a session that lives as long as the lease.

    Source: PostgreSQL's manual, "Explicit Locking", "Advisory Locks".
    """

    def __init__(self, url: str, busy_timeout_s: float) -> None:
        session = _POSTGRESQL_SESSION | {"lock_timeout": f"{max(1, round(busy_timeout_s * 1000))}"}
        # Parts of the URL stay: tests and careful owners give a search_path of their own there.
        given = sa.make_url(url).set(drivername="postgresql+psycopg")
        options = " ".join([f"-c {name}={value}" for name, value in session.items()])
        asked = given.query.get("options", "")
        self.engine = sa.create_engine(
            given.difference_update_query(["options"]),
            connect_args={"application_name": "halosync", "options": f"{options} {asked}".strip()},
            pool_pre_ping=True,
        )

        @sa.event.listens_for(self.engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            options = connection.get_execution_options()
            if options.get("isolation_level") == "AUTOCOMMIT":
                return
            if _writes(connection):
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_number_of('write')})")
            else:
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        connection = self._connected().execution_options(isolation_level="AUTOCOMMIT")
        try:
            self._take(connection, name)
            yield
        finally:
            connection.invalidate()  # closed for good: back in the pool its session would keep the lock
            connection.close()

    def settle(self, connection: sa.Connection) -> None:
        """Compare text by its bytes, as Python and SQLite do, whatever the locale of the database."""
        columns = connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C' ORDER BY 1, 2"
        )
        for table, column in columns.all():
            connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE text COLLATE "C"')

    def explained(self, error: sa.exc.OperationalError) -> Exception:
        state = getattr(error.orig, "sqlstate", None)
        said = str(error.orig).strip().partition("\n")[0]
        if state in _POSTGRESQL_BUSY:
            return _busy()
        if state in _POSTGRESQL_UNWRITABLE:
            return _unwritable(said)
        if error.connection_invalidated or state is None or state.startswith(("08", "28", "3D", "57P")):
            return LedgerError(
                f"PostgreSQL does not take us, or has gone: {said}. What was acknowledged before is kept. See to the "
                "server and to LEDGER_URL, then run again."
            )
        return error

    def _take(self, session: sa.Connection, lease: str) -> None:
        try:
            session.exec_driver_sql(f"SET lock_timeout = {LEASE_GRACE_MS}")
            session.exec_driver_sql(f"SELECT pg_advisory_lock({_number_of(f'lease:{lease}')})")
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) in _POSTGRESQL_BUSY:
                raise _lease_taken(lease) from error
            raise self.explained(error) from error

    def _connected(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except sa.exc.OperationalError as error:
            raise self.explained(error) from error


@contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the file lock `name` in `folder`, whether or not there is a ledger that can be opened.

    Raises:
        LedgerBusy: somebody else holds it.
    """
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _lease_taken(name) from error
        yield
    finally:
        os.close(descriptor)


def _writes(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get(WRITES, False))


def _number_of(lock: str) -> str:
    """Advisory locks are numbers of one database; two ledgers in two of its schemas must not share them."""
    return f"hashtextextended('halosync/{lock}/' || current_schema(), 0)"


def _create_private(path: Path) -> None:
    """Make file and folder for the owner alone; SQLite gives its side files the mode of the main file."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise LedgerError(f"The ledger {path.name} cannot be written in {path.parent}: {error.strerror}.") from error


def _busy() -> LedgerBusy:
    return LedgerBusy("Another run is writing to the ledger; nothing was changed. Wait for it to end.")


def _lease_taken(name: str) -> LedgerBusy:
    return LedgerBusy(f'Another run holds the lease "{name}"; nothing was changed. Wait for it to end.')


def _unwritable(said: str) -> LedgerError:
    return LedgerError(
        f"The ledger cannot be written: {said}. What was acknowledged before is kept. Make room, or mend the mode "
        "of the data folder, then run again."
    )
