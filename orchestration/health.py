"""The health of one installation: folder, disk, packages, databases, chain, leases, clock, HaloPSA; each trouble with
its remedy.

Belongs here: checks that answer within seconds. Does not: flags and the screen (doctor.py), whether settings are valid
(check.py), what an account may do in detail (`connect`), the quality of records.
Surprise: nothing is repaired, and a ledger of an older schema is looked at without migrating it. A check whose ground
is missing is left out, so that one trouble is named once.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from threading import Thread

import duckdb
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from assets.publishing import audit, chain, delivery, publisher
from assets.publishing.ledger import (
    MIGRATIONS,
    STAMP,
    UNFINISHED_RESTORE,
    Ledger,
    LedgerBusy,
    LedgerError,
    locked,
    sqlite_path,
)
from assets.publishing.stores import Store, is_postgresql, store_of
from assets.publishing.tables import from_micros, mark
from sources.clock import Clock, WallClock
from sources.halopsa.client import HaloClient
from sources.http import Forbidden, Unauthorised, VendorError

from orchestration.lease import LEASE
from orchestration.settings import PROJECT_ROOT, Settings, SettingsError

FREE_BYTES_MIN = 1_000_000_000  # beside room for a second copy of ledger and warehouse, which a backup and a run need
CLOCK_BEHIND_S_MAX = 5.0
CONNECTED_WITHIN_S = 5.0
ANSWERED_WITHIN_S = 3.0
HALO_SETTINGS = 4
CORE = ("dagster", "dlt", "duckdb", "pandas", "pyarrow", "rapidfuzz", "sqlalchemy")
_OTHERS = 0o077


@dataclass(frozen=True)
class Finding:
    """One check. `found` holds no value of a record; `remedy` is empty where nothing is to be done."""

    check: str
    found: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        return not self.remedy


def examine(settings: Settings, clock: Clock | None) -> list[Finding]:
    """Every check that has its ground. `clock` None leaves the clock out, for data made in simulated time."""
    on_server = is_postgresql(settings.ledger)
    path = settings.ledger_home / "ledger.sqlite" if on_server else sqlite_path(settings.ledger)
    findings = [_permissions(settings, path), _disk(settings, path), _packages(), *_warehouse(settings)]
    findings += [*_delivery(settings), *_halopsa(settings)]
    if not on_server:
        findings.append(_leases(path.parent))
    if (path.parent / UNFINISHED_RESTORE).exists():
        return [*findings, Finding("ledger", "a restore did not finish", "Run it again: halosync restore DIR.")]
    if on_server:
        return [*findings, *_server(settings, clock)]
    if not path.exists():
        return [*findings, Finding("ledger", "none yet; the first run makes it")]
    file = _file(path)
    findings.append(file)
    if file.is_well:
        findings.append(_schema(partial(_version_in_file, path)))
    if findings[-1].is_well:
        findings.extend(_inside(settings, clock))
    return findings


def _server(settings: Settings, clock: Clock | None) -> Iterator[Finding]:
    """A ledger in PostgreSQL: whether it answers, keeps what it promises, and has our schema."""
    store = store_of(settings.ledger, CONNECTED_WITHIN_S)
    try:
        with store.engine.connect() as connection:
            leases = _leases_on(store)
            version, syncs = connection.exec_driver_sql("SHOW server_version").scalar(), _setting(connection, "fsync")
            schema = _schema(partial(_version_in, connection))
    except sa.exc.OperationalError as error:
        yield Finding("ledger", str(store.explained(error)), "See to the server and to LEDGER_URL.")
        return
    finally:
        store.engine.dispose()
    yield leases
    if syncs != "on":
        remedy = "Set fsync = on in postgresql.conf: what it acknowledges must survive a power cut."
        yield Finding("ledger", f"PostgreSQL {version} does not write to disk before it answers", remedy)
        return
    yield Finding("ledger", f"PostgreSQL {version} answers")
    yield schema
    if schema.is_well:
        yield from _inside(settings, clock)


def _leases_on(store: Store) -> Finding:
    """Takes each for a moment, as `_leases` does."""
    for name in (LEASE, publisher.LEASE):
        try:
            with store.held(name):
                pass
        except LedgerBusy:
            who = "select pid, client_addr, backend_start from pg_stat_activity where application_name = 'halosync'"
            return Finding("leases", f"a run holds {name}", f"Wait for it to end. Who it is: {who}")
    return Finding("leases", "free")


def _setting(connection: sa.Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {name}").scalar())


def _version_in(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(sa.text("select version_num from alembic_version"))


def _version_in_file(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            (version,) = connection.execute("select version_num from alembic_version").fetchone()
    except (sqlite3.OperationalError, TypeError):
        return None
    return str(version)


def _permissions(settings: Settings, ledger: Path) -> Finding:
    private = (settings.data_root, ledger, ledger.with_name(chain.KEY_FILE), settings.warehouse, PROJECT_ROOT / ".env")
    open_ones = [path for path in private if path.exists() and path.stat().st_mode & _OTHERS]
    if open_ones:
        names = ", ".join(path.name for path in open_ones)
        return Finding("permissions", f"open to other users: {names}", f"chmod go-rwx {' '.join(map(str, open_ones))}")
    return Finding("permissions", "for the owner alone")


def _disk(settings: Settings, ledger: Path) -> Finding:
    free = shutil.disk_usage(settings.data_root).free
    needed = FREE_BYTES_MIN + _bytes(ledger) + _bytes(settings.warehouse)
    found = f"{free / 1e9:,.1f} GB free"
    if free < needed:
        return Finding("disk", found, f"Make room: {needed / 1e9:,.1f} GB are needed for the next run and a backup.")
    return Finding("disk", found)


def _bytes(path: Path) -> int:
    """Of a database file and its write-ahead log, which holds the newest part of it."""
    logs = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", ".wal"))
    return sum(file.stat().st_size for file in (path, *logs) if file.exists())


def _leases(folder: Path) -> Finding:
    """Takes each lock for a moment, because only the kernel knows who holds it."""
    for name in (LEASE, publisher.LEASE):
        try:
            if (folder / f"{name}.lock").exists():
                with locked(folder, name):
                    pass
        except LedgerBusy:
            return Finding(
                "leases", f"a run holds {name}", f"Wait for it to end. Who it is: fuser {folder}/{name}.lock"
            )
    return Finding("leases", "free")


def _delivery(settings: Settings) -> list[Finding]:
    """Publishing rules that work against each other; what is wrong with the file itself, `check` says."""
    try:
        rules = settings.publishing_rules()
    except SettingsError:
        return []
    found = delivery.contradictions(rules, has_halo=not settings.missing("halopsa"))
    return [Finding("delivery", text, remedy) for text, remedy in found]


def _packages() -> Finding:
    """The core as it is installed, beside the lock: a package changed by hand is behind many a riddle."""
    locked_at = dict(re.findall(r"^([\w.-]+)==(\S+)", (PROJECT_ROOT / "requirements.lock").read_text(), re.MULTILINE))
    found = {name: metadata.version(name) for name in CORE}
    other = [f"{name} {has}, locked is {locked_at[name]}" for name, has in found.items() if has != locked_at[name]]
    if other:
        return Finding("packages", "; ".join(other), "Make the environment anew: rm -r .venv, then any verb.")
    return Finding("packages", "as locked")


def _warehouse(settings: Settings) -> list[Finding]:
    path = settings.warehouse
    if not path.exists():
        return []
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error as error:
        if isinstance(error, duckdb.IOException) and "lock" in str(error).lower():
            return [Finding("warehouse", "a run has it open")]
        remedy = f"Delete {path.name}: the next run builds it again, from the archive and for no credits."
        return [Finding("warehouse", "cannot be read", remedy)]
    return [Finding("warehouse", f"opens, {_bytes(path) / 1e6:,.1f} MB")]


def _halopsa(settings: Settings) -> list[Finding]:
    """Whether HaloPSA lets us in and read, by two calls."""
    missing = settings.missing("halopsa")
    if missing and len(missing) < HALO_SETTINGS:
        return [Finding("halopsa", f"{', '.join(missing)} is missing", "Set it in .env, or unset the others.")]
    if missing:
        return []
    halo = settings.sources.halopsa
    secret = halo.client_secret.get_secret_value() if halo.client_secret else ""
    # By itself, without the ledger's rate window: there may be no ledger yet, or one that must not be touched.
    client = HaloClient(halo.base_url or "", halo.tenant or "", halo.client_id or "", secret, WallClock())
    answered: list[Finding] = []

    def ask() -> None:
        try:
            client.session.check()
            next(iter(client.walk("Client")), None)
        except Unauthorised as error:
            answered.append(Finding("halopsa", str(error), "Copy client id and secret anew into .env."))
        except Forbidden as error:
            answered.append(Finding("halopsa", str(error), "Give the API application read:customers edit:customers."))
        except VendorError as error:
            answered.append(Finding("halopsa", str(error), "See SOURCES__HALOPSA__BASE_URL and that it answers."))
        else:
            answered.append(Finding("halopsa", "signs in and reads"))

    # Its client is patient with a server that is down, for minutes; whoever calls the doctor is not.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWERED_WITHIN_S)
    late = Finding(
        "halopsa", f"no answer within {ANSWERED_WITHIN_S:g} s", "See that SOURCES__HALOPSA__BASE_URL answers."
    )
    return answered[:1] or [late]


def _file(path: Path) -> Finding:
    remedy = "Restore it: halosync restore DIR."
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return Finding("ledger", f"cannot be read: {error}", remedy)
    if found != "ok":
        return Finding("ledger", "the file is damaged", remedy)
    return Finding("ledger", f"opens, {_bytes(path) / 1e6:,.1f} MB")


def _schema(version_of: Callable[[], str | None]) -> Finding:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    newest = str(scripts.get_current_head())
    version = version_of()
    if version is None:
        return Finding("schema", "none", "The first run makes it; if this ledger had content: halosync restore DIR.")
    if version == newest:
        return Finding("schema", f"{version}, the newest")
    if version in {script.revision for script in scripts.walk_revisions()}:
        return Finding(
            "schema", f"{version}, newest is {newest}", "The next run brings it there; back up its file first."
        )
    return Finding("schema", f"{version}, unknown here", "Install the release that made it, or restore a backup.")


def _inside(settings: Settings, clock: Clock | None) -> Iterator[Finding]:
    try:
        ledger = Ledger.open(settings.ledger, settings.data_root)
    except LedgerError as error:
        yield Finding("ledger", "cannot be opened for writing", str(error))
        return
    with closing(ledger):
        yield _chain(ledger)
        yield _audit(ledger)
        with ledger.read() as connection:
            marks = {row.name: row.value for row in connection.execute(sa.select(mark))}
    if clock is not None:
        yield _clock(clock, marks.get(STAMP))
    if marks.get(publisher.MUST_RECONCILE):
        yield Finding(
            "restored", "from a backup; HaloPSA may have moved on", "Publishing waits for: halosync reconcile."
        )


def _chain(ledger: Ledger) -> Finding:
    try:
        verdict = chain.verify(ledger)
    except LedgerError as error:
        return Finding("chain", "cannot be checked", str(error))
    if not verdict.is_whole:
        found = f"{verdict.problems[0]} (problems: {len(verdict.problems)})"
        remedy = "Somebody changed the ledger outside halosync. Find out who, then halosync reconcile or restore DIR."
        return Finding("chain", found, remedy)
    return Finding("chain", f"whole: {verdict.effects:,} effects, {verdict.events:,} events")


def _audit(ledger: Ledger) -> Finding:
    try:
        problems = audit.verify(ledger)
    except LedgerError as error:
        return Finding("audit", "cannot be checked", str(error))
    if problems:
        remedy = "Somebody changed the ledger outside halosync. Find out who; the keys may not be theirs who hold them."
        return Finding("audit", f"{problems[0]} (problems: {len(problems)})", remedy)
    return Finding("audit", "whole")


def _clock(clock: Clock, newest: int | None) -> Finding:
    behind_s = 0.0 if newest is None else (from_micros(newest) - clock.now()).total_seconds()
    if behind_s > CLOCK_BEHIND_S_MAX:
        remedy = "Set it, by NTP best. Stamps go on growing, but ages and limits are wrong until it has caught up."
        return Finding("clock", f"{behind_s:,.0f} s behind the ledger's newest commit", remedy)
    return Finding("clock", "not behind the ledger")
