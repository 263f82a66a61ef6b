"""Promises of `halosync doctor`: each trouble is named once, with what to do, and nothing is changed by looking."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from assets.publishing import audit, chain, tables
from assets.publishing.ledger import STAMP, UNFINISHED_RESTORE, Ledger, upsert
from assets.publishing.publisher import LEASE, MUST_RECONCILE
from assets.publishing.tables import EPOCH, effect_event, mark, micros
from orchestration import health
from orchestration import settings as settings_module
from orchestration.cli import main
from orchestration.exits import Exit
from orchestration.settings import HaloSettings, Settings
from sources.clock import VirtualClock
from sources.halopsa.simulator import HaloSimulator
from sources.halopsa.simulator_modes import HaloModes
from sources.simulation import Fault, serve

MODES = HaloModes()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_module.load(env_file=None).model_copy(update={"data": tmp_path / "data"})
    made.prepare()
    Ledger.open(made.ledger).close()
    return made


def file_of(settings: Settings) -> Path:
    return settings.data_root / "ledger.sqlite"


def troubles(settings: Settings) -> list[tuple[str, str]]:
    """Check and remedy of all that is not well."""
    return [
        (finding.check, finding.remedy)
        for finding in health.examine(settings, VirtualClock())
        if not finding.is_well
    ]  # fmt: skip


def set_mark(settings: Settings, name: str, value: int) -> None:
    ledger = Ledger.open(settings.ledger, settings.data_root)
    with ledger.transaction() as connection:
        upsert(connection, mark, [{"name": name, "value": value}])
    ledger.close()


def set_version(settings: Settings, version: str) -> None:
    with closing(sqlite3.connect(file_of(settings))) as connection, connection:
        connection.execute("update alembic_version set version_num = ?", [version])


def break_chain(settings: Settings) -> None:
    ledger = Ledger.open(settings.ledger, settings.data_root)
    chain.key_of(ledger)
    event = {"effect_id": 1, "state": "acked", "at": EPOCH, "fence": 1, "run_id": "r", "digest": "d"}
    with ledger.transaction() as connection:
        connection.execute(effect_event.insert().values(**event, previous="0" * 64, hash="forged"))
    ledger.close()


def break_audit(settings: Settings) -> None:
    ledger = Ledger.open(settings.ledger, settings.data_root)
    note = audit.book(ledger)
    with ledger.transaction() as connection:
        note(connection, at=EPOCH, actor="operator me", act="key made", subject="poller")
        connection.execute(tables.audit.update().values(actor="operator else"))
    ledger.close()


def damage(settings: Settings) -> None:
    file_of(settings).write_bytes(b"this is no database any more" * 500)


def damage_inside(settings: Settings) -> None:
    """Overwrite the schema's pages: the header still says that it is a database."""
    raw = bytearray(file_of(settings).read_bytes())
    raw[200:20_000] = b"\xff" * 19_800
    file_of(settings).write_bytes(raw)


def key_file(settings: Settings) -> Path:
    ledger = Ledger.open(settings.ledger, settings.data_root)
    chain.key_of(ledger)
    ledger.close()
    return settings.data_root / chain.KEY_FILE


def lose_key(settings: Settings) -> None:
    """Effects were sealed with it."""
    break_chain(settings)
    (settings.data_root / chain.KEY_FILE).unlink()


def private(path: Path) -> Path:
    path.touch(mode=0o600)
    return path


TROUBLES = {
    "data folder open": (lambda s: s.data_root.chmod(0o755), "permissions", "chmod go-rwx"),
    "ledger open": (lambda s: file_of(s).chmod(0o644), "permissions", "ledger.sqlite"),
    "no database": (damage, "ledger", "halosync restore"),
    "damaged inside": (damage_inside, "ledger", "halosync restore"),
    "half restored": (lambda s: (s.data_root / UNFINISHED_RESTORE).touch(), "ledger", "halosync restore"),
    "older schema": (lambda s: set_version(s, "0002"), "schema", "next run"),
    "newer schema": (lambda s: set_version(s, "9999"), "schema", "Install the release"),
    "chain broken": (break_chain, "chain", "reconcile"),
    "audit altered": (break_audit, "audit", "outside halosync"),
    "clock behind": (
        lambda s: set_mark(s, STAMP, micros(VirtualClock().now() + timedelta(hours=1))), "clock", "NTP"
    ),
    "restored": (lambda s: set_mark(s, MUST_RECONCILE, 1), "restored", "halosync reconcile"),
    "chain key lost": (lose_key, "chain", "chain.key"),
    "warehouse damaged": (lambda s: private(s.warehouse).write_bytes(b"no database" * 999), "warehouse", "Delete"),
    "key of the chain open": (lambda s: key_file(s).chmod(0o644), "permissions", "chain.key"),
}  # fmt: skip


def test_a_sound_installation_has_no_trouble(settings):
    found = {finding.check for finding in health.examine(settings, VirtualClock()) if finding.is_well}

    assert found == {"permissions", "disk", "packages", "leases", "ledger", "schema", "chain", "audit", "clock"}
    assert troubles(settings) == []


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_is_named_once_with_its_remedy(settings, name):
    harm, check, remedy = TROUBLES[name]
    harm(settings)

    ((found_check, found_remedy),) = troubles(settings)

    assert found_check == check
    assert remedy in found_remedy


def test_a_lease_that_is_held_is_named(settings):
    ledger = Ledger.open(settings.ledger, settings.data_root)
    with ledger.lease(LEASE):
        held = troubles(settings)
    ledger.close()

    assert [check for check, _ in held] == ["leases"]
    assert troubles(settings) == []


def test_a_disk_that_is_nearly_full_is_named(settings, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: usage(10**12, 10**12 - 10**8, 10**8))

    assert [check for check, _ in troubles(settings)] == ["disk"]


def test_looking_at_an_older_ledger_does_not_migrate_it(settings):
    set_version(settings, "0002")
    before = file_of(settings).read_bytes()

    troubles(settings)

    assert file_of(settings).read_bytes() == before


def test_the_verb_says_it_as_one_object_and_by_its_exit_code(settings, monkeypatch, capsys):
    monkeypatch.setenv("HALOSYNC_DATA", str(settings.data_root))
    well = main(["doctor", "--json"])
    sound = json.loads(capsys.readouterr().out)
    set_mark(settings, MUST_RECONCILE, 1)

    ill = main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert (well, sound["is_well"], ill, told["is_well"]) == (Exit.DONE, True, Exit.PARTIAL, False)
    assert [check["check"] for check in told["checks"] if not check["is_well"]] == ["restored"]


def test_delivery_rules_that_contradict_each_other_are_named(settings, tmp_path):
    rules = tmp_path / "mine.toml"
    rules.write_text('[delivery]\ncontact = "both_for_test"\n')
    halo = settings.sources.halopsa.model_copy(
        update={"base_url": "http://halo.test", "tenant": "acme", "client_id": "id", "client_secret": SecretStr("x")}
    )
    sources = settings.sources.model_copy(update={"halopsa": halo})

    found = troubles(settings.model_copy(update={"publishing_file": rules, "sources": sources}))

    assert [check for check, _ in found if check != "halopsa"] == ["delivery"]  # nobody answers at that address


def with_halo(settings: Settings, **given: str | SecretStr | None) -> Settings:
    account = {"tenant": "acme", "client_id": MODES.client_id, "client_secret": SecretStr(MODES.client_secret)}
    halo = HaloSettings(**(account | given))
    return settings.model_copy(update={"sources": settings.sources.model_copy(update={"halopsa": halo})})


def wrong_secret(app: HaloSimulator, url: str) -> dict[str, str | SecretStr]:
    return {"base_url": url, "client_secret": SecretStr("not this one")}


def no_right(app: HaloSimulator, url: str) -> dict[str, str]:
    app.faults.append(Fault("status", path="Client", status=403, times=-1))
    return {"base_url": url}


HALO_TROUBLES = {
    "wrong secret": (wrong_secret, "secret anew"),
    "no right to read": (no_right, "read:customers"),
    "nobody there": (lambda app, url: {"base_url": "http://127.0.0.1:1"}, "BASE_URL"),
    "half configured": (lambda app, url: {"base_url": url, "client_secret": None}, "Set it in .env"),
}


@pytest.mark.parametrize("name", HALO_TROUBLES)
def test_what_keeps_us_out_of_halopsa_is_named_within_five_seconds(settings, name):
    harm, remedy = HALO_TROUBLES[name]
    app = HaloSimulator(None, VirtualClock())
    with serve(app) as url:
        began_s = time.monotonic()
        ((check, found),) = troubles(with_halo(settings, **harm(app, url)))
        took_s = time.monotonic() - began_s

    assert check == "halopsa"
    assert remedy in found
    assert took_s < 5


def test_a_halopsa_that_lets_us_in_is_well(settings):
    with serve(HaloSimulator(None, VirtualClock())) as url:
        assert troubles(with_halo(settings, base_url=url)) == []


def test_a_package_changed_by_hand_is_named(settings, monkeypatch):
    real = health.metadata.version
    monkeypatch.setattr(health.metadata, "version", lambda name: "0.1" if name == "duckdb" else real(name))

    ((check, remedy),) = troubles(settings)

    assert (check, "rm -r .venv" in remedy) == ("packages", True)


def test_a_warehouse_that_a_run_has_open_is_no_trouble(settings):
    private(settings.warehouse).unlink()
    holder = f"import duckdb, sys; c = duckdb.connect({str(settings.warehouse)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        settings.warehouse.chmod(0o600)
        found = troubles(settings)
        run.stdin.close()

    assert found == []
