"""Promises of the two stores where they differ: leases that end with their holder, errors with a remedy, one order of text."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from publishing_house import contact, organisation

from assets.publishing import backup, chain
from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError, upsert
from assets.publishing.publisher import MUST_RECONCILE
from assets.publishing.restore import restore
from assets.publishing.tables import head, mark, metadata
from sources.clock import VirtualClock
from tests.assets.publishing import ledgers
from tests.assets.publishing.ledgers import POSTGRESQL, SQLITE

ROOT = Path(__file__).parents[3]
ACME = organisation("org_acme", "Acme Ltd", domain="acme.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")
HOLD_A_LEASE = """
import sys, time
from pathlib import Path
from assets.publishing.ledger import Ledger
ledger = Ledger.open(sys.argv[1], Path(sys.argv[2]))
with ledger.lease("publish") as lease:
    print(lease.fence, flush=True)
    time.sleep(60)
"""


def everything(ledger: Ledger) -> dict[str, list[tuple]]:
    """All rows of all tables, in the order of their keys."""
    with ledger.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def test_a_lease_ends_with_the_process_that_held_it_and_its_fence_is_never_given_again(tmp_path):
    place = ledgers.place_of(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_A_LEASE, place, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    fence = int(holder.stdout.readline())
    ledger = ledgers.opened(tmp_path)
    with pytest.raises(LedgerBusy, match='lease "publish"'), ledger.lease("publish"):
        pass

    holder.send_signal(signal.SIGKILL)
    holder.wait()

    with ledger.lease("publish") as lease:
        assert lease.fence > fence


def test_one_transaction_writes_at_a_time_and_readers_wait_for_nobody(tmp_path):
    ledger, other = ledgers.opened(tmp_path), ledgers.opened(tmp_path, busy_timeout_s=0.1)

    with ledger.transaction() as connection:
        upsert(connection, mark, [{"name": "x", "value": 1}])
        with pytest.raises(LedgerBusy), other.transaction():
            pass
        with other.read() as reader:
            assert reader.scalar(sa.select(mark.c.value).where(mark.c.name == "x")) is None


def test_a_reader_sees_one_moment_only(tmp_path):
    ledger, other = ledgers.opened(tmp_path), ledgers.opened(tmp_path)
    count = sa.select(sa.func.count()).select_from(mark)

    with ledger.read() as reader:
        before = reader.scalar(count)
        with other.transaction() as connection:
            upsert(connection, mark, [{"name": "x", "value": 1}])

        assert reader.scalar(count) == before


def test_text_is_ordered_by_its_bytes_as_python_does(tmp_path):
    ledger = ledgers.opened(tmp_path)
    names = ["a_b", "aB", "A", "b", "Ä", "ab", "a b", "_", "é", "z", "0", "a-b"]
    with ledger.transaction() as connection:
        upsert(connection, mark, [{"name": f"order:{name}", "value": 1} for name in names])

    with ledger.read() as connection:
        query = sa.select(mark.c.name).where(mark.c.name.like("order:%")).order_by(mark.c.name)
        found = [name.removeprefix("order:") for name in connection.scalars(query)]

    assert found == sorted(names, key=str.encode)


def test_machines_that_share_a_ledger_seal_with_one_key_or_are_told_so(house):
    house.commit(ACME, ANN)
    house.publish()
    key = house.folder / chain.KEY_FILE
    kept = key.read_bytes()

    key.unlink()
    with pytest.raises(LedgerError, match=r"chain\.key is missing: copy it"):
        house.restart().publish()
    key.write_bytes(b"x" * chain.KEY_BYTES)
    with pytest.raises(LedgerError, match="not the key of this ledger"):
        house.restart().publish()
    key.write_bytes(kept)
    house.restart().publish()


@pytest.mark.parametrize("to", [SQLITE, POSTGRESQL])
def test_a_backup_of_either_store_goes_back_into_either(house, tmp_path, to):
    house.commit(ACME, ANN)
    house.publish()
    saved, archive = tmp_path / "saved", tmp_path / "archive"
    receipt = backup.make(house.ledger, archive, saved, VirtualClock())
    expected = everything(house.ledger)
    home = tmp_path / "elsewhere"
    home.mkdir()

    with ledgers.tested_on(to):
        place = ledgers.place_of(home)
        restore(saved, place, home, archive, VirtualClock(), leases=("publish",))
        ledger = Ledger.open(place, home)
        found = everything(ledger)
        verdict = chain.verify(ledger)
        house.folder, house.ledger = home, ledger
        house.commit({**ANN, "job_title": "Chief"})  # keys that the database counts go on

    found["mark"] = [row for row in found["mark"] if row[0] not in (MUST_RECONCILE, "fence:publish")]
    expected["mark"] = [row for row in expected["mark"] if row[0] != "fence:publish"]
    assert found == expected
    assert verdict.is_whole
    assert verdict.events == receipt.events > 0


def test_what_a_restore_replaces_is_kept_beside_it(house, tmp_path):
    house.commit(ACME)
    archive = tmp_path / "archive"
    backup.make(house.ledger, archive, tmp_path / "saved", house.clock)
    house.commit(ANN)
    house.ledger.close()

    place = ledgers.place_of(house.folder)
    restore(tmp_path / "saved", place, house.folder, archive, house.clock, leases=("publish",))

    (aside,) = house.folder.glob("before-restore-*")
    with ledgers.tested_on(SQLITE):
        kept = Ledger.open(shutil.copy(aside / "ledger.sqlite", tmp_path / "kept.sqlite"))
    with kept.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(head)) == 2
    with house.restart().ledger.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(head)) == 1


def test_a_server_that_is_not_there_is_named_with_a_remedy_and_without_the_password(tmp_path, store):
    if store == SQLITE:
        pytest.skip("no server")
    with pytest.raises(LedgerError, match="LEDGER_URL") as told:
        Ledger.open("postgresql://me:s3cret@127.0.0.1:1/halosync", tmp_path)

    assert "s3cret" not in str(told.value)
