"""Backups: one folder with the ledger, the key of its chain, the archive, and a receipt with a digest of every file.

Belongs here: making a backup, and checking one against its receipt. Does not: putting it back (restore.py), flags
(`halosync backup`). Surprise: the pipeline and the service may go on meanwhile. The ledger is copied as one snapshot,
and before the archive, so that every payload the ledger paid for is in the archive's copy; later ones do no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sources.clock import Clock

from assets.publishing import chain
from assets.publishing.copying import replace_everything
from assets.publishing.ledger import Ledger, LedgerError

LEDGER = "ledger.sqlite"
ARCHIVE = "archive"
RECEIPT = "receipt.json"
FORM = 1
_SHIPPED = "*.parquet"  # the archive's finished files; it renames them into place
_CHUNK_BYTES = 1 << 20


class BackupRefused(LedgerError):
    """The backup cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True)
class Copied:
    """One file of a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What a backup holds: files by their path in its folder; `problems` of the chain when it was made."""

    made_at: datetime
    schema: str
    events: int
    problems: list[str]
    files: dict[str, Copied]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())

    def as_json(self) -> dict[str, Any]:
        return {"form": FORM, **asdict(self), "made_at": self.made_at.isoformat()}


def make(ledger: Ledger, archive: Path, into: Path, clock: Clock) -> Receipt:
    """Copy ledger and archive into the new folder `into`, which appears only when it is whole.

    Raises:
        BackupRefused: there is something at `into` already, it cannot be written, or the copy is not sound.
    """
    if into.exists():
        raise BackupRefused(f"{into.name} exists already. Each backup gets a folder of its own: name a new one.")
    draft = into.with_name(f"{into.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)
        schema = _copy_ledger(ledger, draft / LEDGER)
        copy_private(ledger.folder / chain.KEY_FILE, draft / chain.KEY_FILE)
        for source in archive_files(archive):
            copy_private(source, draft / ARCHIVE / source.relative_to(archive))
        verdict = chain.verify(ledger)
        files = {path: _copied(draft / path) for path in sorted(_paths(draft))}
        receipt = Receipt(clock.now(), schema, verdict.events, verdict.problems, files)
        _write_durably(draft / RECEIPT, json.dumps(receipt.as_json(), indent=1))
        draft.rename(into)
    except OSError as error:
        raise BackupRefused(f"The backup was not made: {error.strerror}. Make room or name another folder.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return receipt


def checked(folder: Path) -> Receipt:
    """The receipt of a backup whose every file is as it was written.

    Raises:
        BackupRefused: there is no receipt, or a file is missing, new or altered.
    """
    try:
        raw = json.loads((folder / RECEIPT).read_text())
        files = {path: Copied(**file) for path, file in raw["files"].items()}
        receipt = Receipt(datetime.fromisoformat(raw["made_at"]), raw["schema"], raw["events"], raw["problems"], files)
    except OSError as error:
        raise BackupRefused(f"{folder.name} is no backup: {RECEIPT} cannot be read. Name another folder.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BackupRefused(f"{folder.name}: {RECEIPT} is damaged. Use another backup.") from error
    found = set(_paths(folder)) - {RECEIPT}
    for path in sorted(found ^ set(files)):
        raise BackupRefused(f"{folder.name}: {path} is {'new' if path in found else 'missing'}. Use another backup.")
    for path, file in files.items():
        if _copied(folder / path) != file:
            raise BackupRefused(f"{folder.name}: {path} is not as it was written. Use another backup.")
    return receipt


def archive_files(archive: Path) -> Iterator[Path]:
    yield from sorted(archive.rglob(_SHIPPED))


def _copy_ledger(ledger: Ledger, to: Path) -> str:
    """One snapshot, as a single SQLite file without a write-ahead log; gives its schema."""
    os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with ledger.read() as connection:
        schema = connection.scalar(sa.text("select version_num from alembic_version"))
        source = connection.connection.driver_connection
        try:
            if isinstance(source, sqlite3.Connection):
                with closing(sqlite3.connect(to)) as copy:
                    source.backup(copy)
            else:
                _copy_rows(connection, to)
            with closing(sqlite3.connect(to)) as copy:
                copy.execute("PRAGMA journal_mode=DELETE")
                (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            raise BackupRefused(f"The backup was not made: {error}. Make room or name another folder.") from error
    if found != "ok":
        raise BackupRefused("The ledger's file is damaged: the copy is not sound. Restore an older backup.")
    return str(schema)


def _copy_rows(source: sa.Connection, to: Path) -> None:
    with closing(Ledger.open(to)) as copy, copy.transaction() as target:
        replace_everything(source, target)


def copy_private(source: Path, to: Path) -> None:
    """Copy durably, for the owner alone; nothing where there is no source."""
    if not source.exists():
        return  # such as the key, before the first effect
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, to)
    to.chmod(0o600)
    with to.open("rb") as file:
        os.fsync(file.fileno())


def _write_durably(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def _paths(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _copied(path: Path) -> Copied:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while some := file.read(_CHUNK_BYTES):
            digest.update(some)
            size += len(some)
    return Copied(size, digest.hexdigest())
