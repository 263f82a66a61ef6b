"""Promises of backup and restore: whole or not at all, checked, never under a running pipeline, reconciled first (F27)."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from publishing_house import House, contact, organisation

from assets.publishing import backup, chain, publisher
from assets.publishing.backup import BackupRefused
from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError
from assets.publishing.reconcile import reconcile
from assets.publishing.restore import restore
from assets.publishing.rules import demo_rules

pytestmark = pytest.mark.one_store

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test")
BOLT = organisation("org_bolt", "Bolt Inc", domain="bolt.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")
LEASES = ("full_path", publisher.LEASE)


@pytest.fixture
def archive(house: House) -> Path:
    folder = house.folder / "archive" / "apollo"
    folder.mkdir(parents=True)
    (folder / "00000001.parquet").write_bytes(b"paid for before the backup")
    return folder.parent


@pytest.fixture
def yesterday(house: House, archive: Path) -> Path:
    """A backup made after Acme was published; Bolt and Ann were published since."""
    house.commit(ACME)
    house.publish()
    folder = house.folder / "backups" / "monday"
    backup.make(house.ledger, archive, folder, house.clock)
    house.commit(BOLT, ANN)
    house.publish()
    (archive / "apollo" / "00000002.parquet").write_bytes(b"paid for since")
    return folder


def put_back(house: House, folder: Path, archive: Path) -> None:
    house.ledger.close()
    restore(folder, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)
    house.restart()


def exit_code(work: Callable[[], None]) -> int | None:
    """Do `work` in a process of its own; how it ended."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    return process.exitcode


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_backup_has_a_receipt_of_every_file_and_is_for_the_owner_alone(yesterday):
    receipt = backup.checked(yesterday)

    assert set(receipt.files) == {"ledger.sqlite", "chain.key", "archive/apollo/00000001.parquet"}
    assert (receipt.schema, receipt.problems, receipt.events > 0) == ("0006", [], True)
    assert {path.stat().st_mode & 0o077 for path in (yesterday, *yesterday.rglob("*.*"))} == {0}


def test_f27_after_a_restore_nothing_is_written_before_reconciling_and_then_nothing_is_doubled(
    house, yesterday, archive
):
    """F27: HaloPSA has moved on since yesterday; the restored ledger has never heard of Bolt and Ann."""
    held = {name: dict(house.simulator.records_by_golden_id(name)) for name in ("Client", "Users")}
    put_back(house, yesterday, archive)
    house.commit(BOLT, ANN)
    mark = house.mark

    early = house.publish()
    before_reconciling = house.writes_since(mark)
    reconcile(house.ledger, house.clock, house.halo, run_id="reconcile", rules=demo_rules())
    late = house.publish()

    assert before_reconciling == []
    assert any("halosync reconcile" in problem for problem in early.problems)
    assert late.problems == []
    assert {name: dict(house.simulator.records_by_golden_id(name)) for name in held} == held


def test_a_restored_ledger_is_whole_and_payloads_paid_for_since_stay(house, yesterday, archive):
    put_back(house, yesterday, archive)

    assert chain.verify(house.ledger).is_whole
    assert {path.name for path in archive.rglob("*.parquet")} == {"00000001.parquet", "00000002.parquet"}


def test_what_was_there_before_is_kept_beside_it(house, yesterday, archive):
    house.ledger.close()
    before = (house.folder / "ledger.sqlite").read_bytes()
    house.restart()

    put_back(house, yesterday, archive)

    (aside,) = house.folder.glob("before-restore-*")
    assert (aside / "ledger.sqlite").read_bytes()[100:] == before[100:]  # past the header, which counts openings


def test_a_ledger_that_is_damaged_can_be_restored(house, yesterday, archive):
    house.ledger.close()
    (house.folder / "ledger.sqlite").write_bytes(b"this is no database any more" * 500)
    with pytest.raises(LedgerError, match="backup"):
        Ledger.open(house.folder / "ledger.sqlite")

    restore(yesterday, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)

    assert chain.verify(house.restart().ledger).is_whole


@pytest.mark.parametrize("lease", LEASES)
def test_a_restore_under_a_running_pipeline_is_refused(house, yesterday, archive, lease):
    other = Ledger.open(house.folder / "elsewhere.sqlite")  # any ledger of this folder shares its locks
    house.ledger.close()
    before = contents(archive)

    with other.lease(lease), pytest.raises(LedgerBusy, match=lease):
        restore(yesterday, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)

    assert contents(archive) == before
    house.restart()
    assert not house.publish().problems


def test_a_restore_under_a_running_service_is_refused(house, yesterday, archive):
    with house.ledger.read(), pytest.raises(LedgerBusy, match="Stop serve"):
        restore(yesterday, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)


def test_a_backup_that_is_not_as_it_was_written_is_refused_and_nothing_changes(house, yesterday, archive):
    house.ledger.close()
    before = contents(house.folder)
    paths = ("ledger.sqlite", "chain.key", "archive/apollo/00000001.parquet", "receipt.json")

    for number, (path, harm) in enumerate(itertools.product(paths, ("altered", "cut", "removed"))):
        copy = shutil.copytree(yesterday, house.folder.with_name(f"{house.folder.name}-{number}"))
        raw = bytearray((copy / path).read_bytes())
        raw[len(raw) // 2] ^= 0x80  # in the receipt: no longer UTF-8
        if harm == "removed":
            (copy / path).unlink()
        else:
            (copy / path).write_bytes(raw if harm == "altered" else raw[: len(raw) // 2])
        with pytest.raises(BackupRefused, match=r"another (backup|folder)"):
            restore(copy, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)

    assert contents(house.folder) == before


def test_a_backup_never_takes_the_place_of_another(house, yesterday, archive):
    before = contents(yesterday)

    with pytest.raises(BackupRefused, match="name a new one"):
        backup.make(house.ledger, archive, yesterday, house.clock)

    assert contents(yesterday) == before


def test_f22_a_backup_without_room_leaves_nothing_behind(house, archive, yesterday):
    """F22: the disk is full; a real limit on the size of files stands in for it, in a process of its own."""

    def without_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        ledger = Ledger.open(house.folder / "ledger.sqlite")
        with pytest.raises(BackupRefused, match="Make room"):
            backup.make(ledger, archive, yesterday.with_name("full"), house.clock)

    house.ledger.close()
    assert exit_code(without_room) == 0

    house.restart()
    assert [path.name for path in yesterday.parent.iterdir()] == ["monday"]
    assert backup.make(house.ledger, archive, yesterday.with_name("later"), house.clock).problems == []


@pytest.mark.parametrize("passed", range(5))
def test_a_restore_killed_at_any_step_leaves_a_ledger_that_says_what_to_do(house, yesterday, archive, passed):
    """SIGKILL before each of the five moves: ledger and key aside, ledger and key into place, the payload."""
    real, left = os.replace, iter(range(passed))

    def killed() -> None:
        os.replace = lambda *paths: real(*paths) if next(left, None) is not None else os.kill(os.getpid(), 9)
        restore(yesterday, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)

    house.ledger.close()
    assert exit_code(killed) == -signal.SIGKILL

    with pytest.raises(LedgerError, match="Run it again: halosync restore DIR"):
        Ledger.open(house.folder / "ledger.sqlite")
    restore(yesterday, house.folder / "ledger.sqlite", house.folder, archive, house.clock, leases=LEASES)
    assert chain.verify(house.restart().ledger).is_whole
    assert any("halosync reconcile" in problem for problem in house.publish().problems)
