"""One snapshot of the ledger as the feed reads it: a handful of statements, as text for the driver.

Belongs here: the feed's questions to the ledger, and the connection that a service keeps for them.
Does not: what a page is made of (feed.py), tables (tables.py), writing.
Surprise: the statements are written in SQLAlchemy, compiled once for each dialect, and handed to the driver itself: a
page costs three of them, and going through SQLAlchemy's execution takes longer than all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from assets.publishing.ledger import Ledger, LedgerError
from assets.publishing.place import Position, of_text
from assets.publishing.tables import commit_log, from_micros, head, mark, micros, stored, walk

_DIALECTS = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),
}
COMPACTED = "compacted_seq"
_MAPPED_BYTES = 1 << 30  # pages of the file are read where they lie, not copied
_UNTIL = "snapshot"


class Snapshot:
    """What the ledger says at one moment; valid as long as the transaction it was made in."""

    def __init__(self, cursor: Any, dialect: str) -> None:
        self._cursor, self._dialect = cursor, dialect
        self._known: dict[Any, Any] = {}  # what every page asks anew and only a write can change

    def newest(self) -> tuple[int, datetime]:
        """Number and moment of the newest commit; 0 and 1970 where there is none."""
        row = self._once(_newest)
        return (row[0], from_micros(row[1])) if row else (0, from_micros(0))

    def compacted(self) -> int:
        """The newest commit whose deletes were forgotten, 0 where none were (retention.py)."""
        row = self._once(_compacted)
        return row[0] if row else 0

    def commit_at(self, moment: datetime) -> int | None:
        """Number of the commit that was made at just that moment."""
        row = self._one(_commit_at, moment=micros(moment))
        return row[0] if row else None

    def commit_before(self, moment: datetime) -> int:
        """Number of the newest commit made by then, 0 where there is none."""
        row = self._one(_commit_before, moment=micros(moment))
        return (row[0] or 0) if row else 0

    def made_at(self, seq: int) -> datetime:
        row = self._one(_made_at, seq=seq)
        return from_micros(row[0] if row else 0)

    def place_at(self, moment: datetime) -> Position | None:
        """The place of a walk to which that stamp leads."""
        row = self._one(_place_at, moment=micros(moment))
        return of_text(row[0]) if row else None

    def stamp_of(self, place: Position, *, after: datetime) -> datetime | None:
        """The newest stamp that leads to a place, if it was given after that moment."""
        row = self._one(_stamp_of, place=place.as_text(), moment=micros(after))
        return from_micros(row[0]) if row and row[0] is not None else None

    def wires(self, rank: int, place: Position, source: str | None, *, rows: int) -> list[str]:
        """The next records of one rank behind `place`, as they stand on the wire."""
        found = self._all(_wires, rank, source, place, {"rows": rows})
        return [row[0] for row in found]

    def key_of_row(self, rank: int, place: Position, source: str | None, *, row: int) -> list[tuple[int, str]]:
        """(seq, golden_id) of the `row`-th record of one rank behind `place`, counted from 0, and of the one after."""
        return self._all(_keys, rank, source, place, {"skipped": row})

    def _all(self, build: Callable[..., Any], rank: int, source: str | None, place: Position, given: Any) -> Any:
        is_behind = rank == place.rank
        text, fixed = _compiled(build, self._dialect, rank, source, is_behind)
        given = {**fixed, **given, _UNTIL: place.snapshot, "after_seq": place.seq if is_behind else place.start}
        if is_behind:
            given["after_id"] = place.golden_id
        return self._cursor.execute(text, given).fetchall()

    def rows(self, build: Callable[[], sa.Select[Any]]) -> list[Any]:
        """All rows of a query without values, as the database holds them; `build` makes it, once."""
        if build not in self._known:
            self._known[build] = list(self._cursor.execute(*_compiled(build, self._dialect)).fetchall())
        return list(self._known[build])

    def forget(self) -> None:
        """Somebody wrote to the ledger: ask anew."""
        self._known.clear()

    def _once(self, build: Callable[[], sa.Select[Any]]) -> Any:
        if build not in self._known:
            self._known[build] = self._one(build)
        return self._known[build]

    def _one(self, build: Callable[..., Any], **given: Any) -> Any:
        text, fixed = _compiled(build, self._dialect)
        return self._cursor.execute(text, {**fixed, **given}).fetchone()


@contextmanager
def reading(ledger: Ledger) -> Iterator[Snapshot]:
    """A snapshot on a connection of its own.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    with ledger.read() as connection:
        try:
            yield Snapshot(connection.connection.cursor(), connection.dialect.name)
        except connection.dialect.loaded_dbapi.Error as error:
            raise LedgerError(f"The ledger cannot be read: {type(error).__name__}. See: halosync doctor.") from error


class Kept:
    """A read connection that one thread keeps, so that a page does not pay for opening one. SQLite only.

    A page of a local file takes less than handing it to another thread does. A server across a network is another
    matter: there `Kept.of` gives None, and pages go through `Ledger.read`.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        driver: Any = connection.connection.driver_connection
        self._cursor = driver.cursor()
        # Whoever waits here makes all callers wait; who cannot read at once goes the long way.
        self._cursor.execute("PRAGMA busy_timeout=0")
        self._cursor.execute("PRAGMA query_only=ON")
        self._cursor.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}")
        self._snapshot = Snapshot(self._cursor, connection.dialect.name)
        self._version: int | None = None

    @classmethod
    def of(cls, ledger: Ledger) -> Kept | None:
        connection = ledger.kept()
        if connection.dialect.name == "sqlite":
            return cls(connection)
        connection.close()
        return None

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Snapshot, int]]:
        """A snapshot, and a number that is another one whenever anybody wrote to the ledger since."""
        self._cursor.execute("BEGIN")
        try:
            version = self._cursor.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._snapshot.forget()
                self._version = version
            yield self._snapshot, version
        finally:
            self._cursor.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.invalidate()  # not back into the pool, where a writer would be given it, reading only
        self._connection.close()


@lru_cache(maxsize=512)
def _compiled(build: Callable[..., sa.Select[Any]], dialect: str, *form: Any) -> tuple[str, Mapping[str, Any]]:
    """The statement's text, and the values that are fixed in it."""
    compiled = build(*form).compile(dialect=_DIALECTS[dialect])
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


def _newest() -> sa.Select[Any]:
    return sa.select(commit_log.c.seq, stored(commit_log.c.commit_ts)).order_by(commit_log.c.seq.desc()).limit(1)


def _compacted() -> sa.Select[Any]:
    return sa.select(mark.c.value).where(mark.c.name == COMPACTED)


def _commit_at() -> sa.Select[Any]:
    return sa.select(commit_log.c.seq).where(stored(commit_log.c.commit_ts) == sa.bindparam("moment"))


def _commit_before() -> sa.Select[Any]:
    return sa.select(sa.func.max(commit_log.c.seq)).where(stored(commit_log.c.commit_ts) <= sa.bindparam("moment"))


def _made_at() -> sa.Select[Any]:
    return sa.select(stored(commit_log.c.commit_ts)).where(commit_log.c.seq == sa.bindparam("seq"))


def _place_at() -> sa.Select[Any]:
    return sa.select(stored(walk.c.position)).where(stored(walk.c.stamp) == sa.bindparam("moment"))


def _stamp_of() -> sa.Select[Any]:
    is_there = sa.and_(stored(walk.c.position) == sa.bindparam("place"), stored(walk.c.stamp) > sa.bindparam("moment"))
    return sa.select(sa.func.max(stored(walk.c.stamp))).where(is_there)


def _wires(rank: int, source: str | None, is_behind: bool) -> sa.Select[Any]:
    return _range(sa.select(head.c.wire), rank, source, is_behind).limit(sa.bindparam("rows"))


def _keys(rank: int, source: str | None, is_behind: bool) -> sa.Select[Any]:
    keys = sa.select(head.c.seq, head.c.golden_id)
    return _range(keys, rank, source, is_behind).limit(sa.literal_column("2")).offset(sa.bindparam("skipped"))


def _range(query: sa.Select[Any], rank: int, source: str | None, is_behind: bool) -> sa.Select[Any]:
    """One rank's range of the index (wire_rank, seq, golden_id)."""
    query = query.where(head.c.wire_rank == rank, head.c.seq <= sa.bindparam(_UNTIL))
    if is_behind:
        key = sa.tuple_(head.c.seq, head.c.golden_id)
        query = query.where(key > sa.tuple_(sa.bindparam("after_seq"), sa.bindparam("after_id")))
    else:
        query = query.where(head.c.seq > sa.bindparam("after_seq"))
    if source is not None:
        contributed = sa.literal(",") + head.c.sources_ever + sa.literal(",")
        query = query.where(contributed.contains(f",{source},", autoescape=True))
    return query.order_by(head.c.seq, head.c.golden_id)
