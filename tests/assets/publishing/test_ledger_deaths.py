"""Promises of the ledger's file: a killed migration leaves it as it was (F28), a full disk loses nothing (F22)."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from assets.publishing import tables
from assets.publishing.ledger import MIGRATIONS, Ledger, LedgerError, upsert
from assets.publishing.stores import SqliteStore
from assets.publishing.tables import EPOCH, head, lookup, mark

pytestmark = pytest.mark.one_store

DEATH_STEP = int(os.environ.get("HALOSYNC_DEATH_STEP", "7"))  # 1: at every statement
FULL_BYTES = 600_000
ACME = {
    "golden_id": "org_acme", "entity": "organisation", "version": 1, "is_live": True, "content_hash": "h",
    "content": {"name": "Acme Ltd", "domain": "acme.test"}, "updated_at": EPOCH, "sources": "apollo",
    "sources_ever": "apollo", "wire_rank": 1, "seq": 1,
}  # fmt: skip


def exit_code(work: Callable[[], None]) -> int | None:
    """Do `work` in a process of its own; how it ended."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    return process.exitcode


@contextmanager
def brought_to(path: Path, revision: str) -> Iterator[sa.Connection]:
    """A new ledger of an older release, in the transaction that made it."""
    ledger = Ledger(SqliteStore(path, 1.0), path.parent)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with ledger.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
    ledger.close()


def made_at(path: Path, revision: str) -> None:
    """A ledger as an older release left it, with one golden record."""
    with brought_to(path, revision) as connection:
        connection.execute(sa.insert(head).values(ACME))


def killed_at(path: Path, statement: int) -> Callable[[], None]:
    """Open the ledger; SIGKILL before the given statement, counted from 0."""

    def work() -> None:
        left = iter(range(statement))

        def reach(*_: object) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        sa.event.listen(sa.Engine, "before_cursor_execute", reach)
        Ledger.open(path).close()

    return work


def test_f28_a_migration_killed_at_any_statement_goes_on_at_the_next_start(tmp_path):
    """F28: real SIGKILLs in a process of its own, from the first schema to today's."""
    made_at(tmp_path / "old.sqlite", "0001")
    statement, deaths = 0, 0
    while True:
        path = tmp_path / f"{statement}.sqlite"
        shutil.copy(tmp_path / "old.sqlite", path)
        ended = exit_code(killed_at(path, statement))
        assert ended in (0, -signal.SIGKILL)

        ledger = Ledger.open(path)
        with ledger.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
            assert connection.scalars(sa.select(head.c.content)).all() == [ACME["content"]]
            assert "acme.test" in connection.scalars(sa.select(lookup.c.value)).all()
        ledger.close()
        if ended == 0:
            break
        statement, deaths = statement + DEATH_STEP, deaths + 1

    print(f"{deaths} deaths, 0 ledgers lost")
    assert deaths * DEATH_STEP > 20


def numbers(path: Path) -> list[int]:
    ledger = Ledger.open(path)
    with ledger.read() as connection:
        found = connection.scalars(sa.select(mark.c.value).where(mark.c.name.like("n:%")).order_by(mark.c.value)).all()
    ledger.close()
    return list(found)


def test_f22_a_full_disk_stops_with_a_remedy_and_loses_nothing_that_was_acknowledged(tmp_path):
    """F22: a real limit on the size of files stands in for the disk; afterwards there is room and work goes on."""
    path = tmp_path / "ledger.sqlite"
    Ledger.open(path).close()
    acknowledged = tmp_path / "acknowledged"

    def write(ledger: Ledger) -> None:
        for number in range(10_000):
            with ledger.transaction() as connection:
                ballast = {"name": f"{number}" * 2_000, "value": -1}
                upsert(connection, mark, [{"name": f"n:{number}", "value": number}, ballast])
            with acknowledged.open("a") as file:
                file.write(f"{number}\n")

    def until_full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        ledger = Ledger.open(path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, FULL_BYTES))
        with pytest.raises(LedgerError, match="Make room"):
            write(ledger)

    assert exit_code(until_full) == 0

    kept = [int(line) for line in acknowledged.read_text().split()]
    assert len(kept) > 10
    assert numbers(path) == kept
    ledger = Ledger.open(path)
    with ledger.transaction() as connection:
        upsert(connection, mark, [{"name": "n:next", "value": 1_000_000}])
    ledger.close()
    assert numbers(path) == [*kept, 1_000_000]
