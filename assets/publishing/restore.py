"""Restore: the ledger goes back to a backup; the next publishing must reconcile before its first write.

Belongs here: swapping files or rows so that a death at any moment leaves something that says what to do.
Does not: making and checking backups (backup.py), reconciling (reconcile.py).
Surprise: HaloPSA does not go back with us. What we did there since the backup is unknown to the restored ledger, so it
carries the mark `must_reconcile`. Archived payloads that are newer than the backup stay: they were paid for.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from sources.clock import Clock

from assets.publishing import backup, chain
from assets.publishing.backup import BackupRefused, Receipt
from assets.publishing.copying import replace_everything
from assets.publishing.ledger import UNFINISHED_RESTORE, Ledger, LedgerBusy, locked, sqlite_path, upsert
from assets.publishing.publisher import MUST_RECONCILE
from assets.publishing.stores import is_postgresql
from assets.publishing.tables import mark

_STAGED = ".restoring"


def restore(
    folder: Path,
    target: str | Path,
    home: Path,
    archive: Path,
    clock: Clock,
    *,
    leases: Sequence[str],
    derived: Sequence[Path] = (),
) -> Receipt:
    """Put the backup in `folder` in the place of the ledger `target`, and its payloads into `archive`.

    What was there is kept in a folder in `home`, and so are the files in `derived`, which a run builds anew.

    Raises:
        LedgerBusy: a run holds one of `leases`, or a service has the ledger's file open.
        BackupRefused: the backup is not as it was written, was made by a newer release, or there is no room.
    """
    receipt = backup.checked(folder)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as held:
            if isinstance(target, str) and is_postgresql(target):
                ledger = held.enter_context(closing(Ledger.open(target, home, is_restored=True)))
                for name in leases:
                    held.enter_context(ledger.lease(name))
                _into_database(folder, ledger, home, clock, derived)
            else:
                for name in leases:
                    held.enter_context(locked(home, name))
                _into_file(folder, sqlite_path(target), home, clock, derived)
            _restore_archive(folder / backup.ARCHIVE, archive)
            (home / UNFINISHED_RESTORE).unlink()
    except OSError as error:
        raise BackupRefused(f"The restore did not finish: {error.strerror}. Mend that and run it again.") from error
    return receipt


def _into_file(folder: Path, ledger: Path, home: Path, clock: Clock, derived: Sequence[Path]) -> None:
    _refuse_open(ledger)
    staged = _stage(folder, home / _STAGED)
    (home / UNFINISHED_RESTORE).touch(mode=0o600)
    _set_aside([*_files_of(ledger), home / chain.KEY_FILE, *derived], _aside(home, clock))
    for source, target in ((staged / backup.LEDGER, ledger), (staged / chain.KEY_FILE, home / chain.KEY_FILE)):
        if source.exists():
            os.replace(source, target)
    shutil.rmtree(staged)


def _into_database(folder: Path, ledger: Ledger, home: Path, clock: Clock, derived: Sequence[Path]) -> None:
    """All rows in one transaction; readers see the old ledger or the new one."""
    aside = _aside(home, clock)
    if not (home / UNFINISHED_RESTORE).exists():  # else the first attempt kept it
        backup.make(ledger, home / "nothing-of-the-archive", aside, clock)
    staged = _stage(folder, home / _STAGED)
    (home / UNFINISHED_RESTORE).touch(mode=0o600)
    _set_aside(derived, aside)
    with closing(Ledger.open(staged / backup.LEDGER)) as copy, copy.read() as source, ledger.transaction() as target:
        replace_everything(source, target)
    if (staged / chain.KEY_FILE).exists():
        os.replace(staged / chain.KEY_FILE, home / chain.KEY_FILE)
    shutil.rmtree(staged)


def _refuse_open(ledger: Path) -> None:
    """SQLite leaves WAL mode only when nobody else has the file open; a damaged file has no such scruples."""
    if not ledger.exists():
        return
    with closing(sqlite3.connect(ledger, timeout=1.0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LedgerBusy(
                    "The ledger is open in another process; nothing was changed. Stop serve, up and ui first."
                ) from error
        except sqlite3.DatabaseError:
            return  # damaged: the very reason to restore; it is set aside like any other


def _stage(folder: Path, staged: Path) -> Path:
    """A copy of the backup's ledger that is ready for work: on today's schema, and marked."""
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    for name in (backup.LEDGER, chain.KEY_FILE):
        backup.copy_private(folder / name, staged / name)
    ready = Ledger.open(staged / backup.LEDGER)
    with ready.transaction() as connection:
        upsert(connection, mark, [{"name": MUST_RECONCILE, "value": 1}])
    ready.close()
    with closing(sqlite3.connect(staged / backup.LEDGER)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, so that one rename moves all of it
    return staged


def _files_of(ledger: Path) -> list[Path]:
    return [ledger.with_name(ledger.name + suffix) for suffix in ("-wal", "-shm", "")]


def _aside(home: Path, clock: Clock) -> Path:
    """A folder of its own for what was there; a second attempt after a death gets another."""
    name = f"before-restore-{clock.now():%Y%m%dT%H%M%S}"
    return home / f"{name}-{len(list(home.glob(f'{name}-*'))) + 1}"


def _set_aside(paths: Sequence[Path], aside: Path) -> None:
    """Move files away, keeping them."""
    for path in paths:
        if path.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            os.replace(path, aside / path.name)


def _restore_archive(source: Path, archive: Path) -> None:
    """Every payload of the backup is there again; where one differs, ours is the damaged one: none ever changes."""
    for file in backup.archive_files(source):
        target = archive / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".tmp")
        backup.copy_private(file, draft)
        os.replace(draft, target)
